import Networks
import Tensors
import Work

/// The network of an ONNX file, as layers of segdeck with their weights.
///
/// The file's nodes are followed for an image of known extents, so that sizes which a graph computes are numbers. Where
/// the file leaves extents open, this is done for two images of other extents, and the layers must be the same.
package struct ImportedNetwork: Sendable {
  /// What the file does to the logits of a head.
  package enum Ending: Sendable, Equatable {
    case softmax
    case sigmoid
    /// Nothing: the head may be one of either.
    case none
  }

  package private(set) var graph: NetworkGraph
  package private(set) var parameters: Parameters
  /// For each head what the file does to its logits.
  package private(set) var endings: [Ending] = []
  /// For each head the channels of its logits.
  package private(set) var channelCounts: [Int] = []
  /// The image inputs of the file with their numbers of channels, in the order of the network's channels.
  package private(set) var inputs: [(name: String, channels: Int)] = []
  /// The extents that the file fixes, in the order of its axes; nil where one is open.
  package private(set) var fixedExtent: Extent3?
  /// Whether the file's image has two axes in space.
  package private(set) var isPlanar = false

  /// The versions of ONNX's operators that are read.
  package static let opsets = 6...28

  /// Imports the network of a file.
  /// - Parameters:
  ///   - outputs: The names of the outputs that become heads, the main one first; empty for the only one.
  ///   - path: The file's path, for errors and for weights in other files.
  /// - Throws: ``InputError``: the first node that no layer computes, with operator, version and reason; an input of
  ///   another kind than an image; outputs that are not said which; a network that depends on the image's extents.
  package init(_ model: ModelProto, outputs: [String] = [], path: String) throws(InputError) {
    guard let opset = model.opset, Self.opsets.contains(opset) else {
      throw InputError(
        path, "version of its operators (opset)", found: model.opset.map(String.init) ?? "none",
        expected: "\(Self.opsets.lowerBound) to \(Self.opsets.upperBound)")
    }
    let source = try SourceGraph(model.graph, outputs: outputs, path: path)
    let first = try Self.network(source, opset: opset, probe: Extent3(256, 512, 768), path: path)
    if source.fixedExtent == nil {
      let second = try Self.network(source, opset: opset, probe: Extent3(768, 256, 1024), path: path)
      try Self.requireEqual(first, second, path: path)
    }
    inputs = source.images.map { ($0.name, $0.channels) }
    (fixedExtent, isPlanar) = (source.fixedExtent, source.rank == 4)
    graph = first.graph
    (endings, channelCounts) = (first.endings, first.channelCounts)
    parameters = try Parameters(first.tensors, for: graph.resolved(subject: path), subject: path)
  }

  private struct Found {
    var graph: NetworkGraph
    var tensors: [String: Tensor]
    var endings: [Ending] = []
    var channelCounts: [Int] = []
  }

  private static func requireEqual(_ one: Found, _ other: Found, path: String) throws(InputError) {
    for (first, second) in zip(one.graph.layers, other.graph.layers) where first != second {
      throw InputError(path, "layer \(first.name): what it computes depends on the extents of the image")
    }
    let changed = one.tensors.first { other.tensors[$0.key] != $0.value }
    guard one.graph == other.graph, changed == nil else {
      throw InputError(
        path, "\(changed.map { "tensor \($0.key)" } ?? "its network") depends on the extents of the image")
    }
  }

  private static func network(
    _ source: SourceGraph, opset: Int, probe: Extent3, path: String
  ) throws(InputError) -> Found {
    let storedCount = source.constants.reduce(0) { $0 + $1.elementCount }
    var graph = GraphImport(path: path, opset: opset, storedCount: storedCount)
    for constant in source.constants { graph.define(constant.name, .constant(constant)) }
    try source.defineImages(in: &graph, probe: probe)
    for node in source.nodes { try graph.perform(node) }
    var (heads, endings, channelCounts): ([Head], [Ending], [Int]) = ([], [], [])
    for (index, output) in source.outputs.enumerated() {
      let end = OperatorCall(
        node: NodeProto("output", name: output, [], [output]), opset: opset, inputs: [graph.values[output]],
        path: path)
      var ending = Ending.none
      var signal: Signal
      switch graph.values[output] {
      case .classes(let found): (signal, ending) = (found, .softmax)
      default:
        signal = try end.signal(0)
        if case .call(.sigmoid, let inner) = signal.function { (signal.function, ending) = (inner, .sigmoid) }
      }
      guard !signal.isExpanded else { throw end.failure("has repeated elements") }
      heads.append(
        Head(
          index == 0 ? "main" : output, layer: try graph.source(signal, end),
          activation: ending == .sigmoid || ending == .none && signal.channels == 1 ? .sigmoid : .softmax,
          lossWeight: index == 0 ? 1 : 0))
      endings.append(ending)
      channelCounts.append(signal.channels)
    }
    guard !heads.contains(where: { $0.layer == NetworkGraph.inputName }) else {
      throw InputError(path, "its output is its input", expected: "a network")
    }
    let folded = FoldedNetwork(
      layers: graph.layers, tensors: graph.tensors, affines: graph.affines, heads: Set(heads.map(\.layer)))
    for index in heads.indices { heads[index].layer = folded.current(heads[index].layer) }
    let layers = needed(folded.layers, by: heads)
    return Found(
      graph: NetworkGraph(
        inputChannels: source.images.reduce(0) { $0 + $1.channels }, layers: layers, heads: heads),
      tensors: folded.tensors, endings: endings, channelCounts: channelCounts)
  }

  /// The layers on which the heads depend.
  private static func needed(_ layers: [Layer], by heads: [Head]) -> [Layer] {
    var needed = Set(heads.map(\.layer))
    for layer in layers.reversed() where needed.contains(layer.name) { needed.formUnion(layer.inputs) }
    return layers.filter { needed.contains($0.name) }
  }
}

extension ImportedNetwork {
  /// Sets the activations of the heads by the number of labels: one channel more is a softmax, equally many channels are
  /// a sigmoid.
  /// - Parameter stated: The activation that is known otherwise; nil where only the number tells.
  /// - Throws: ``InputError`` where the number fits neither, or the file's end or what is stated is the other one.
  package mutating func setActivations(
    labelCount: Int, stated: HeadActivation? = nil, path: String
  ) throws(InputError) {
    for (index, channels) in channelCounts.enumerated() {
      guard index == 0 || channels == labelCount + 1 || channels == labelCount else { continue }
      var possible: [HeadActivation] =
        switch endings[index] {
        case .softmax: [.softmax]
        case .sigmoid: [.sigmoid]
        case .none: channels > 1 ? [.softmax, .sigmoid] : [.sigmoid]
        }
      if let stated { possible.removeAll { $0 != stated } }
      let fitting = possible.first { $0.labelCount(ofChannels: channels) == labelCount }
      guard let fitting else {
        let expected = possible.map { activation in
          let count = activation.labelCount(ofChannels: channels)
          return activation == .softmax ? "\(count) with a background" : "\(count) regions without one"
        }
        throw InputError(
          path, "labels of its \(counted(channels, "channel"))", found: "\(labelCount)",
          expected: expected.isEmpty ? "a network that ends otherwise" : expected.joined(separator: ", or "))
      }
      graph.heads[index].activation = fitting
    }
  }
}

extension HeadActivation {
  /// The labels that a head of so many channels has.
  fileprivate func labelCount(ofChannels channels: Int) -> Int { self == .softmax ? channels - 1 : channels }
}
