import CZlib

/// zlib's inflate state for a gzip stream of any number of members, or for bare deflated bytes.
final class Inflation {
  /// The result of one call.
  enum Progress {
    /// Output is full or input is used up.
    case advanced
    /// A member ended and its checksum was right.
    case memberEnded
    /// The data are not deflated; zlib's reason.
    case damaged(String)
  }

  // zlib keeps the address of the structure, so it must never move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer

  /// What lies around the deflated bytes.
  enum Wrapping: Int32 {
    /// The header and checksum of gzip.
    case gzip = 31
    /// Nothing, as in a ZIP archive.
    case raw = -15
  }

  init(_ wrapping: Wrapping = .gzip) {
    input = .allocate(byteCount: 1 << 18, alignment: 64)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(stream, wrapping.rawValue, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib cannot start: \(status)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Compressed bytes that are not inflated yet.
  var pendingByteCount: Int { Int(stream.pointee.avail_in) }

  /// The first compressed byte that is not inflated yet; nil for none.
  var nextByte: UInt8? { pendingByteCount > 0 ? stream.pointee.next_in.pointee : nil }

  /// Reads new compressed bytes; allowed only when all others are inflated.
  func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let count = fill(input)
    stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(max(count, 0))
    return count
  }

  func beginMember() { inflateReset(stream) }

  /// Inflates into `output`, which must not be empty.
  /// - Returns: The number of bytes written, and where the stream is.
  func inflate(into output: UnsafeMutableRawBufferPointer) -> (count: Int, progress: Progress) {
    let capacity = UInt32(min(output.count, 1 << 30))
    let pendingBefore = pendingByteCount
    stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = capacity
    let status = CZlib.inflate(stream, Z_NO_FLUSH)
    let count = Int(capacity - stream.pointee.avail_out)
    switch status {
    case Z_STREAM_END: return (count, .memberEnded)
    case Z_OK where count > 0 || pendingByteCount < pendingBefore: return (count, .advanced)
    case Z_BUF_ERROR where pendingByteCount == 0: return (count, .advanced)
    default:
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
      return (count, .damaged(reason))
    }
  }
}
