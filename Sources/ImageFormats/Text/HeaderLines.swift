import Foundation
import Work

/// Reads the lines of a text header; any bytes may follow it.
struct HeaderLines: ~Copyable {
  let path: String
  private let stream: ByteStream
  private var buffer: [UInt8] = []
  private var position = 0
  /// Bytes of the file before ``buffer``.
  private let bufferOffset: Int
  /// The number of lines read so far.
  private(set) var lineNumber = 0

  /// The maximum size of a header in bytes; one that names 65535 segments is smaller.
  private static let byteLimit = 1 << 25
  /// The maximum number of its lines, each of which takes time whatever its length.
  private static let lineLimit = 1 << 20

  /// Opens a file; the header begins at `byteOffset`.
  /// - Throws: ``InputError`` for a missing or unreadable file.
  init(path: String, from byteOffset: Int = 0) throws(InputError) {
    self.path = path
    stream = try ByteStream(path: path, from: byteOffset, .none)
    bufferOffset = byteOffset
  }

  /// The position in the file after the lines read so far.
  var byteOffset: Int { bufferOffset + position }

  /// The next line without its end, "\n" or "\r\n"; nil after the last.
  ///
  /// Bytes that are not UTF-8 are read as Latin-1.
  /// - Throws: ``InputError`` when the header is too long, or the disk fails.
  mutating func next() throws(InputError) -> String? {
    var searched = position
    guard lineNumber < Self.lineLimit else {
      throw InputError(path, "the header is too long", found: "no end within \(Self.lineLimit) lines")
    }
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = buffer[position..<end]
        position = end + 1
        lineNumber += 1
        return Self.text(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
      }
      searched = buffer.count
      guard buffer.count < Self.byteLimit else {
        throw InputError(
          path, "the header is too long", found: "no end within \(Self.byteLimit) bytes")
      }
      let more = try [UInt8](count: 1 << 14) { bytes throws(InputError) in try stream.read(into: bytes) }
      if more.isEmpty {
        guard position < buffer.count else { return nil }
        let line = buffer[position...]
        position = buffer.count
        lineNumber += 1
        return Self.text(line)
      }
      buffer += more
    }
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(validating: bytes, as: UTF8.self)
      ?? String(String.UnicodeScalarView(bytes.lazy.map { Unicode.Scalar($0) }))
  }
}
