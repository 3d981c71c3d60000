import Networks
import Tensors
import TestSupport
import Testing
import Work

/// One operation of a network, and how its layers stand in model files.
struct OperationCase: Sendable, CustomTestStringConvertible {
  let operation: any NetworkOperation
  /// Its fields in JSON, keys sorted, beside "input", "kind" and "name".
  let fields: String
  /// Channels of each input.
  let channels: [Int]
  let extent: Extent3
  /// The further inputs that have one voxel for the whole image.
  let gates: Set<Int>

  init(
    _ operation: any NetworkOperation, _ fields: String, channels: Int..., extent: Extent3 = Extent3(5, 6, 7),
    gates: Set<Int> = []
  ) {
    self.operation = operation
    self.fields = fields
    self.channels = channels.isEmpty ? [2] : channels
    self.extent = extent
    self.gates = gates
  }

  var testDescription: String {
    let inputs = channels.count == 1 ? "" : " of \(channels) channels"
    return type(of: operation).kind + " " + fields + inputs
  }

  /// A network of nothing but this operation, whose further inputs are pointwise convolutions of the image or, of those
  /// with one voxel, of its mean.
  var graph: NetworkGraph {
    let others = channels.indices.dropFirst().map { "other\($0)" }
    var layer = Layer("layer", from: [NetworkGraph.inputName] + others, ReLUOperation())
    layer.operation = operation
    let convolutions = channels.indices.dropFirst().map { index in
      Layer(
        "other\(index)", from: gates.contains(index) ? "mean" : NetworkGraph.inputName,
        .convolution(ConvolutionGeometry(kernel: Extent3(1)), channels[index], hasBias: false))
    }
    let means = gates.isEmpty ? [] : [Layer("mean", from: NetworkGraph.inputName, .globalPooling(.average))]
    return NetworkGraph(
      inputChannels: channels[0], layers: means + convolutions + [layer],
      heads: [Head("main", layer: "layer", lossWeight: 1)])
  }

  /// Two images whose values are all different and never near 0, so that a small step flips neither a ReLU nor a
  /// maximum.
  func images() -> Tensor { images(channels: channels[0], extent, factor: 7919) }

  /// Tensors for each input, all different.
  func inputs() -> [Tensor] {
    channels.indices.map { index in
      images(
        channels: channels[index], gates.contains(index) ? Extent3(1) : extent,
        factor: [7919, 7907, 7901][index])
    }
  }

  private func images(channels: Int, _ extent: Extent3, factor: Int) -> Tensor {
    let count = 2 * channels * extent.product
    return Tensor(
      shape: [2, channels, extent.d, extent.h, extent.w],
      elements: (0..<count).map { 2 * (Float($0 * factor % count) + 0.5) / Float(count) - 1 })
  }
}

