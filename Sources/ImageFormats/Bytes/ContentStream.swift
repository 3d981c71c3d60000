import Work

/// How the content of a stream ended.
enum ContentEnd {
  /// The file, or its last compressed member, is complete.
  case complete
  /// The file ends inside a compressed member.
  case truncated
}

/// A stream of the content of a file, from its beginning.
protocol ContentStream: AnyObject {
  var path: String { get }

  /// Bytes of content delivered or skipped.
  var position: Int { get }

  /// Set once everything was delivered.
  var end: ContentEnd? { get }

  /// Set when compressed data are followed by bytes that are not.
  var hasTrailingBytes: Bool { get }

  /// "gzip", "zlib" or "bzip2"; nil where content is stored as it is.
  var compressionName: String? { get }

  /// The number of bytes of the file that store the content.
  var storedByteCount: Int { get }

  /// The largest size of the content in bytes that ``storedByteCount`` allows.
  var largestContentByteCount: Int { get }

  /// The maximum ratio of the sizes of content and stored bytes.
  var largestExpansion: Int { get }

  /// The most bytes that are asked for at once, so that cancellation is polled between pieces often enough.
  var pieceByteCount: Int { get }

  /// Fills `buffer` until it is full or the content ends; returns the bytes delivered.
  /// - Throws: ``InputError`` when the disk fails or the file is damaged.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int

  /// Skips `byteCount` bytes of content, or fewer when it ends; returns the number of bytes skipped.
  /// - Throws: As ``read(into:)``.
  func skip(_ byteCount: Int) throws(InputError) -> Int
}

extension ContentStream {
  var isCompressed: Bool { compressionName != nil }
  var pieceByteCount: Int { 1 << 20 }
  var largestExpansion: Int { 1 }
}

/// Content that a file stores as pairs of hexadecimal digits, with any white space between digits.
final class HexadecimalStream: ContentStream {
  private let digits: ByteStream
  private(set) var position = 0
  private(set) var end: ContentEnd?
  /// The digit of a byte whose other digit was not read yet.
  private var firstDigit: UInt8?
  private var text = [UInt8](repeating: 0, count: 1 << 16)

  init(_ digits: ByteStream) { self.digits = digits }

  var path: String { digits.path }
  var hasTrailingBytes: Bool { false }
  var compressionName: String? { nil }
  var storedByteCount: Int { digits.storedByteCount }
  var largestContentByteCount: Int { digits.storedByteCount / 2 }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    var count = 0
    while count < buffer.count, end == nil {
      let wanted = min(text.count, 2 * (buffer.count - count) - (firstDigit == nil ? 0 : 1))
      var (textCount, failure): (Int, InputError?) = (0, nil)
      text.withUnsafeMutableBytes { bytes in
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted])
        do throws(InputError) { textCount = try digits.read(into: part) } catch { failure = error }
      }
      if let failure { throw failure }
      if textCount < wanted { end = .complete }
      for byte in text[..<textCount] {
        guard let digit = Self.value(of: byte) else {
          if Self.isSpace(byte) { continue }
          throw InputError(
            path, "the voxels hold a character that is no hexadecimal digit",
            found: String(UnicodeScalar(byte)), expected: "0 to 9 and a to f")
        }
        if let first = firstDigit {
          buffer[count] = first << 4 | digit
          count += 1
          firstDigit = nil
        } else {
          firstDigit = digit
        }
      }
    }
    position += count
    return count
  }

  func skip(_ byteCount: Int) throws(InputError) -> Int {
    var scratch = [UInt8](repeating: 0, count: min(byteCount, 1 << 16))
    var (passed, failure): (Int, InputError?) = (0, nil)
    scratch.withUnsafeMutableBytes { bytes in
      do throws(InputError) {
        while passed < byteCount, end == nil {
          let wanted = min(bytes.count, byteCount - passed)
          passed += try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]))
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return passed
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
