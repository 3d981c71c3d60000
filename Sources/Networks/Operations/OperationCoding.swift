import Tensors

/// Extents in JSON: [z, y, x], or one number for all three.
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

extension KeyedDecodingContainer {
  /// The extents of the field `key`; `absent`, where given, if the field is missing.
  func extent(_ key: Key, absent: Extent3? = nil) throws -> Extent3 {
    if let absent, !contains(key) { return absent }
    return try decode(CodedExtent.self, forKey: key).extent
  }

  /// The Boolean of the field `key`; `absent` if the field is missing.
  func flag(_ key: Key, absent: Bool) throws -> Bool {
    try decodeIfPresent(Bool.self, forKey: key) ?? absent
  }
}

extension KeyedEncodingContainer {
  /// Writes extents as [z, y, x].
  mutating func encode(_ extent: Extent3, forKey key: Key) throws {
    try encode(CodedExtent(extent: extent), forKey: key)
  }
}
