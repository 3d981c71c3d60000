import Networks
import Tensors
import Testing
import Work

extension ResolvedGraph {
  /// The outputs of all layers for an image, each layer computed by itself.
  func outputsOfSingleLayers(
    _ image: Tensor, _ parameters: Parameters, work: WorkContext
  ) throws -> [Tensor] {
    let extents = try outputExtents(input: image.extent, subject: "image")
    var outputs: [Tensor] = []
    for (node, extent) in zip(nodes, extents) {
      let operation = node.layer.operation
      let read = operation.inputGrids == .secondIsOutput ? node.sources.prefix(1) : node.sources[...]
      let inputs = read.map { source in source.map { outputs[$0] } ?? image }
      let builder = operation.stepBuilder(LayerParameters(node.layer.name, parameters))
      outputs.append(try output(of: builder, inputs, extent, work: work))
    }
    return outputs
  }

  private func output<Builder: StepBuilder>(
    of builder: Builder, _ inputs: [Tensor], _ extent: Extent3, work: WorkContext
  ) throws -> Tensor {
    let input = (inputs.first { $0.extent != Extent3(1) } ?? inputs[0]).extent
    let variant = builder.variant(for: input, slabDepth: input.d)
    let operations = try builder.operations(variant, work: work)
    #expect(operations.count == 1)
    return try operations[0].producing(extent)(inputs, work: work)
  }
}

/// Layers from an activation of three channels to another one of them, and the layers after it that become one step with
/// the last of these.
private struct FusedInferenceCase: CustomTestStringConvertible, Sendable {
  let testDescription: String
  /// The last one is `last`; the first one reads `stem`.
  let layers: [Layer]
  /// Whether functions of every kind are fused, or only those that are a leaky ReLU with one slope.
  var fusesAll = true

  static let all: [FusedInferenceCase] = [
    .init(
      testDescription: "convolution",
      layers: [Layer("last", from: "stem", .convolution(.same, outputChannels: 3, hasBias: true))]),
    .init(
      testDescription: "convolution of groups",
      layers: [
        Layer(
          "last", from: "stem",
          .convolution(
            ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1), groups: 3), outputChannels: 3,
            hasBias: false))
      ]),
    .init(
      testDescription: "transposed convolution",
      layers: [Layer("last", from: "stem", .transposedConvolution(.twice, outputChannels: 3, hasBias: true))]),
    .init(
      testDescription: "sum of three",
      layers: [Layer("last", from: ["stem", "stem", "image"], .add)]),
    .init(
      testDescription: "instance normalisation",
      layers: [Layer("last", from: "stem", .instanceNormalisation(epsilon: 1e-3))], fusesAll: false),
  ]

  static let functions: [any NetworkOperation] = [
    .relu, LeakyReLUOperation(slope: 0.01), ParametricReLUOperation(sharesSlope: true),
    ParametricReLUOperation(), ClipOperation(lower: -0.125, upper: 0.25),
  ]

  func graph(_ function: any NetworkOperation) -> NetworkGraph {
    var activation = Layer("activation", from: "last", .relu)
    activation.operation = function
    return NetworkGraph(
      inputChannels: 3,
      layers: [
        Layer("image", from: NetworkGraph.inputName, .convolution(.same, outputChannels: 3, hasBias: true)),
        Layer("stem", from: "image", .convolution(.same, outputChannels: 3, hasBias: true)),
      ] + layers + [activation, Layer("pool", from: "activation", .maxPooling(.half))],
      heads: [Head("main", layer: "pool", lossWeight: 1)])
  }
}

@Suite("Fused steps of inference")
struct FusedInferenceTests {
  private let work = WorkContext(threadCount: 2)

  private func image(_ channels: Int, _ extent: Extent3) -> Tensor {
    var generator = SplitMix64(seed: 5)
    return Tensor(
      shape: [1, channels, extent.d, extent.h, extent.w],
      elements: generator.floats(channels * extent.product))
  }

  /// The steps' layers, having compared the logits with those of single layers, whole and in slabs.
  private func steps(_ graph: NetworkGraph, _ extent: Extent3) throws -> [[String]] {
    let resolved = try graph.resolved()
    let parameters = Parameters(initialising: resolved, seed: 6)
    let network = try Network(graph: graph, parameters: parameters)
    let image = image(graph.inputChannels, extent)
    let expected = try resolved.outputsOfSingleLayers(image, parameters, work: work)[resolved.headNodes[0]]
    let plan = try network.plan(for: extent, work: work)
    for depth in [extent.d, 3] {
      let plan = try network.plan(for: extent, slabDepth: depth, work: work)
      let found = try network.logits(of: image, plan: plan, work: work)[0]
      #expect(relativeError(found.elements, expected.elements) <= 1e-5, "slabs of \(depth)")
    }
    return plan.kernels.map(\.layers)
  }

  @Test("apply piecewise linear functions as results are stored", arguments: FusedInferenceCase.all.indices)
  func activations(index: Int) throws {
    let row = FusedInferenceCase.all[index]
    for function in FusedInferenceCase.functions {
      let steps = try steps(row.graph(function), Extent3(8, 6, 10))
      let isFused =
        row.fusesAll || function is ReLUOperation || function is LeakyReLUOperation
        || (function as? ParametricReLUOperation)?.sharesSlope == true
      let fused = steps.contains { $0.starts(with: ["last", "activation"]) }
      #expect(fused == isFused, "\(row.testDescription), \(function)")
    }
  }

