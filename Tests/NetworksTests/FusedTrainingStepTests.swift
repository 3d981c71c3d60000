import Networks
import Tensors
import TestSupport
import Testing
import Work

/// A network of blocks that training runs as steps of several layers.
struct FusedCase: Sendable, CustomTestStringConvertible {
  let name: String
  let layers: [Layer]
  let heads: [Head]

  var testDescription: String { name }

  var graph: NetworkGraph { NetworkGraph(inputChannels: 1, layers: layers, heads: heads) }
}

private let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
private let large = ConvolutionGeometry(kernel: Extent3(5), padding: Extent3(2))
private let shrinking = ConvolutionGeometry(kernel: Extent3(2))
private let pointwise = ConvolutionGeometry(kernel: Extent3(1))
private let half = PoolingGeometry(kernel: Extent3(2), stride: Extent3(2))
private let twice = TransposedConvolutionGeometry(kernel: Extent3(4), padding: Extent3(1))

/// Every chain of layers that is fused into one step, and readers that prevent it.
private let fusedCases: [FusedCase] = [
  FusedCase(
    name: "transposed convolution and pointwise convolution",
    layers: [
      Layer("a", from: NetworkGraph.inputName, .convolution(same, outputChannels: 6, hasBias: true)),
      Layer("pool", from: "a", .maxPooling(half)),
      Layer("up", from: "pool", .transposedConvolution(twice, outputChannels: 5, hasBias: true)),
      Layer("score", from: "up", .convolution(pointwise, outputChannels: 2, hasBias: true)),
    ], heads: [Head("main", layer: "score", lossWeight: 1)]),
  FusedCase(
    name: "convolutions with ReLUs and poolings, of odd extents, and one whose results a head reads",
    layers: [
      Layer("a", from: NetworkGraph.inputName, .convolution(large, outputChannels: 4, hasBias: true)),
      Layer("relu", from: "a", .relu),
      Layer("b", from: "relu", .convolution(shrinking, outputChannels: 5, hasBias: true)),
      Layer("relu2", from: "b", .relu),
      Layer("pool", from: "relu2", .maxPooling(half)),
      Layer("c", from: "pool", .convolution(same, outputChannels: 3, hasBias: false)),
      Layer("relu3", from: "c", .relu),
      Layer(
        "up", from: "relu3",
        .transposedConvolution(
          TransposedConvolutionGeometry(kernel: Extent3(4)), outputChannels: 4, hasBias: true)),
      Layer("d", from: "up", .convolution(same, outputChannels: 2, hasBias: true)),
      Layer("relu4", from: "d", .relu),
      Layer("e", from: "relu4", .convolution(pointwise, outputChannels: 2, hasBias: true)),
      Layer("relu5", from: "e", .relu),
    ],
    heads: [Head("side", layer: "d", lossWeight: 0.5), Head("main", layer: "relu5", lossWeight: 1)]),
  FusedCase(
    name: "batch normalisation, ReLU and pooling",
    layers: [
      Layer("a", from: NetworkGraph.inputName, .convolution(same, outputChannels: 6, hasBias: false)),
      Layer("bn", from: "a", .batchNormalisation(epsilon: 1e-3)),
      Layer("relu", from: "bn", .relu),
      Layer("pool", from: "relu", .maxPooling(half)),
      Layer("b", from: "pool", .convolution(same, outputChannels: 4, hasBias: false)),
      Layer("bn2", from: "b", .batchNormalisation(epsilon: 1e-3)),
      Layer("relu2", from: "bn2", .relu),
      Layer("up", from: "relu2", .transposedConvolution(twice, outputChannels: 2, hasBias: true)),
      Layer("side", from: "relu2", .transposedConvolution(twice, outputChannels: 2, hasBias: true)),
    ],
    heads: [Head("main", layer: "up", lossWeight: 1), Head("side", layer: "side", lossWeight: 0.5)]),
  FusedCase(
    name: "ReLU and pooling, windows that overlap and end beyond the image",
    layers: [
      Layer("a", from: NetworkGraph.inputName, .convolution(same, outputChannels: 3, hasBias: true)),
      Layer("relu", from: "a", .relu),
      Layer(
        "pool", from: "relu",
        .maxPooling(PoolingGeometry(kernel: Extent3(3), stride: Extent3(2), roundsUp: true))),
      Layer("bn", from: "pool", .batchNormalisation(epsilon: 1e-3)),
      Layer("relu2", from: "bn", .relu),
      Layer(
        "pool2", from: "relu2",
        .maxPooling(PoolingGeometry(kernel: Extent3(2, 3, 2), stride: Extent3(1), roundsUp: false))),
      Layer(
        "up", from: "pool2",
        .transposedConvolution(
          TransposedConvolutionGeometry(
            kernel: Extent3(4, 6, 4), padding: Extent3(0), outputPadding: Extent3(0)), outputChannels: 2,
          hasBias: true)),
    ], heads: [Head("main", layer: "up", lossWeight: 1)]),
  FusedCase(
    name: "pointwise convolutions that read one transposed convolution, and one without biases",
    layers: [
      Layer("pool", from: NetworkGraph.inputName, .maxPooling(half)),
      Layer("up", from: "pool", .transposedConvolution(twice, outputChannels: 5, hasBias: true)),
      Layer("score", from: "up", .convolution(pointwise, outputChannels: 2, hasBias: true)),
      Layer("side", from: "up", .convolution(pointwise, outputChannels: 2, hasBias: false)),
      Layer("other", from: "pool", .transposedConvolution(twice, outputChannels: 3, hasBias: false)),
      Layer("last", from: "other", .convolution(pointwise, outputChannels: 2, hasBias: false)),
    ],
    heads: [
      Head("main", layer: "score", lossWeight: 1), Head("side", layer: "side", lossWeight: 0.5),
      Head("last", layer: "last", lossWeight: 2),
    ]),
  FusedCase(
    name: "layers before and after a sum", layers: NetworkGraph.residual.layers,
    heads: NetworkGraph.residual.heads),
  FusedCase(
    name: "a transposed convolution and a ReLU that a concatenation reads", layers: NetworkGraph.unet.layers,
    heads: NetworkGraph.unet.heads),
]

