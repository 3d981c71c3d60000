import Tensors
import Work

/// A model as it is stored: a network, its weights, and texts about it that other layers understand.
package struct ModelFile: Sendable {
  /// The versions of the format that are read; its key is `segdeck.format`.
  ///
  /// Version 2 has further kinds of intensity normalisation. A file states it only where it needs it, so that earlier
  /// releases read all others.
  package static let formatVersions = ["1", "2"]
  /// The suffix of a model's name.
  package static let suffix = ".safetensors"
  private static let formatKey = "segdeck.format"
  private static let networkKey = "network"

  package var graph: NetworkGraph
  package var parameters: Parameters
  /// Every other text: `labels`, `preprocessing`, `crf`, `training` and whatever else, passed through untouched.
  package var metadata: [String: String]
  /// The version that is written, one of ``formatVersions``.
  package var formatVersion = formatVersions[0]

  /// A model; `parameters` must fit `graph`.
  package init(graph: NetworkGraph, parameters: Parameters, metadata: [String: String] = [:]) {
    self.graph = graph
    self.parameters = parameters
    self.metadata = metadata
  }

  /// A model of texts that ``network(ofTexts:subject:)`` has read.
  package init(graph: NetworkGraph, parameters: Parameters, texts: [String: String]) {
    self.init(graph: graph, parameters: parameters, metadata: Self.further(texts))
    formatVersion = texts[Self.formatKey] ?? formatVersion
  }

  /// All its texts: ``metadata``, the version of the format and the network.
  package var texts: [String: String] {
    metadata.merging([Self.formatKey: formatVersion, Self.networkKey: graph.json]) { _, own in own }
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
    let resolved = try Self.network(ofTexts: file.metadata, subject: file.path)
    var tensors: [String: Tensor] = [:]
    for slot in resolved.parameterSlots { tensors[slot.name] = try file.tensor(slot.name, shape: slot.shape) }
    graph = resolved.graph
    parameters = try Parameters(tensors, for: resolved, subject: path)
    metadata = Self.further(file.metadata)
    formatVersion = file.metadata[Self.formatKey] ?? formatVersion
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
    let tensors = parameters.tensors.merging(further) { own, _ in own }
    try TensorFile.write(tensors, metadata: texts, format: format, to: path)
  }

  /// The network that the texts of a model describe.
  /// - Throws: ``InputError`` about `subject`: no model, another version of the format, or a graph that makes no sense.
  package static func network(
    ofTexts texts: [String: String], subject: String
  ) throws(InputError) -> ResolvedGraph {
    guard let version = texts[formatKey] else {
      throw InputError(subject, "not a segdeck model: its metadata has no \"\(formatKey)\"")
    }
    guard formatVersions.contains(version) else {
      throw InputError(
        subject, "model format", found: version, expected: formatVersions.joined(separator: " or "))
    }
    guard let json = texts[networkKey] else {
      throw InputError(subject, "its metadata has no \"\(networkKey)\"")
    }
    return try NetworkGraph(json: json, subject: subject).resolved(subject: subject)
  }

  private static func further(_ texts: [String: String]) -> [String: String] {
    texts.filter { $0.key != formatKey && $0.key != networkKey }
  }
}
