import Networks
import Tensors
import Work

/// A random network of every kind of operation, in which any layer may feed several others and layers of equal extents
/// and scales may be joined.
struct RandomGraph {
  private(set) var graph: NetworkGraph
  /// The image's extents, which no layer finds too small.
  let extent: Extent3
  private var layers: [(name: String, channels: Int, extent: Extent3)]
  private var generator: SplitMix64

  /// At least one layer, and a head after each leaf that is drawn.
  init(seed: UInt64) {
    generator = SplitMix64(seed: seed)
    let channels = 1 + generator.index(below: 2)
    extent = Extent3(
      3 + generator.index(below: 18), 2 + generator.index(below: 9), 2 + generator.index(below: 9))
    graph = NetworkGraph(inputChannels: channels, layers: [], heads: [])
    layers = [(NetworkGraph.inputName, channels, extent)]
    for _ in 0...generator.index(below: 12) { addLayer() }
    for _ in 0...generator.index(below: 3) { addHead() }
  }

  /// A number of `range`.
  private mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + generator.index(below: range.count)
  }

  private mutating func extent(_ range: ClosedRange<Int>) -> Extent3 {
    Extent3(number(range), number(range), number(range))
  }

  /// Half of all layers follow the last one, the others any.
  private mutating func source() -> (name: String, channels: Int, extent: Extent3) {
    generator.index(below: 2) == 0 ? layers[layers.count - 1] : layers[generator.index(below: layers.count)]
  }

  private mutating func operation() -> any NetworkOperation {
    switch generator.index(below: 8) {
    case 0, 1:
      let groups = number(1...2)
      let geometry = ConvolutionGeometry(
        kernel: extent(1...3), stride: extent(1...2),
        padding: Padding(before: extent(0...1), after: extent(0...1)), dilation: extent(1...2), groups: groups
      )
      let rule = [nil, nil, SamePadding.upper, .lower][number(0...3)]
      return .convolution(geometry, samePadding: rule, outputChannels: groups * number(1...2), hasBias: true)
    case 2:
      let groups = number(1...2)
      let geometry = TransposedConvolutionGeometry(
        kernel: extent(2...4), stride: extent(1...3),
        padding: Padding(before: extent(0...1), after: extent(0...1)), dilation: extent(1...2), groups: groups
      )
      return .transposedConvolution(geometry, outputChannels: groups * number(1...2), hasBias: true)
    case 3:
      let kernel = extent(1...3)
      let padding = Extent3(
        number(0...min(1, kernel.d - 1)), number(0...min(1, kernel.h - 1)), number(0...min(1, kernel.w - 1)))
      let geometry = PoolingGeometry(
        kernel: kernel, stride: extent(1...2), padding: Padding(padding),
        roundsUp: generator.index(below: 2) == 0)
      return generator.index(below: 2) == 0
        ? .maxPooling(geometry) : AveragePoolingOperation(geometry, countsPadding: number(0...1) == 0)
    case 4: return .batchNormalisation(epsilon: 1e-3)
    // Every operation that there is, with the numbers of its tests.
    case 5: return operationCases[generator.index(below: operationCases.count)].operation
    default: return .relu
    }
  }

  /// Adds a layer unless its inputs do not fit what was drawn, or its output would be large.
  private mutating func addLayer() {
    let operation = generator.index(below: 3) == 0 ? join() : operation()
    let count = number(operation.inputCounts.clamped(to: 1...3))
    var sources = [source()]
    while sources.count < count {
      // Of the same extents, at least, or gates; the image among them.
      let partners = layers.filter {
        $0.extent == sources[0].extent || $0.extent == Extent3(1)
          || operation.inputGrids == .secondIsOutput
      }
      sources.append(partners[generator.index(below: partners.count)])
    }
    var layer = Layer("layer\(layers.count)", from: sources.map(\.name), .relu)
    layer.operation = operation
    // Inputs may differ in channels or in scale.
    let channels = sources.map(\.channels)
    guard operation.problem(inputChannels: channels) == nil, let output = outputExtent(of: layer),
      output.product <= 20_000
    else { return }
    graph.layers.append(layer)
    layers.append((layer.name, operation.outputChannels(channels), output))
  }

  /// The extents of the layer's output, if the graph with it and a head's convolution after it is one that takes the
  /// image.
  private func outputExtent(of layer: Layer) -> Extent3? {
    var larger = graph
    larger.layers += [layer, Self.logits("logits", from: layer.name)]
    larger.heads = [Head("main", layer: "logits", lossWeight: 1)]
    guard let resolved = try? larger.resolved() else { return nil }
    return try? resolved.outputExtents(input: extent, subject: "image")[resolved.headNodes[0]]
  }

  private static func logits(_ name: String, from input: String) -> Layer {
    Layer(
      name, from: input,
      .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 2, hasBias: true))
  }

  private mutating func join() -> any NetworkOperation {
    switch generator.index(below: 4) {
    case 0, 1: .add
    case 2: .multiply
    default: .concatenate
    }
  }

  /// Adds logits of two classes to any layer.
  private mutating func addHead() {
    let source = source()
    let name = "head\(graph.heads.count)"
    graph.layers.append(Self.logits(name, from: source.name))
    layers.append((name, 2, source.extent))
    graph.heads.append(Head(name, layer: name, lossWeight: 1))
  }
}
