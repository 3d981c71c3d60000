import CZlib

/// zlib's inflate state for a gzip stream of any number of members, for a zlib stream, or for bare deflated bytes.
final class Inflation: Decompression {
  let name: String
  let memberMagic: UInt8?
  /// Deflate never expands more than this.
  let largestExpansion = 1032

  // zlib keeps the address of the structure, so it must never move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer

  /// What lies around the deflated bytes.
  enum Wrapping: Int32 {
    /// The header and checksum of gzip.
    case gzip = 31
    /// Those of zlib, or of gzip.
    case zlib = 47
    /// Nothing, as in a ZIP archive.
    case raw = -15
  }

  init(_ wrapping: Wrapping) {
    name = wrapping == .zlib ? "zlib" : "gzip"
    memberMagic = wrapping == .gzip ? 0x1f : nil
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

  var pendingByteCount: Int { Int(stream.pointee.avail_in) }

  var nextByte: UInt8? { pendingByteCount > 0 ? stream.pointee.next_in.pointee : nil }

  func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let count = fill(input)
    stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(max(count, 0))
    return count
  }

  func beginMember() { inflateReset(stream) }

  func inflate(
    into output: UnsafeMutableRawBufferPointer
  ) -> (count: Int, progress: DecompressionProgress) {
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
