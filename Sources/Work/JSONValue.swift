/// A JSON value.
///
/// Objects keep the order of their members and members with the same key.
///
/// Foundation decodes objects to dictionaries, which lose the order and all but one member of a key.
package indirect enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// A number as its digits in the text.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A member of an object: key and value.
  package struct Member: Equatable, Sendable {
    package var key: String
    package var value: JSONValue

    /// A member of an object.
    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The maximum nesting of arrays and objects.
  private static let maximumDepth = 100

  /// Parses a text; nil when it is not JSON.
  package init?(_ text: String) {
    var reader = JSONReader(text)
    guard let value = reader.value(depth: Self.maximumDepth) else { return nil }
    reader.skipBlanks()
    guard reader.isAtEnd else { return nil }
    self = value
  }

  /// The value of the first member with a key; nil where there is none, or this is not an object.
  package subscript(key key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The first key that occurs twice in one object, in any depth; nil where there is none.
  package var repeatedKey: String? {
    switch self {
    case .null, .bool, .number, .string: return nil
    case .array(let items): return items.lazy.compactMap(\.repeatedKey).first
    case .object(let members):
      var keys: Set<String> = []
      for member in members {
        if !keys.insert(member.key).inserted { return member.key }
        if let key = member.value.repeatedKey { return key }
      }
      return nil
    }
  }

  /// Refuses a text in which an object has a key twice, because decoders would ignore one of the two.
  ///
  /// A text that is not JSON is accepted; its decoder reports it.
  /// - Throws: ``InputError`` about `subject` that names the key.
  package static func requireSingleKeys(_ text: String, subject: String) throws(InputError) {
    guard let key = JSONValue(text)?.repeatedKey else { return }
    throw InputError(subject, "has a key twice", found: "\"\(key.prefix(60))\"", expected: "each once")
  }
}

/// Parses JSON byte by byte (RFC 8259).
private struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { position == bytes.count }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  /// Consumes `word` if the rest begins with it.
  private mutating func take(_ word: StaticString) -> Bool {
    let isNext = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
    if isNext { position += word.utf8CodeUnitCount }
    return isNext
  }

  /// Consumes `byte` if it is the next.
  private mutating func take(_ byte: UInt8) -> Bool {
    let isNext = next == byte
    if isNext { position += 1 }
    return isNext
  }

  mutating func value(depth: Int) -> JSONValue? {
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return depth > 0 ? object(depth: depth - 1) : nil
    case UInt8(ascii: "["): return depth > 0 ? array(depth: depth - 1) : nil
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
    default: return number()
    }
  }

  private mutating func array(depth: Int) -> JSONValue? {
    position += 1
    var items: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array(items) }
    repeat {
      guard let item = value(depth: depth) else { return nil }
      items.append(item)
      skipBlanks()
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "]")) ? .array(items) : nil
  }

  private mutating func object(depth: Int) -> JSONValue? {
    position += 1
    var members: [JSONValue.Member] = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipBlanks()
      guard let key = string() else { return nil }
      skipBlanks()
      guard take(UInt8(ascii: ":")), let value = value(depth: depth) else { return nil }
      members.append(.init(key: key, value: value))
      skipBlanks()
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "}")) ? .object(members) : nil
  }

  private mutating func number() -> JSONValue? {
    let start = position
    while let byte = next {
      switch byte {
      case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
        UInt8(ascii: "E"):
        position += 1
        continue
      default: break
      }
      break
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard Double(text) != nil, text.first != "+" else { return nil }
    return .number(text)
  }

  private mutating func string() -> String? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    var start = position
    var earlier: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        let end = bytes[start..<position - 1]
        // Most strings have no escape sequence and are decoded at once.
        return String(decoding: earlier.isEmpty ? end : (earlier + end)[...], as: UTF8.self)
      case 0..<0x20: return nil
      case UInt8(ascii: "\\"):
        earlier += bytes[start..<position - 1]
        guard let scalar = escape() else { return nil }
        earlier += Array(String(scalar).utf8)
        start = position
      default: break
      }
    }
    return nil
  }

  private mutating func takeNext() -> UInt8? {
    guard let byte = next else { return nil }
    position += 1
    return byte
  }

  /// The scalar of an escape sequence after its backslash; an unpaired surrogate is U+FFFD.
  private mutating func escape() -> Unicode.Scalar? {
    switch takeNext() {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard let unit = codeUnit() else { return nil }
      if let scalar = Unicode.Scalar(UInt32(unit)) { return scalar }
      let before = position
      guard unit < 0xdc00, take("\\u"), let low = codeUnit(), (0xdc00..<0xe000).contains(low) else {
        position = before
        return "\u{fffd}"
      }
      return Unicode.Scalar(0x10000 + (UInt32(unit) - 0xd800) << 10 + (UInt32(low) - 0xdc00))
    case let byte? where [UInt8]("\"\\/".utf8).contains(byte): return Unicode.Scalar(byte)
    default: return nil
    }
  }

  /// Four hexadecimal digits.
  private mutating func codeUnit() -> UInt16? {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
      return nil
    }
    position += 4
    return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
