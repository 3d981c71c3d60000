import Foundation
import Work

// The JSON form. Every layer is a flat object: {"name", "kind", "input", ...geometry}. "input" is a name, or a list
// of names. Extents are [z, y, x], or one number for all three. A field that is absent takes the default of its geometry, so that graphs written by hand stay
// short. Each operation reads and writes its own fields.

extension NetworkGraph: Codable {
  private enum CodingKeys: String, CodingKey { case inputChannels, layers, heads }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    inputChannels = try values.decode(Int.self, forKey: .inputChannels)
    layers = try values.decode([Layer].self, forKey: .layers)
    heads = try values.decode([Head].self, forKey: .heads)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(inputChannels, forKey: .inputChannels)
    try values.encode(layers, forKey: .layers)
    try values.encode(heads, forKey: .heads)
  }

  /// Reads the JSON form.
  /// - Throws: ``InputError`` about `subject` that names the first wrong field and its problem.
  package init(json: String, subject: String) throws(InputError) {
    try JSONValue.requireSingleKeys(json, subject: subject)
    do {
      self = try JSONDecoder().decode(NetworkGraph.self, from: Data(json.utf8))
    } catch let error as DecodingError {
      throw InputError(subject, "network graph: " + error.fieldAndProblem)
    } catch {
      throw InputError(subject, "network graph: not readable as JSON")
    }
  }

  /// The JSON form with sorted keys: equal graphs give equal text.
  package var json: String { String(decoding: finiteJSON(self), as: UTF8.self) }
}

extension Head: Codable {
  private enum CodingKeys: String, CodingKey { case name, layer, activation, regions, lossWeight }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    layer = try values.decode(String.self, forKey: .layer)
    activation = try values.decodeIfPresent(HeadActivation.self, forKey: .activation) ?? .softmax
    regions = try values.decodeIfPresent([[Int]].self, forKey: .regions)
    lossWeight = try values.decodeIfPresent(Double.self, forKey: .lossWeight) ?? 1
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(layer, forKey: .layer)
    if activation != .softmax { try values.encode(activation, forKey: .activation) }
    try values.encodeIfPresent(regions, forKey: .regions)
    try values.encode(lossWeight, forKey: .lossWeight)
  }
}

extension Layer: Codable {
  private enum CodingKeys: String, CodingKey { case name, input, kind }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    if let input = try? values.decode(String.self, forKey: .input) {
      inputs = [input]
    } else {
      inputs = try values.decode([String].self, forKey: .input)
    }
    let kind = try values.decode(String.self, forKey: .kind)
    guard let type = NetworkOperations.named(kind) else {
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: values,
        debugDescription: "found \"\(kind)\", expected one of "
          + NetworkOperations.all.map { $0.kind }.joined(separator: ", "))
    }
    operation = try type.init(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    if inputs.count == 1 {
      try values.encode(inputs[0], forKey: .input)
    } else {
      try values.encode(inputs, forKey: .input)
    }
    try values.encode(type(of: operation).kind, forKey: .kind)
    try operation.encode(to: encoder)
  }
}

extension DecodingError {
  /// The field's path and its problem in one line: "layers[3].kernel: found 2 numbers, expected 3 (z, y, x)".
  var fieldAndProblem: String {
    func path(_ keys: [any CodingKey]) -> String {
      let text = keys.reduce(into: "") { text, key in
        if let index = key.intValue {
          text += "[\(index)]"
        } else {
          text += text.isEmpty ? key.stringValue : "." + key.stringValue
        }
      }
      return text.isEmpty ? "top level" : text
    }
    switch self {
    case .keyNotFound(let key, let context): return "\(path(context.codingPath + [key])): missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(path(context.codingPath)): wrong type"
    case .dataCorrupted(let context):
      return "\(path(context.codingPath)): \(context.debugDescription)"
    @unknown default: return "not readable"
    }
  }
}
