import Screen

/// The keys in the bytes of a terminal whose modes are plain: UTF-8, and the escape sequences of common keys.
///
/// Other sequences, a terminal's answers among them, are no keys.
package struct KeyDecoder: Sendable {
  private static let escape: UInt8 = 27
  /// The beginning of a character or a sequence.
  private var pending: [UInt8] = []

  /// No bytes yet.
  package init() {}

  /// Whether what came last may be the beginning of a sequence or of a character.
  package var isWaiting: Bool { !pending.isEmpty }
  /// Whether Escape came last, which is a key where nothing follows it.
  package var isWaitingAfterEscape: Bool { pending == [Self.escape] }

  /// The keys that are complete with more bytes.
  package mutating func take(_ bytes: some Sequence<UInt8>) -> [Key] {
    pending += bytes
    var keys: [Key] = []
    while let (key, count) = next() {
      pending.removeFirst(count)
      if let key { keys.append(key) }
    }
    return keys
  }

  /// The keys in what came so far, once nothing follows: Escape alone is the key.
  package mutating func finish() -> [Key] {
    defer { pending = [] }
    return pending == [Self.escape] ? [.escape] : []
  }

  /// The first key, nil for bytes that are none, with its bytes; nil for no bytes or an incomplete key.
  private func next() -> (key: Key?, count: Int)? {
    guard let first = pending.first else { return nil }
    guard first != Self.escape else { return sequence() }
    switch first {
    case 10, 13: return (.enter, 1)
    case 9: return (.tab, 1)
    case 8, 127: return (.backspace, 1)
    case 1...26: return (.control(Character(Unicode.Scalar(first + 0x60))), 1)
    case ..<32: return (nil, 1)
    default: return character(first)
    }
  }

  /// The character that begins with a byte.
  private func character(_ first: UInt8) -> (key: Key?, count: Int)? {
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
    let rest = pending.prefix(length).dropFirst()
    guard rest.allSatisfy({ $0 & 0xC0 == 0x80 }) else { return (nil, 1) }
    guard pending.count >= length else { return nil }
    guard let text = String(validating: pending[..<length], as: UTF8.self), let character = text.first,
      !text.unicodeScalars.contains(where: { (127...159).contains($0.value) })
    else { return (nil, 1) }
    return (.character(character), length)
  }

  /// The key of a sequence that begins with Escape; Escape itself where no sequence begins so.
  private func sequence() -> (key: Key?, count: Int)? {
    guard pending.count >= 2 else { return nil }
    switch pending[1] {
    case UInt8(ascii: "["):
      let rest = pending.dropFirst(2)
      guard let end = rest.firstIndex(where: { !(0x20...0x3F).contains($0) }) else { return nil }
      guard (0x40...0x7E).contains(pending[end]) else { return (nil, end) }
      let first = rest[..<end].prefix { (0x30...0x39).contains($0) }.reduce(0) {
        min(100, 10 * $0 + Int($1) - 48)
      }
      return (Self.key(final: pending[end], first), end + 1)
    case UInt8(ascii: "O"):
      guard pending.count >= 3 else { return nil }
      return (Self.key(final: pending[2], 1), 3)
    default: return (.escape, 1)
    }
  }

  /// The key of a control sequence with this last byte and first number.
  private static func key(final: UInt8, _ number: Int) -> Key? {
    switch Character(Unicode.Scalar(final)) {
    case "A": .up
    case "B": .down
    case "C": .right
    case "D": .left
    case "H": .home
    case "F": .end
    case "M": .enter
    case "Z": .backTab
    case "P": .function(1)
    case "Q": .function(2)
    case "S": .function(4)
    case "~":
      switch number {
      case 1, 7: .home
      case 3: .delete
      case 4, 8: .end
      case 5: .pageUp
      case 6: .pageDown
      case 11...15: .function(number - 10)
      case 17...21: .function(number - 11)
      case 23, 24: .function(number - 12)
      default: nil
      }
    default: nil
    }
  }
}
