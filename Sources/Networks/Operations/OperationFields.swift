import Tensors

/// Bounds on what a graph may say, far above any network, so that no arithmetic on them overflows.
enum GraphLimit {
  static let layers = 4096
  static let channels = 65_536
  static let extent = 64
  static let parameters = 1 << 30

  /// What is wrong with a layer's extents called `name`, or nil.
  static func problem(_ extent: Extent3, _ name: String, from least: Int) -> String? {
    for value in [extent.d, extent.h, extent.w] where !(least...GraphLimit.extent).contains(value) {
      return "\(name): found \(value), expected \(least) to \(GraphLimit.extent)"
    }
    return nil
  }

  /// What is wrong with a number of output channels, or nil.
  static func problem(outputChannels channels: Int) -> String? {
    (1...GraphLimit.channels).contains(channels)
      ? nil : "output channels: found \(channels), expected 1 to \(GraphLimit.channels)"
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

extension KeyedDecodingContainer {
  /// The extents of a field, or `absent` where it is left out and may be.
  func extent(_ key: Key, absent: Extent3? = nil) throws -> Extent3 {
    if let absent, !contains(key) { return absent }
    return try decode(CodedExtent.self, forKey: key).extent
  }

  /// The truth of a field, or `absent` where it is left out.
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