/// A row or more for every operation.
let operationCases: [OperationCase] = [
  .init(
    .convolution(ConvolutionGeometry(kernel: Extent3(3, 2, 3), padding: Extent3(1, 0, 1)), 3, hasBias: true),
    #""bias":true,"dilation":[1,1,1],"kernel":[3,2,3],"outputChannels":3,"padding":[1,0,1],"stride":[1,1,1]"#),
  .init(
    .convolution(
      ConvolutionGeometry(
        kernel: Extent3(2), stride: Extent3(2, 1, 2), padding: Extent3(1), dilation: Extent3(2, 1, 1)), 4,
      hasBias: false),
    #""bias":false,"dilation":[2,1,1],"kernel":[2,2,2],"outputChannels":4,"padding":[1,1,1],"stride":[2,1,2]"#,
    channels: 1),
  .init(
    .convolution(ConvolutionGeometry(kernel: Extent3(1)), 5, hasBias: true),
    #""bias":true,"dilation":[1,1,1],"kernel":[1,1,1],"outputChannels":5,"padding":[0,0,0],"stride":[1,1,1]"#),
  .init(
    .convolution(ConvolutionGeometry(kernel: Extent3(5), padding: Extent3(2)), 2, hasBias: true),
    #""bias":true,"dilation":[1,1,1],"kernel":[5,5,5],"outputChannels":2,"padding":[2,2,2],"stride":[1,1,1]"#,
    extent: Extent3(13, 9, 10)),
  .init(
    .convolution(ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1), groups: 4), 8, hasBias: true),
    #""bias":true,"dilation":[1,1,1],"groups":4,"kernel":[3,3,3],"outputChannels":8,"padding":[1,1,1],"stride":[1,1,1]"#,
    channels: 4),
  .init(
    .convolution(
      ConvolutionGeometry(
        kernel: Extent3(3, 2, 4), stride: Extent3(1, 2, 1),
        padding: Padding(before: Extent3(0, 1, 2), after: Extent3(2, 0, 1)), groups: 2), 2, hasBias: false),
    #""bias":false,"dilation":[1,1,1],"groups":2,"kernel":[3,2,4],"outputChannels":2,"padding":[0,1,2,2,0,1],"stride":[1,2,1]"#
  ),
  .init(
    ConvolutionOperation(
      ConvolutionGeometry(kernel: Extent3(3, 2, 5), stride: Extent3(2, 1, 2)), samePadding: .upper,
      outputChannels: 2, hasBias: true),
    #""bias":true,"dilation":[1,1,1],"kernel":[3,2,5],"outputChannels":2,"padding":"sameUpper","stride":[2,1,2]"#,
    extent: Extent3(6, 5, 8)),
  .init(
    ConvolutionOperation(
      ConvolutionGeometry(kernel: Extent3(4, 3, 2), stride: Extent3(1, 2, 1), dilation: Extent3(1, 1, 3)),
      samePadding: .lower, outputChannels: 2, hasBias: false),
    #""bias":false,"dilation":[1,1,3],"kernel":[4,3,2],"outputChannels":2,"padding":"sameLower","stride":[1,2,1]"#
  ),
  .init(
    .transposedConvolution(
      TransposedConvolutionGeometry(
        kernel: Extent3(5, 4, 6), stride: Extent3(3, 1, 4),
        padding: Padding(before: Extent3(1, 0, 2), after: Extent3(0, 1, 1)), outputPadding: Extent3(2, 0, 1),
        dilation: Extent3(1, 2, 1), groups: 2), 4, hasBias: true),
    #""bias":true,"dilation":[1,2,1],"groups":2,"kernel":[5,4,6],"outputChannels":4,"outputPadding":[2,0,1],"padding":[1,0,2,0,1,1],"stride":[3,1,4]"#
  ),
  .init(
    TransposedConvolutionOperation(
      TransposedConvolutionGeometry(kernel: Extent3(4), padding: Extent3(1), groups: 3), outputChannels: 3,
      hasBias: false, startsAsInterpolation: true),
    #""bias":false,"groups":3,"initialisation":"linearInterpolation","kernel":[4,4,4],"outputChannels":3,"outputPadding":[0,0,0],"padding":[1,1,1],"stride":[2,2,2]"#,
    channels: 3),
  .init(
    .transposedConvolution(
      TransposedConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1)), 3,
      hasBias: true),
    #""bias":true,"kernel":[3,3,3],"outputChannels":3,"outputPadding":[1,1,1],"padding":[1,1,1],"stride":[2,2,2]"#
  ),
  .init(
    .transposedConvolution(
      TransposedConvolutionGeometry(kernel: Extent3(4, 2, 3), stride: Extent3(2, 1, 3)), 2, hasBias: false),
    #""bias":false,"kernel":[4,2,3],"outputChannels":2,"outputPadding":[0,0,0],"padding":[0,0,0],"stride":[2,1,3]"#
  ),
  .init(
    MaxPoolingOperation(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: true)),
    #""kernel":[2,2,2],"roundsUp":true,"stride":[2,2,2]"#),
  .init(
    MaxPoolingOperation(PoolingGeometry(kernel: Extent3(3, 2, 1), stride: Extent3(1, 2, 3))),
    #""kernel":[3,2,1],"roundsUp":false,"stride":[1,2,3]"#),
  .init(
    MaxPoolingOperation(
      PoolingGeometry(
        kernel: Extent3(3, 2, 3), stride: Extent3(2, 1, 2),
        padding: Padding(before: Extent3(1, 0, 1), after: Extent3(1, 1, 0)), roundsUp: true)),
    #""kernel":[3,2,3],"padding":[1,0,1,1,1,0],"roundsUp":true,"stride":[2,1,2]"#),
  .init(
    MaxPoolingOperation(PoolingGeometry(kernel: Extent3(3), stride: Extent3(2)), samePadding: .upper),
    #""kernel":[3,3,3],"padding":"sameUpper","roundsUp":false,"stride":[2,2,2]"#, extent: Extent3(4, 6, 8)),
  .init(
    AveragePoolingOperation(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2))),
    #""countsPadding":true,"kernel":[2,2,2],"roundsUp":false,"stride":[2,2,2]"#),
  .init(
    AveragePoolingOperation(
      PoolingGeometry(
        kernel: Extent3(3, 2, 4), stride: Extent3(2, 3, 1), padding: Padding(Extent3(1)), roundsUp: true)),
    #""countsPadding":true,"kernel":[3,2,4],"padding":[1,1,1],"roundsUp":true,"stride":[2,3,1]"#),
  .init(
    AveragePoolingOperation(
      PoolingGeometry(kernel: Extent3(3, 4, 3), stride: Extent3(2)), samePadding: .lower, countsPadding: false
    ),
    #""countsPadding":false,"kernel":[3,4,3],"padding":"sameLower","roundsUp":false,"stride":[2,2,2]"#,
    extent: Extent3(4, 6, 8)),
  .init(BatchNormalisationOperation(epsilon: 0.5), #""epsilon":0.5"#, channels: 3),
  .init(InstanceNormalisationOperation(epsilon: 0.5), #""affine":true,"epsilon":0.5"#, channels: 3),
  .init(
    InstanceNormalisationOperation(epsilon: 0.25, isAffine: false), #""affine":false,"epsilon":0.25"#),
  .init(
    GroupNormalisationOperation(groups: 2, epsilon: 0.5), #""affine":true,"epsilon":0.5,"groups":2"#,
    channels: 6),
  .init(
    GroupNormalisationOperation(groups: 1, epsilon: 0.5, isAffine: false),
    #""affine":false,"epsilon":0.5,"groups":1"#, channels: 3),
  .init(ReLUOperation(), ""),
  .init(LeakyReLUOperation(slope: 0.125), #""slope":0.125"#),
  .init(LeakyReLUOperation(slope: -0.5), #""slope":-0.5"#),
  .init(ParametricReLUOperation(), #""sharesSlope":false"#, channels: 3),
  .init(ParametricReLUOperation(sharesSlope: true), #""sharesSlope":true"#, channels: 3),
  .init(ELUOperation(alpha: 1.5), #""alpha":1.5"#),
  .init(GELUOperation(approximation: .none), #""approximation":"none""#),
  .init(GELUOperation(approximation: .tanh), #""approximation":"tanh""#),
  .init(SiLUOperation(), ""),
  .init(SigmoidOperation(), ""),
  .init(TanhOperation(), ""),
  .init(ClipOperation(lower: -0.5, upper: 0.25), #""lower":-0.5,"upper":0.25"#),
  .init(SoftplusOperation(), ""),
  .init(AddOperation(), "", channels: 3, 3),
  .init(AddOperation(), "", channels: 2, 2, 2),
  .init(AddOperation(), "", channels: 3, 1),
  .init(AddOperation(), "", channels: 2, 2, 1, gates: [1, 2]),
  .init(MultiplyOperation(), "", channels: 3, 3),
  .init(MultiplyOperation(), "", channels: 1, 3),
  .init(MultiplyOperation(), "", channels: 3, 3, gates: [1]),
  .init(MultiplyOperation(), "", channels: 1, 3, gates: [1]),
  .init(GlobalPoolingOperation(.average), #""statistic":"average""#),
  .init(GlobalPoolingOperation(.maximum), #""statistic":"maximum""#, channels: 3),
  .init(
    PadOperation(PaddingGeometry(.constant, value: 0.5, before: Extent3(1, 0, 2), after: Extent3(2, 1, 0))),
    #""after":[2,1,0],"before":[1,0,2],"mode":"constant","value":0.5"#),
  .init(
    PadOperation(PaddingGeometry(.reflect, before: Extent3(3, 0, 2), after: Extent3(2, 5, 6))),
    #""after":[2,5,6],"before":[3,0,2],"mode":"reflect""#),
  .init(
    PadOperation(PaddingGeometry(.edge, before: Extent3(2, 5, 0), after: Extent3(4, 0, 1))),
    #""after":[4,0,1],"before":[2,5,0],"mode":"edge""#),
  .init(
    CropOperation(CropGeometry(before: Extent3(1, 0, 3), after: Extent3(2, 4, 0))),
    #""after":[2,4,0],"before":[1,0,3]"#),
  .init(SliceChannelsOperation(first: 1, count: 2), #""count":2,"first":1"#, channels: 4),
  .init(
    ResizeOperation(
      ResizeGeometry(factor: Extent3(2, 1, 3), .nearest(.roundPreferFloor), .halfPixel)),
    #""coordinates":"halfPixel","factor":[2,1,3],"mode":"nearest","rounding":"roundPreferFloor""#),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2, 3, 4), .nearest(.ceil), .asymmetric)),
    #""coordinates":"asymmetric","factor":[2,3,4],"mode":"nearest","rounding":"ceil""#,
    extent: Extent3(3, 2, 4)),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2), .nearest(.floor), .alignCorners)),
    #""coordinates":"alignCorners","factor":[2,2,2],"mode":"nearest","rounding":"floor""#,
    extent: Extent3(3, 1, 4)),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2, 3, 1), .nearest(.roundPreferCeil), .asymmetric)),
    #""coordinates":"asymmetric","factor":[2,3,1],"mode":"nearest","rounding":"roundPreferCeil""#),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2), .linear, .halfPixel)),
    #""coordinates":"halfPixel","factor":[2,2,2],"mode":"linear""#, extent: Extent3(4, 3, 5)),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(3, 1, 4), .linear, .pytorchHalfPixel)),
    #""coordinates":"pytorchHalfPixel","factor":[3,1,4],"mode":"linear""#, extent: Extent3(4, 1, 3)),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2, 3, 1), .linear, .alignCorners)),
    #""coordinates":"alignCorners","factor":[2,3,1],"mode":"linear""#, extent: Extent3(4, 3, 1)),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2, 4, 3), .linear, .asymmetric)),
    #""coordinates":"asymmetric","factor":[2,4,3],"mode":"linear""#, extent: Extent3(3, 4, 2)),
  .init(
    ResizeOperation(ResizeGeometry(factor: Extent3(2), .linear, .halfPixelSymmetric)),
    #""coordinates":"halfPixelSymmetric","factor":[2,2,2],"mode":"linear""#, extent: Extent3(3, 2, 4)),
  .init(CentreCropOperation(), "", channels: 2, 3),
  .init(
    ResizeToOperation(.nearest(.floor), .asymmetric),
    #""coordinates":"asymmetric","mode":"nearest","rounding":"floor""#, channels: 3, 1),
  .init(
    ResizeToOperation(.linear, .alignCorners), #""coordinates":"alignCorners","mode":"linear""#, channels: 2,
    2),
  .init(DropoutOperation(probability: 0), #""channels":false,"probability":0"#),
  .init(ConcatenateOperation(), "", channels: 2, 3),
  .init(ConcatenateOperation(), "", channels: 1, 3, 2),
]

extension NetworkOperation where Self == ConvolutionOperation {
  fileprivate static func convolution(
    _ geometry: ConvolutionGeometry, _ channels: Int, hasBias: Bool
  ) -> ConvolutionOperation { ConvolutionOperation(geometry, outputChannels: channels, hasBias: hasBias) }
}

extension NetworkOperation where Self == TransposedConvolutionOperation {
  fileprivate static func transposedConvolution(
    _ geometry: TransposedConvolutionGeometry, _ channels: Int, hasBias: Bool
  ) -> TransposedConvolutionOperation {
    TransposedConvolutionOperation(geometry, outputChannels: channels, hasBias: hasBias)
  }
}

@Suite("Every operation of a network")
struct OperationTests {
  private let work = WorkContext(threadCount: 2)

  @Test("has a row in the table")
  func complete() {
    #expect(
      Set(operationCases.map { type(of: $0.operation).kind })
        == Set(NetworkOperations.all.map { $0.kind }))
  }

  @Test("has the same JSON in model files as before", arguments: operationCases)
  func json(row: OperationCase) throws {
    let kind = type(of: row.operation).kind
    let others = row.channels.indices.dropFirst().map { #""other\#($0)""# }
    let input = others.isEmpty ? #""input""# : #"["input",\#(others.joined(separator: ","))]"#
    let layer = (#"{"input":\#(input),"kind":""# + kind + #"","name":"layer","# + row.fields + "}")
      .sortedFields
    let before = row.channels.indices.dropFirst().map { index in
      #"{"bias":false,"dilation":[1,1,1],"input":"\#(row.gates.contains(index) ? "mean" : "input")","#
        + #""kernel":[1,1,1],"kind":"convolution","name":"other\#(index)","#
        + #""outputChannels":\#(row.channels[index]),"padding":[0,0,0],"stride":[1,1,1]}"#
    }
    let mean = #"{"input":"input","kind":"globalPooling","name":"mean","statistic":"average"}"#
    let layers = ((row.gates.isEmpty ? [] : [mean]) + before + [layer]).joined(separator: ",")
    let text =
      #"{"heads":[{"layer":"layer","lossWeight":1,"name":"main"}],"inputChannels":\#(row.channels[0]),"layers":[\#(layers)]}"#
    #expect(row.graph.json == text)
    #expect(try NetworkGraph(json: text, subject: "graph") == row.graph)
  }

  @Test(
    "has the same output at inference as in training, with the stated shape", arguments: operationCases
  )
  func inference(row: OperationCase) throws {
    let resolved = try row.graph.resolved()
    var parameters = Parameters(initialising: resolved, seed: 3)
    let image = row.images()
    var values = [NetworkGraph.inputName: image]
    for node in resolved.nodes.dropLast() {
      values[node.layer.name] = try node.layer.operation.forward(
        node.layer.inputs.map { values[$0]! },
        by: TrainingLayer(
          parameters: LayerParameters(node.layer.name, parameters), passesGradient: false), work: work
      ).output
    }
    let trained = try row.forward(resolved.nodes.last!.layer.inputs.map { values[$0]! }, parameters, work)
    if let statistics = trained.statistics {
      let shape = row.channels
      parameters["layer.running_mean"] = Tensor(shape: shape, elements: statistics.mean)
      parameters["layer.running_var"] = Tensor(shape: shape, elements: statistics.biasedVariance)
    }
    let network = try Network(graph: row.graph, parameters: parameters)
    let logits = try network(row.images(), work: work)
    let extent = try #require(row.operation.outputExtent(row.extent))
    #expect(
      logits.shape == [
        2, row.operation.outputChannels(row.channels), extent.d, extent.h, extent.w,
      ])
    #expect(relativeError(logits.elements, trained.output.elements) <= 2e-6)
    for depth in 1...3 {
      let plan = try network.plan(for: row.extent, batch: 2, slabDepth: depth, work: work)
      let slabs = try network.logits(of: row.images(), plan: plan, work: work)[0]
      #expect(relativeError(slabs.elements, logits.elements) <= 1e-6, "slabs of \(depth)")
    }
  }

  @Test("reads the voxels that its receptive field names, and no others", arguments: operationCases)
  func receptiveField(row: OperationCase) throws {
    let network = try Network(
      graph: row.graph, parameters: Parameters(initialising: try row.graph.resolved(), seed: 5))
    let image = row.images()
    let whole = try network(image, work: work)
    let output = whole.extent
    for (axis, length) in zip(Axis.allCases, [output.d, output.h, output.w]) {
      let position = length / 2
      let range =
        row.operation.isLocal && row.gates.isEmpty
        ? row.operation.inputs(of: position...position, along: axis) : 0...axis(row.extent) - 1
      // Voxels outside the range change nothing there.
      var outside = image
      for index in outside.elements.indices where !range.contains(axis.position(of: index, in: row.extent)) {
        outside.elements[index] = 1000
      }
      let changed = try network(outside, work: work)
      for index in whole.elements.indices where axis.position(of: index, in: output) == position {
        #expect(abs(changed.elements[index] - whole.elements[index]) <= 1e-3, "\(axis), element \(index)")
      }
    }
  }
}

extension OperationCase {
  /// The operation's forward pass in training with these tensors.
  func forward(
    _ inputs: [Tensor], _ parameters: Parameters, _ work: WorkContext
  ) throws -> TrainingOutput {
    try operation.forward(
      inputs, by: TrainingLayer(parameters: LayerParameters("layer", parameters), passesGradient: true),
      work: work)
  }
}

extension Axis {
  /// The position along this axis of an element of an activation.
  fileprivate func position(of index: Int, in extent: Extent3) -> Int {
    switch self {
    case .d: index / (extent.h * extent.w) % extent.d
    case .h: index / extent.w % extent.h
    case .w: index % extent.w
    }
  }
}

extension String {
  /// A flat JSON object with its fields in the order of their keys.
  fileprivate var sortedFields: String {
    var fields: [String] = []
    for part in dropFirst().dropLast().split(separator: ",") {
      if part.contains(":") { fields.append(String(part)) } else { fields[fields.count - 1] += "," + part }
    }
    return "{" + fields.sorted().joined(separator: ",") + "}"
  }
}
