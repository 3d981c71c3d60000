/// The order in which people list names: "case2" before "case10", regardless of letter case.
///
/// Equal digits with more leading zeros, and letter case, decide only where nothing else does, so that the order is
/// the same whatever order the names came in.
package struct NaturalOrder: Comparable, Hashable, Sendable {
  /// Bytes whose lexicographic order is the natural one; a number is its length and its digits.
  private let key: [UInt8]
  private let text: String

  /// The sort key of a text.
  package init(_ text: String) {
    self.text = text
    var key: [UInt8] = []
    let bytes = Array(text.lowercased().utf8)
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      guard NaturalOrder.isDigit(byte) else {
        // The content of a folder directly follows the folder.
        key.append(byte == UInt8(ascii: "/") ? 1 : byte)
        position += 1
        continue
      }
      var end = position
      while end < bytes.count, NaturalOrder.isDigit(bytes[end]) { end += 1 }
      let digits = bytes[position..<end].drop { $0 == UInt8(ascii: "0") }
      key.append(UInt8(ascii: "0"))
      key.append(UInt8(min(digits.count, 255)))
      key += digits
      position = end
    }
    self.key = key
  }

  /// Whether the first sorts before the second.
  package static func < (one: NaturalOrder, other: NaturalOrder) -> Bool {
    one.key == other.key ? one.text < other.text : one.key.lexicographicallyPrecedes(other.key)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

extension Sequence {
  /// The elements sorted by a text of each in natural order; the sort is stable.
  /// - Complexity: O(n log n), with one key for each element.
  package func naturallySorted(by text: (Element) -> String) -> [Element] {
    map { (NaturalOrder(text($0)), $0) }.enumerated()
      .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
  }
}
