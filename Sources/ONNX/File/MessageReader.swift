import Foundation
import Work

/// Reads the fields of one message of Protocol Buffers, one after the other.
///
/// The bytes are those of the file and are never copied. A length is checked against the bytes that are really there
/// before anything is read or allocated. Messages inside messages are ranges for readers of their own, so that nothing
/// recurses.
struct MessageReader {
  /// One field: its number in the message's definition, and its value.
  struct Field {
    /// A value as the wire has it.
    enum Value {
      case integer(UInt64)
      case fixed64(UInt64)
      case fixed32(UInt32)
      case bytes(Range<Int>)
    }

    let number: Int
    let value: Value
  }

  /// The whole file.
  let content: Data
  /// The file's path and the message, for errors: "model.onnx: GraphProto".
  let subject: String
  private var position: Int
  private let end: Int

  /// A reader of the bytes `range` of `content`, whose first index must be 0.
  init(_ content: Data, _ range: Range<Int>, subject: String) {
    self.content = content
    self.subject = subject
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end of the message.
  /// - Throws: ``InputError`` where the bytes are no field, or end in it.
  mutating func next() throws(InputError) -> Field? {
    guard position < end else { return nil }
    let start = position
    let key = try varint()
    guard key >> 3 > 0, key >> 3 <= 0x1fff_ffff else {
      throw damaged(start, "a field's number is \(key >> 3)")
    }
    let value: Field.Value
    switch key & 7 {
    case 0: value = .integer(try varint())
    case 1: value = .fixed64(try fixed(8))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw damaged(start, "a field of \(length) bytes, where \(end - position) are left")
      }
      value = .bytes(position..<position + Int(length))
      position += Int(length)
    case 5: value = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
    default: throw damaged(start, "a field of the wire type \(key & 7)")
    }
    return Field(number: Int(key >> 3), value: value)
  }

  private mutating func varint() throws(InputError) -> UInt64 {
    var (value, shift) = (UInt64(0), UInt64(0))
    while position < end, shift < 64 {
      let byte = content[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw damaged(position, "a number without an end")
  }

  private mutating func fixed(_ count: Int) throws(InputError) -> UInt64 {
    guard end - position >= count else { throw damaged(position, "a number of \(count) bytes is cut") }
    let value = (0..<count).reduce(UInt64(0)) { $0 | UInt64(content[position + $1]) << UInt64(8 * $1) }
    position += count
    return value
  }

  /// An error about the byte `offset` of the file.
  func damaged(_ offset: Int, _ problem: String) -> InputError {
    InputError(subject, "is damaged or no ONNX file: byte \(offset): \(problem)")
  }
}

extension MessageReader {
  /// The bytes of a field that holds bytes, a text or a message.
  /// - Throws: ``InputError`` where the field holds a number.
  func bytes(_ field: Field) throws(InputError) -> Range<Int> {
    guard case .bytes(let range) = field.value else { throw wrongType(field, "bytes") }
    return range
  }

  /// The text of a field; bytes that are not UTF-8 are replaced.
  func text(_ field: Field) throws(InputError) -> String {
    String(decoding: content[try bytes(field)], as: UTF8.self)
  }

  /// A reader of the message in a field.
  /// - Parameter name: Its type, for errors.
  func message(_ field: Field, _ name: String) throws(InputError) -> MessageReader {
    MessageReader(content, try bytes(field), subject: subject.prefix { $0 != ":" } + ": " + name)
  }

  /// The integer of a field, whose negative numbers are in two's complement.
  func integer(_ field: Field) throws(InputError) -> Int {
    guard case .integer(let value) = field.value else { throw wrongType(field, "an integer") }
    return Int(truncatingIfNeeded: value)
  }

  /// The single-precision number of a field.
  func float(_ field: Field) throws(InputError) -> Float {
    guard case .fixed32(let bits) = field.value else { throw wrongType(field, "a 32-bit float") }
    return Float(bitPattern: bits)
  }

  /// Appends the integers of a repeated field: one, or many that are packed.
  func append(_ field: Field, to integers: inout [Int]) throws(InputError) {
    guard case .bytes(let range) = field.value else { return integers.append(try integer(field)) }
    var packed = MessageReader(content, range, subject: subject)
    while packed.position < packed.end { integers.append(Int(truncatingIfNeeded: try packed.varint())) }
  }

  /// Appends the single-precision numbers of a repeated field: one, or many that are packed.
  func append(_ field: Field, to floats: inout [Float]) throws(InputError) {
    guard case .bytes(let range) = field.value else { return floats.append(try float(field)) }
    var packed = MessageReader(content, range, subject: subject)
    floats.reserveCapacity(floats.count + range.count / 4)
    while packed.position < packed.end {
      floats.append(Float(bitPattern: UInt32(truncatingIfNeeded: try packed.fixed(4))))
    }
  }

  /// Appends the double-precision numbers of a repeated field: one, or many that are packed.
  func append(_ field: Field, to doubles: inout [Double]) throws(InputError) {
    switch field.value {
    case .fixed64(let bits): doubles.append(Double(bitPattern: bits))
    case .bytes(let range):
      var packed = MessageReader(content, range, subject: subject)
      while packed.position < packed.end { doubles.append(Double(bitPattern: try packed.fixed(8))) }
    default: throw wrongType(field, "a 64-bit float")
    }
  }

  private func wrongType(_ field: Field, _ expected: String) -> InputError {
    InputError(
      subject, "is damaged or no ONNX file: its field \(field.number) has another type", expected: expected)
  }
}
