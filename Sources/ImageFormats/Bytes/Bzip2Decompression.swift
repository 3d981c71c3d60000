import CBZip2

/// libbz2's state for a bzip2 stream of any number of members.
final class Bzip2Decompression: Decompression {
  let name = "bzip2"
  let memberMagic: UInt8? = UInt8(ascii: "B")
  /// A block of 900 kB can be as small as 32 bytes, and its run-length coding holds 255 equal bytes in 5.
  let largestExpansion = 1_450_000

  // libbz2 keeps the address of the structure, so it must never move.
  private let stream: UnsafeMutablePointer<bz_stream>
  private let input: UnsafeMutableRawBufferPointer

  init() {
    input = .allocate(byteCount: 1 << 18, alignment: 64)
    stream = .allocate(capacity: 1)
    stream.initialize(to: bz_stream())
    begin()
  }

  deinit {
    BZ2_bzDecompressEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  private func begin() {
    let status = BZ2_bzDecompressInit(stream, 0, 0)
    precondition(status == BZ_OK, "libbz2 cannot start: \(status)")
  }

  var pendingByteCount: Int { Int(stream.pointee.avail_in) }

  var nextByte: UInt8? {
    pendingByteCount > 0 ? UInt8(bitPattern: stream.pointee.next_in.pointee) : nil
  }

  func refill(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    let count = fill(input)
    stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: CChar.self)
    stream.pointee.avail_in = UInt32(max(count, 0))
    return count
  }

  func beginMember() {
    let (next, count) = (stream.pointee.next_in, stream.pointee.avail_in)
    BZ2_bzDecompressEnd(stream)
    stream.pointee = bz_stream()
    begin()
    (stream.pointee.next_in, stream.pointee.avail_in) = (next, count)
  }

  func inflate(
    into output: UnsafeMutableRawBufferPointer
  ) -> (count: Int, progress: DecompressionProgress) {
    let capacity = UInt32(min(output.count, 1 << 30))
    stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: CChar.self)
    stream.pointee.avail_out = capacity
    let status = BZ2_bzDecompress(stream)
    let count = Int(capacity - stream.pointee.avail_out)
    switch status {
    case BZ_STREAM_END: return (count, .memberEnded)
    case BZ_OK: return (count, .advanced)
    case BZ_DATA_ERROR_MAGIC: return (count, .damaged("not bzip2"))
    case BZ_DATA_ERROR: return (count, .damaged("a wrong checksum or block"))
    default: return (count, .damaged("libbz2 status \(status)"))
    }
  }
}
