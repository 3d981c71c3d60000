import Foundation

/// Writes the fields of one message of Protocol Buffers, in the order of the calls.
struct MessageWriter {
  private(set) var content = Data()

  /// A field with an integer.
  mutating func write(_ number: Int, _ integer: Int) {
    key(number, 0)
    varint(UInt64(bitPattern: Int64(integer)))
  }

  /// A field with a single-precision number.
  mutating func write(_ number: Int, _ float: Float) {
    key(number, 5)
    withUnsafeBytes(of: float.bitPattern.littleEndian) { content.append(contentsOf: $0) }
  }

  /// A field with bytes.
  mutating func write(_ number: Int, _ bytes: Data) {
    key(number, 2)
    varint(UInt64(bytes.count))
    content.append(bytes)
  }

  /// A field with a text.
  mutating func write(_ number: Int, _ text: String) { write(number, Data(text.utf8)) }

  /// A field with a message, whose fields `fields` writes.
  mutating func write(_ number: Int, _ fields: (inout MessageWriter) -> Void) {
    var message = MessageWriter()
    fields(&message)
    write(number, message.content)
  }

  private mutating func key(_ number: Int, _ wireType: Int) { varint(UInt64(number << 3 | wireType)) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      content.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    content.append(UInt8(truncatingIfNeeded: rest))
  }
}
