import Foundation
import Tensors
import Work

// The JSON form. Every layer is a flat object: {"name", "kind", "input", ...geometry}; extents are [z, y, x], or
// one number for all three. What is left out takes the default of its geometry, so that graphs written by hand
// stay short.

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
  /// - Throws: ``InputError`` about `subject` that says where the text departs from it.
  package init(json: String, subject: String) throws(InputError) {
    do {
      self = try JSONDecoder().decode(NetworkGraph.self, from: Data(json.utf8))
    } catch let error as DecodingError {
      throw InputError(subject, "network graph: " + error.place)
    } catch {
      throw InputError(subject, "network graph: not readable as JSON")
    }
  }

  /// The JSON form, keys sorted, so that equal graphs give equal text.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      preconditionFailure("a graph of finite numbers encodes: \(error)")
    }
  }
}

extension Head: Codable {
  private enum CodingKeys: String, CodingKey { case name, layer, lossWeight }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    layer = try values.decode(String.self, forKey: .layer)
    lossWeight = try values.decodeIfPresent(Double.self, forKey: .lossWeight) ?? 1
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(layer, forKey: .layer)
    try values.encode(lossWeight, forKey: .lossWeight)
  }
}

extension Layer: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, input, kind, outputChannels, kernel, stride, padding, dilation, outputPadding, bias, roundsUp
    case epsilon
  }

  private enum KindName: String, Codable {
    case convolution, transposedConvolution, maxPooling, batchNormalisation, rectifier
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func extent(_ key: CodingKeys, default value: Int? = nil) throws -> Extent3 {
      if let value, !values.contains(key) { return Extent3(value) }
      return try values.decode(CodedExtent.self, forKey: key).extent
    }
    name = try values.decode(String.self, forKey: .name)
    input = try values.decode(String.self, forKey: .input)
    switch try values.decode(KindName.self, forKey: .kind) {
    case .convolution:
      kind = .convolution(
        ConvolutionGeometry(
          kernel: try extent(.kernel), stride: try extent(.stride, default: 1),
          padding: try extent(.padding, default: 0), dilation: try extent(.dilation, default: 1)),
        outputChannels: try values.decode(Int.self, forKey: .outputChannels),
        hasBias: try values.decodeIfPresent(Bool.self, forKey: .bias) ?? true)
    case .transposedConvolution:
      kind = .transposedConvolution(
        TransposedConvolutionGeometry(
          kernel: try extent(.kernel), stride: try extent(.stride, default: 2),
          padding: try extent(.padding, default: 0), outputPadding: try extent(.outputPadding, default: 0)),
        outputChannels: try values.decode(Int.self, forKey: .outputChannels),
        hasBias: try values.decodeIfPresent(Bool.self, forKey: .bias) ?? true)
    case .maxPooling:
      let kernel = try extent(.kernel)
      kind = .maxPooling(
        PoolingGeometry(
          kernel: kernel, stride: values.contains(.stride) ? try extent(.stride) : kernel,
          roundsUp: try values.decodeIfPresent(Bool.self, forKey: .roundsUp) ?? false))
    case .batchNormalisation:
      kind = .batchNormalisation(epsilon: try values.decodeIfPresent(Float.self, forKey: .epsilon) ?? 1e-5)
    case .rectifier:
      kind = .rectifier
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    func write(_ extent: Extent3, _ key: CodingKeys) throws {
      try values.encode(CodedExtent(extent: extent), forKey: key)
    }
    try values.encode(name, forKey: .name)
    try values.encode(input, forKey: .input)
    switch kind {
    case .convolution(let geometry, let outputChannels, let hasBias):
      try values.encode(KindName.convolution, forKey: .kind)
      try write(geometry.kernel, .kernel)
      try write(geometry.stride, .stride)
      try write(geometry.padding, .padding)
      try write(geometry.dilation, .dilation)
      try values.encode(outputChannels, forKey: .outputChannels)
      try values.encode(hasBias, forKey: .bias)
    case .transposedConvolution(let geometry, let outputChannels, let hasBias):
      try values.encode(KindName.transposedConvolution, forKey: .kind)
      try write(geometry.kernel, .kernel)
      try write(geometry.stride, .stride)
      try write(geometry.padding, .padding)
      try write(geometry.outputPadding, .outputPadding)
      try values.encode(outputChannels, forKey: .outputChannels)
      try values.encode(hasBias, forKey: .bias)
    case .maxPooling(let geometry):
      try values.encode(KindName.maxPooling, forKey: .kind)
      try write(geometry.kernel, .kernel)
      try write(geometry.stride, .stride)
      try values.encode(geometry.roundsUp, forKey: .roundsUp)
    case .batchNormalisation(let epsilon):
      try values.encode(KindName.batchNormalisation, forKey: .kind)
      try values.encode(epsilon, forKey: .epsilon)
    case .rectifier:
      try values.encode(KindName.rectifier, forKey: .kind)
    }
  }
}

/// [z, y, x], or one number for all three.
private struct CodedExtent: Codable {
  var extent: Extent3

  init(extent: Extent3) { self.extent = extent }

  init(from decoder: any Decoder) throws {
    let single = try decoder.singleValueContainer()
    if let value = try? single.decode(Int.self) {
      extent = Extent3(value)
      return
    }
    let values = try single.decode([Int].self)
    guard values.count == 3 else {
      throw DecodingError.dataCorruptedError(
        in: single, debugDescription: "found \(values.count) numbers, expected 3 (z, y, x)")
    }
    extent = Extent3(values[0], values[1], values[2])
  }

  func encode(to encoder: any Encoder) throws {
    var single = encoder.singleValueContainer()
    try single.encode([extent.d, extent.h, extent.w])
  }
}

extension DecodingError {
  /// Where and what, in one line: "layers[3].kernel: found 2 numbers, expected 3 (z, y, x)".
  var place: String {
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
