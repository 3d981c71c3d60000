import Tensors
import Work

/// A model as it is stored: a network, its weights, and texts about it that other layers understand.
package struct ModelFile: Sendable {
  /// The version that ``write(to:format:)`` writes under `segdeck.format`.
  package static let formatVersion = "1"
  /// The suffix of a model's name.
  package static let suffix = ".safetensors"
  private static let formatKey = "segdeck.format"
  private static let networkKey = "network"

  package var graph: NetworkGraph
  package var parameters: Parameters
  /// Every other text: `labels`, `preprocessing`, `crf`, `training` and whatever else, passed through untouched.
  package var metadata: [String: String]

  /// A model; `parameters` must fit `graph`.
  package init(graph: NetworkGraph, parameters: Parameters, metadata: [String: String] = [:]) {
    self.graph = graph
    self.parameters = parameters
    self.metadata = metadata
  }

  /// Whether the name has the suffix of a model file, regardless of letter case.
  package static func isName(_ path: String) -> Bool { FilePath.hasSuffix(suffix, path) }

  /// Reads a model.
  ///
  /// Tensors that the network does not need are ignored, so that files with counters of other frameworks load.
  /// - Throws: ``InputError``: unreadable, damaged or truncated file, no network, a graph that makes no sense, or
  ///   the first tensor that is missing or mismatched, with the shape found and the shape expected.
  package init(path: String) throws(InputError) {
    let file = try TensorFile(path: path)
    let resolved = try Self.network(of: file)
    var tensors: [String: Tensor] = [:]
    for slot in resolved.parameterSlots { tensors[slot.name] = try file.tensor(slot.name, shape: slot.shape) }
    graph = resolved.graph
    parameters = try Parameters(tensors, for: resolved, subject: path)
    metadata = Self.texts(of: file)
  }

  /// Writes the model; a file at `path` is replaced only when everything is written.
  /// - Throws: ``InputError`` when the file cannot be written, or a weight is too large for the format.
  package func write(to path: String, format: ElementFormat = .f32) throws(InputError) {
    for (name, tensor) in parameters.tensors.sorted(by: { $0.key < $1.key }) {
      if let value = tensor.elements.first(where: { !format.holds($0) }) {
        throw InputError(
          path, "tensor \(name): a weight is too large for \(format.rawValue)", found: "\(value)",
          expected: "BF16 or F32")
      }
    }
    try write(to: path, format: format, further: [:])
  }

  /// Writes the model with `further` tensors that are not the network's.
  func write(
    to path: String, format: ElementFormat = .f32, further: [String: Tensor]
  ) throws(InputError) {
    var texts = metadata
    texts[Self.formatKey] = Self.formatVersion
    texts[Self.networkKey] = graph.json
    let tensors = parameters.tensors.merging(further) { own, _ in own }
    try TensorFile.write(tensors, metadata: texts, format: format, to: path)
  }

  private static func network(of file: TensorFile) throws(InputError) -> ResolvedGraph {
    guard let version = file.metadata[formatKey] else {
      throw InputError(file.path, "not a segdeck model: its metadata has no \"\(formatKey)\"")
    }
    guard version == formatVersion else {
      throw InputError(file.path, "model format", found: version, expected: formatVersion)
    }
    guard let json = file.metadata[networkKey] else {
      throw InputError(file.path, "its metadata has no \"\(networkKey)\"")
    }
    return try NetworkGraph(json: json, subject: file.path).resolved(subject: file.path)
  }

  private static func texts(of file: TensorFile) -> [String: String] {
    file.metadata.filter { $0.key != formatKey && $0.key != networkKey }
  }
}