  /// A block whose sum has a convolution before it, on one path or on both.
  private func block(_ layers: [Layer]) -> NetworkGraph {
    NetworkGraph(
      inputChannels: 2,
      layers: [
        Layer("stem", from: NetworkGraph.inputName, .convolution(.same, outputChannels: 3, hasBias: true))
      ]
        + layers + [Layer("score", from: "end", .convolution(.same, outputChannels: 2, hasBias: true))],
      heads: [Head("main", layer: "score", lossWeight: 1)])
  }

  private func convolution(_ name: String, from input: String, stride: Int = 1) -> Layer {
    Layer(
      name, from: input,
      .convolution(
        ConvolutionGeometry(kernel: Extent3(3), stride: Extent3(stride), padding: Extent3(1)),
        outputChannels: 3, hasBias: true))
  }

  @Test("add convolutions to what lies in the output's memory")
  func sums() throws {
    let extent = Extent3(8, 6, 10)
    let residual = block([
      convolution("conv1", from: "stem"), convolution("conv2", from: "conv1"),
      Layer("norm", from: "conv2", .batchNormalisation(epsilon: 1e-3)),
      Layer("sum", from: ["norm", "stem"], .add),
      Layer("end", from: "sum", .relu),
    ])
    #expect(
      try steps(residual, extent) == [["stem"], ["conv1"], ["conv2", "norm", "sum", "end"], ["score"]])
    // The shortcut, which comes last, is added to the main path.
    let strided = block([
      convolution("main", from: "stem", stride: 2), convolution("shortcut", from: "stem", stride: 2),
      Layer("end", from: ["main", "shortcut"], .add),
    ])
    #expect(try steps(strided, extent) == [["stem"], ["main"], ["shortcut", "end"], ["score"]])
    // What is added is the convolution's input, too.
    let own = block([convolution("conv", from: "stem"), Layer("end", from: ["stem", "conv"], .add)])
    #expect(try steps(own, extent) == [["stem"], ["conv", "end"], ["score"]])
    let pooled = block([
      convolution("conv", from: "stem"), Layer("sum", from: ["stem", "conv"], .add),
      Layer("end", from: "sum", .maxPooling(.half)),
    ])
    #expect(try steps(pooled, extent) == [["stem"], ["conv", "sum"], ["end"], ["score"]])
  }

  @Test(
    "leave sums of other shapes, of three, and after an activation or another reader to a step of their own")
  func otherSums() throws {
    let extent = Extent3(8, 6, 10)
    let gate = block([
      Layer("mean", from: "stem", .globalPooling(.average)), convolution("conv", from: "stem"),
      Layer("end", from: ["conv", "mean"], .add),
    ])
    #expect(try steps(gate, extent) == [["stem"], ["mean"], ["conv"], ["end"], ["score"]])
    let three = block([
      convolution("one", from: "stem"), convolution("two", from: "stem"),
      Layer("end", from: ["one", "two", "stem"], .add),
    ])
    #expect(try steps(three, extent) == [["stem"], ["one"], ["two"], ["end"], ["score"]])
    let activated = block([
      convolution("conv", from: "stem"), Layer("relu", from: "conv", .relu),
      Layer("end", from: ["relu", "stem"], .add),
    ])
    #expect(try steps(activated, extent) == [["stem"], ["conv", "relu"], ["end"], ["score"]])
    let twice = block([convolution("conv", from: "stem"), Layer("end", from: ["conv", "conv"], .add)])
    #expect(try steps(twice, extent) == [["stem"], ["conv"], ["end"], ["score"]])
  }

  @Test("give a sum the memory of what is added after its last other reader, where all planes run at once")
  func memory() throws {
    let graph = NetworkGraph.residual
    let network = try Network(
      graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 8))
    let extent = Extent3(8, 10, 12)
    let whole = try network.plan(for: extent, work: work)
    #expect(whole.kernels[2].operation.kernelName.hasSuffix(", added"))
    // The stem, which conv1 has read, then the sum.
    #expect(whole.kernels[2].sources == [1, 0])
    #expect(whole.floats(ofActivation: 3) == whole.floats(ofActivation: 1))
    let slabs = try network.plan(for: extent, slabDepth: 4, work: work)
    #expect(slabs.floats(ofActivation: 3) != slabs.floats(ofActivation: 1))
  }

  @Test("give random networks the logits of their layers one by one", arguments: 21...24)
  func randomNetworks(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<30 {
      let random = RandomGraph(seed: generator.next())
      let resolved = try random.graph.resolved()
      let parameters = Parameters(initialising: resolved, seed: 8)
      let network = try Network(graph: random.graph, parameters: parameters)
      let image = image(random.graph.inputChannels, random.extent)
      let heads = Array(random.graph.heads.indices)
      let found = try network.logits(of: image, heads: heads, work: work)
      let outputs = try resolved.outputsOfSingleLayers(image, parameters, work: work)
      for (head, logits) in zip(resolved.headNodes, found) where logits != outputs[head] {
        let graph = Comment(rawValue: random.graph.json)
        #expect(relativeError(logits.elements, outputs[head].elements) <= 1e-4, graph)
      }
    }
  }
}
