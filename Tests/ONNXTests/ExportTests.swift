import Foundation
import Networks
import ONNX
import Tensors
import Testing
import Work

/// A network of a convolution "a" with four channels, one layer of an operation, and a convolution to two classes.
struct ExportCase: Sendable, CustomTestStringConvertible {
  var operation: any NetworkOperation
  /// Inputs of the layer beside "a": "half", which has half its extents, "gate", which has one voxel, or "a".
  var others: [String] = []
  /// What the operation becomes when the file's nodes are imported, where that is another kind.
  var importedKind: String?

  var testDescription: String { type(of: operation).kind + (others.isEmpty ? "" : " with \(others)") }

  init(_ operation: some NetworkOperation, _ others: String..., becomes kind: String? = nil) {
    (self.operation, self.others, importedKind) = (operation, others, kind)
  }

  var graph: NetworkGraph {
    let pointwise = ConvolutionGeometry(kernel: Extent3(1))
    var middle = Layer("middle", from: ["a"] + others, .relu)
    middle.operation = operation
    let isReversed = operation is ResizeToOperation
    if isReversed { middle.inputs = ["half", "a"] }
    return NetworkGraph(
      inputChannels: 2,
      layers: [
        Layer("a", from: "input", .convolution(pointwise, outputChannels: 4, hasBias: true)),
        Layer("half", from: "a", .maxPooling(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2)))),
        Layer("gate", from: "a", .globalPooling(.average)), middle,
        Layer("scores", from: "middle", .convolution(pointwise, outputChannels: 2, hasBias: true)),
      ],
      heads: [
        Head("main", layer: "scores", lossWeight: 5), Head("scores", layer: "half", lossWeight: 0),
      ])
  }

  static let all: [ExportCase] = [
    ExportCase(
      .convolution(
        ConvolutionGeometry(
          kernel: Extent3(1, 3, 2), stride: Extent3(1, 2, 1),
          padding: Padding(before: Extent3(0, 1, 1), after: Extent3(0, 2, 0)),
          dilation: Extent3(1, 1, 2), groups: 2), outputChannels: 6, hasBias: false)),
    ExportCase(
      .convolution(
        ConvolutionGeometry(kernel: Extent3(3), stride: Extent3(2)), samePadding: .upper, outputChannels: 3,
        hasBias: true)),
    ExportCase(
      .convolution(
        ConvolutionGeometry(kernel: Extent3(2, 3, 2), dilation: Extent3(1, 2, 3)), samePadding: .lower,
        outputChannels: 3, hasBias: true)),
    ExportCase(
      .transposedConvolution(
        TransposedConvolutionGeometry(
          kernel: Extent3(3), stride: Extent3(2), padding: Extent3(1), outputPadding: Extent3(1), groups: 2),
        outputChannels: 4, hasBias: true)),
    ExportCase(
      MaxPoolingOperation(
        PoolingGeometry(kernel: Extent3(3), stride: Extent3(2), padding: Padding(Extent3(1)), roundsUp: true))
    ),
    ExportCase(
      MaxPoolingOperation(PoolingGeometry(kernel: Extent3(3), stride: Extent3(2)), samePadding: .lower)),
    ExportCase(
      AveragePoolingOperation(
        PoolingGeometry(kernel: Extent3(3), stride: Extent3(1), padding: Padding(Extent3(1))),
        countsPadding: false)),
    ExportCase(BatchNormalisationOperation(epsilon: 1e-3)),
    ExportCase(.instanceNormalisation(epsilon: 1e-4)),
    ExportCase(.instanceNormalisation(epsilon: 1e-5, isAffine: false)),
    ExportCase(.groupNormalisation(groups: 2, epsilon: 1e-5)),
    ExportCase(.groupNormalisation(groups: 1, epsilon: 1e-5, isAffine: false)),
    ExportCase(.relu), ExportCase(LeakyReLUOperation(slope: 0.2)), ExportCase(ParametricReLUOperation()),
    ExportCase(ParametricReLUOperation(sharesSlope: true)), ExportCase(ELUOperation(alpha: 0.5)),
    ExportCase(GELUOperation(approximation: .none)), ExportCase(GELUOperation(approximation: .tanh)),
    ExportCase(SiLUOperation()), ExportCase(SigmoidOperation()), ExportCase(TanhOperation()),
    ExportCase(ClipOperation(lower: -0.5, upper: 1)), ExportCase(SoftplusOperation()),
    ExportCase(.add, "gate", "a"), ExportCase(.multiply, "gate"), ExportCase(.concatenate, "a"),
    ExportCase(.globalPooling(.maximum)),
    ExportCase(.pad(PaddingGeometry(.constant, value: 2, before: Extent3(0, 1, 0), after: Extent3(1, 0, 0)))),
    ExportCase(.pad(PaddingGeometry(.reflect, before: Extent3(1), after: Extent3(0, 0, 2)))),
    ExportCase(.crop(CropGeometry(before: Extent3(1, 0, 2), after: Extent3(0, 1, 1)))),
    ExportCase(.sliceChannels(first: 1, count: 2)),
    ExportCase(.resize(ResizeGeometry(factor: Extent3(1, 2, 3), .linear, .halfPixelSymmetric))),
    ExportCase(.resize(ResizeGeometry(factor: Extent3(2), .nearest(.ceil), .asymmetric))),
    ExportCase(CentreCropOperation(), "half", becomes: "refused"),
    ExportCase(.resizeTo(.linear, .pytorchHalfPixel), "half", becomes: "resize"),
    ExportCase(DropoutOperation(probability: 0.3), becomes: "nothing"),
  ]
}

