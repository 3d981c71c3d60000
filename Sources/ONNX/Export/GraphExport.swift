import Foundation
import Networks
import Tensors
import Work

/// The nodes and constants of a network as ONNX.
///
/// A layer's output is a value of the layer's name, and its tensors are initializers of their own names. A layer that no
/// single operator computes is several nodes, of which the last one has its name.
struct GraphExport {
  /// The version of ONNX's operators that is written: the newest one that all current programs read.
  static let opset = 17

  private(set) var graph = GraphProto()
  private let parameters: Parameters
  private var parts: Set<String> = []

  /// The graph of a network.
  /// - Throws: ``InputError`` about `subject` for a layer that opset 17 has no operators for.
  init(_ network: ResolvedGraph, parameters: Parameters, subject: String) throws(InputError) {
    self.parameters = parameters
    graph.name = "segdeck"
    graph.inputs = [
      ValueInfoProto(name: NetworkGraph.inputName, shape: [1, network.graph.inputChannels, nil, nil, nil])
    ]
    for node in network.nodes { try add(node, subject: subject) }
    let taken = Set(network.graph.layers.map(\.name) + [NetworkGraph.inputName])
    for (index, head) in network.graph.heads.enumerated() {
      var name = head.name
      while taken.contains(name) { name += ".output" }
      add("Identity", name, [head.layer])
      graph.outputs.append(
        ValueInfoProto(name: name, shape: [1, network.channelCount(ofHead: index), nil, nil, nil]))
    }
  }

  /// Adds a node whose output has its name.
  mutating func add(
    _ operation: String, _ name: String, _ inputs: [String],
    _ attributes: [String: AttributeProto.Value] = [:]
  ) {
    graph.nodes.append(NodeProto(operation, name: name, inputs, [name], attributes: attributes))
  }

  /// Adds a node of several for the layer `layer`; its output is named after both, with a number from the second on.
  mutating func add(
    _ operation: String, of layer: String, _ inputs: [String],
    _ attributes: [String: AttributeProto.Value] = [:]
  ) -> String {
    var (name, number) = ("\(layer)/\(operation)", 1)
    while !parts.insert(name).inserted {
      number += 1
      name = "\(layer)/\(operation)_\(number)"
    }
    add(operation, name, inputs, attributes)
    return name
  }

  /// Adds a constant of the layer `layer`.
  mutating func constant(_ part: String, of layer: String, shape: [Int], _ numbers: [Float]) -> String {
    let name = "\(layer)/\(part)"
    graph.initializers.append(TensorProto(name, shape: shape, numbers))
    return name
  }

  /// Adds a list of integers of the layer `layer`.
  mutating func constant(_ part: String, of layer: String, _ numbers: [Int]) -> String {
    let name = "\(layer)/\(part)"
    graph.initializers.append(TensorProto(name, numbers))
    return name
  }

  /// Adds a tensor of a layer, in another shape of as many elements where one is given.
  mutating func tensor(_ role: ParameterSlot.Role, of layer: String, shape: [Int]? = nil) -> String {
    let name = "\(layer).\(role.rawValue)"
    let tensor = parameters[name]
    graph.initializers.append(TensorProto(name, shape: shape ?? tensor.shape, tensor.elements))
    return name
  }
}

extension ModelProto {
  /// The texts of a segdeck model in an ONNX file: every key of its metadata after this prefix.
  private static let textPrefix = "segdeck."

  /// A model as ONNX: inputs [1, channels, z, y, x], outputs the logits of its heads, and everything else, such as
  /// preprocessing and labels, as texts.
  /// - Throws: ``InputError`` about `subject` for a graph that opset 17 cannot express.
  package init(_ model: ModelFile, subject: String) throws(InputError) {
    let resolved = try model.graph.resolved(subject: subject)
    self.init(
      opset: GraphExport.opset,
      graph: try GraphExport(resolved, parameters: model.parameters, subject: subject).graph)
    producerName = "segdeck"
    for (key, text) in model.texts { metadata[Self.textPrefix + key] = text }
  }

  /// The texts of the segdeck model that this file was exported from; nil where it was not.
  package var segdeckTexts: [String: String]? {
    let texts = metadata.filter { $0.key.hasPrefix(Self.textPrefix) }
      .map { (String($0.key.dropFirst(Self.textPrefix.count)), $0.value) }
    return texts.isEmpty ? nil : Dictionary(texts) { first, _ in first }
  }

  /// The segdeck model that this file is the export of; nil where it is none, or where another program has changed the
  /// graph or the weights since.
  /// - Throws: ``InputError`` about `path` for texts or tensors that are damaged.
  package func exportedModel(path: String) throws(InputError) -> ModelFile? {
    guard let texts = segdeckTexts else { return nil }
    let resolved = try ModelFile.network(ofTexts: texts, subject: path)
    let stored = Dictionary(graph.initializers.map { ($0.name, $0) }) { first, _ in first }
    var tensors: [String: Tensor] = [:]
    for slot in resolved.parameterSlots {
      guard let tensor = stored[slot.name], try tensor.elementCount(path: path) == slot.shape.reduce(1, *)
      else {
        return nil
      }
      tensors[slot.name] = Tensor(shape: slot.shape, elements: try tensor.floats(path: path))
    }
    let model = ModelFile(
      graph: resolved.graph, parameters: try Parameters(tensors, for: resolved, subject: path), texts: texts)
    return try ModelProto(model, subject: path).graph == graph ? model : nil
  }
}
