import CZlib

/// zlib's inflate.
final class ZlibInflation: InflationEngine {
  // zlib keeps the address of the structure, so it must never move.
  private let stream: UnsafeMutablePointer<z_stream>

  init(_ wrapping: Inflation.Wrapping) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(stream, wrapping.rawValue, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib cannot start: \(status)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func beginMember() { inflateReset(stream) }

  func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> InflationResult
  {
    // SAFETY: zlib only reads next_in; its type lacks const.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(output.count)
    let status = CZlib.inflate(stream, Z_NO_FLUSH)
    let consumed = input.count - Int(stream.pointee.avail_in)
    let written = output.count - Int(stream.pointee.avail_out)
    let progress: DecompressionProgress =
      switch status {
      case Z_STREAM_END: .memberEnded
      case Z_OK where written > 0 || consumed > 0: .advanced
      case Z_BUF_ERROR where consumed == input.count: .advanced
      default: .damaged(stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)")
      }
    return InflationResult(consumed: consumed, written: written, progress: progress)
  }
}