@Suite("Exported networks")
struct ExportTests {
  private func model(_ example: ExportCase) throws -> ModelFile {
    let resolved = try example.graph.resolved()
    var parameters = Parameters(initialising: resolved, seed: 5)
    var generator = SplitMix64(seed: 11)
    for slot in resolved.parameterSlots {
      let isVariance = slot.role == .runningVariance
      parameters[slot.name] = Tensor(
        shape: slot.shape,
        elements: (0..<slot.shape.reduce(1, *)).map { _ in
          isVariance ? 1 + Float(generator.uniform()) : Float(generator.normal())
        })
    }
    return ModelFile(
      graph: example.graph, parameters: parameters, metadata: ["labels": "[]", "card": "{\"a\": 1}"])
  }

  @Test("there is a case for every operation")
  func isComplete() {
    let kinds = Set(ExportCase.all.map { type(of: $0.operation).kind })
    #expect(kinds == Set(NetworkOperations.all.map { $0.kind }))
  }

  @Test("an export becomes the same model: names, heads, weights, texts", arguments: ExportCase.all)
  func sameModel(_ example: ExportCase) throws {
    let model = try model(example)
    let file = try ModelProto(ModelProto(model, subject: "model").content, path: "model.onnx")
    let found = try #require(try file.exportedModel(path: "model.onnx"))
    #expect(found.graph == model.graph)
    #expect(found.parameters == model.parameters)
    #expect(found.texts == model.texts)
  }

  @Test("the nodes of an export are a network with the same scores", arguments: ExportCase.all)
  func sameScores(_ example: ExportCase) throws {
    let model = try model(example)
    var file = try ModelProto(model, subject: "model")
    file.metadata = [:]
    #expect(try file.exportedModel(path: "model.onnx") == nil)
    if example.importedKind == "refused" {
      #expect(
        TinyModel.refusal(file, outputs: ["main"])?.hasPrefix("tiny.onnx: node middle (Slice, opset 17): ")
          == true)
      return
    }
    let network = try ImportedNetwork(file, outputs: ["main"], path: "model.onnx")
    let kind = example.importedKind ?? type(of: example.operation).kind
    #expect(network.graph.layers.contains { type(of: $0.operation).kind == kind } || kind == "nothing")
    let extent = Extent3(4, 8, 6)
    let shape = [1, 2, extent.d, extent.h, extent.w]
    let image = Tensor(
      shape: shape, elements: (0..<shape.reduce(1, *)).map { Float(($0 * 7919) % 101) / 50 - 1 })
    func scores(_ graph: NetworkGraph, _ parameters: Parameters) throws -> Tensor {
      try Network(graph: graph, parameters: parameters, heads: [0])
        .logits(of: image, heads: [0], work: WorkContext(threadCount: 1))[0]
    }
    let (found, expected) = (
      try scores(network.graph, network.parameters), try scores(model.graph, model.parameters)
    )
    #expect(found.shape == expected.shape)
    #expect(relativeError(found.elements, expected.elements) < 1e-5)
  }

  @Test("an export that another program has changed is imported by its nodes")
  func changedExport() throws {
    let model = try model(ExportCase(.relu))
    var file = try ModelProto(model, subject: "model")
    file.graph.nodes[1].name = "renamed"
    #expect(try file.exportedModel(path: "model.onnx") == nil)
    file = try ModelProto(model, subject: "model")
    let weight = file.graph.initializers[0]
    file.graph.initializers[0] = TensorProto(
      weight.name, shape: weight.shape, [Float](repeating: 1, count: 8))
    // Other weights are still those of a network that segdeck writes: fine-tuned ones, for example.
    #expect(
      try file.exportedModel(path: "model.onnx")?.parameters["a.weight"].elements
        == [Float](repeating: 1, count: 8))
  }
}
