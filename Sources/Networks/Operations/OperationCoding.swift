import Tensors

/// A layer's kernel in JSON, [z, y, x] or one number for all three; a layer whose kernel is [y, x] works in planes, and
/// its other extents may be [y, x], too.
struct CodedGrid: Decodable {
  let kernel: Extent3
  /// Whether the layer works in planes.
  let isPlanar: Bool

  private enum CodingKeys: String, CodingKey { case kernel }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let numbers = try values.numbers(.kernel)
    guard [1, 2, 3].contains(numbers.count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .kernel, in: values,
        debugDescription: "found \(numbers.count) numbers, expected 3 (z, y, x) or 2 (y, x)")
    }
    isPlanar = numbers.count == 2
    kernel = isPlanar ? Extent3(1, numbers[0], numbers[1]) : Extent3(numbers)
  }

  /// The same number along every axis; along depth `depth` in planes.
  func extent(_ number: Int, depth: Int) -> Extent3 { Extent3(isPlanar ? depth : number, number, number) }
}

extension Extent3 {
  /// Three numbers, or one for all axes.
  fileprivate init(_ numbers: [Int]) {
    self = numbers.count == 1 ? Extent3(numbers[0]) : Extent3(numbers[0], numbers[1], numbers[2])
  }
}

extension KeyedDecodingContainer {
  /// The numbers of the field `key`, a list or one number.
  fileprivate func numbers(_ key: Key) throws -> [Int] {
    if let number = try? decode(Int.self, forKey: key) { return [number] }
    return try decode([Int].self, forKey: key)
  }

  /// The extents of the field `key` of a layer; `absent` if the field is missing, and `depth` along depth in planes.
  func extent(_ key: Key, absent: Extent3, in grid: CodedGrid, depth: Int) throws -> Extent3 {
    guard contains(key) else { return absent }
    let numbers = try numbers(key)
    if numbers.count == 1 { return grid.extent(numbers[0], depth: depth) }
    if numbers.count == 3 { return Extent3(numbers) }
    guard numbers.count == 2, grid.isPlanar else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self,
        debugDescription: "found \(numbers.count) numbers, expected "
          + (grid.isPlanar ? "2 (y, x), as the kernel has" : "3 (z, y, x)"))
    }
    return Extent3(depth, numbers[0], numbers[1])
  }

  /// The Boolean of the field `key`; `absent` if the field is missing.
  func flag(_ key: Key, absent: Bool) throws -> Bool {
    try decodeIfPresent(Bool.self, forKey: key) ?? absent
  }
}

extension KeyedEncodingContainer {
  /// Writes extents as [z, y, x].
  mutating func encode(_ extent: Extent3, forKey key: Key) throws {
    try encode([extent.d, extent.h, extent.w], forKey: key)
  }
}

/// Padding in JSON: extents for both sides, the numbers before all axes followed by those after them, or the name of a
/// rule.
struct CodedPadding: Hashable {
  /// The padding where there is no rule.
  var numbers: Padding
  /// The rule that gives the padding; nil where the numbers are stated.
  var rule: SamePadding?
}

extension SamePadding {
  /// The rule's name in JSON.
  var name: String {
    switch self {
    case .upper: "sameUpper"
    case .lower: "sameLower"
    }
  }
}

extension KeyedDecodingContainer {
  /// The padding of the field `key` of a layer; none if the field is missing.
  func padding(_ key: Key, in grid: CodedGrid) throws -> CodedPadding {
    guard contains(key) else { return CodedPadding(numbers: .none) }
    if let name = try? decode(String.self, forKey: key) {
      guard let rule = SamePadding.allCases.first(where: { $0.name == name }) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: self,
          debugDescription: "found \"\(name)\", expected numbers or one of "
            + SamePadding.allCases.map(\.name).joined(separator: ", "))
      }
      return CodedPadding(numbers: .none, rule: rule)
    }
    let numbers = try numbers(key)
    switch numbers.count {
    case 6:
      return CodedPadding(
        numbers: Padding(before: Extent3(Array(numbers[..<3])), after: Extent3(Array(numbers[3...]))))
    case 4 where grid.isPlanar:
      return CodedPadding(
        numbers: Padding(
          before: Extent3(0, numbers[0], numbers[1]), after: Extent3(0, numbers[2], numbers[3])))
    default:
      return CodedPadding(
        numbers: Padding(try extent(key, absent: Extent3(0), in: grid, depth: 0)))
    }
  }
}

extension KeyedEncodingContainer {
  /// Writes padding as [z, y, x] where it is the same on both sides.
  mutating func encode(_ padding: CodedPadding, forKey key: Key) throws {
    if let rule = padding.rule {
      try encode(rule.name, forKey: key)
    } else if padding.numbers.before == padding.numbers.after {
      try encode(padding.numbers.before, forKey: key)
    } else {
      let (before, after) = (padding.numbers.before, padding.numbers.after)
      try encode([before.d, before.h, before.w, after.d, after.h, after.w], forKey: key)
    }
  }
}