@Suite("Fused training steps")
struct FusedTrainingStepTests {
  @Test("have the loss, the statistics and the gradients of unfused layers", arguments: fusedCases)
  func gradients(row: FusedCase) throws {
    let graph = try row.graph.resolved()
    let parameters = Parameters(initialising: graph, seed: 5).shaken
    let batch = TrainingBatch.balls(count: 2, extent: Extent3(8, 10, 12), seed: 3)
    let configuration = LossConfiguration(headWeights: row.heads.map(\.lossWeight))
    func run(fuses: Bool, threads: Int) throws -> LossGradients {
      try graph.lossGradients(
        batch, parameters: parameters, configuration: configuration, fuses: fuses,
        work: WorkContext(threadCount: threads))
    }
    let (fused, single) = (try run(fuses: true, threads: 2), try run(fuses: false, threads: 2))
    #expect(abs(fused.loss / single.loss - 1) < 1e-6)
    #expect(fused.gradients.keys.sorted() == single.gradients.keys.sorted())
    for (name, gradient) in single.gradients {
      let found = try #require(fused.gradients[name])
      #expect(found.shape == gradient.shape)
      #expect(relativeError(found.elements, gradient.elements) <= 1e-5, "\(name)")
    }
    #expect(fused.statistics == single.statistics)
    let other = try run(fuses: true, threads: 3)
    #expect(other.gradients == fused.gradients && other.loss == fused.loss)
  }
}

extension Parameters {
  /// The same with other offsets and factors than zeros and ones, of both signs.
  fileprivate var shaken: Parameters {
    var shaken = self
    var generator = SplitMix64(seed: 12)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) where tensor.shape.count == 1 {
      if !name.contains("running") {
        shaken[name] = Tensor(shape: tensor.shape, elements: generator.floats(tensor.elements.count))
      }
    }
    return shaken
  }
}
