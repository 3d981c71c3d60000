import CZlib
import Work

/// A file that is being written, gzip when its name ends in `.gz`; it is renamed to its path only when it is committed
/// after ``complete()``.
///
/// The same content gives the same bytes: the gzip header carries no name and no time.
struct OutputStream: ~Copyable {
  private var file: AtomicFile
  private let deflation: Deflation?
  private let work: WorkContext
  /// Bytes between two polls of the cancellation: what deflate packs in some 20 ms.
  private static let pieceByteCount = 1 << 18

  /// Opens a temporary file beside `path`; `compressionLevel` is zlib's, 1 (fast) to 9.
  init(path: String, compressionLevel: Int32, work: WorkContext) throws(InputError) {
    self.work = work
    file = try AtomicFile(path: path)
    deflation = ImageName.isGzip(path) ? Deflation(level: compressionLevel) : nil
  }

  /// Appends bytes.
  /// - Throws: ``InputError`` when the disk is full or fails; `Cancelled`.
  mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
    for start in stride(from: 0, to: bytes.count, by: Self.pieceByteCount) {
      try work.checkCancellation()
      let end = min(start + Self.pieceByteCount, bytes.count)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      if let deflation {
        try deflation.deflate(piece, isLast: false) { output throws(InputError) in try file.write(output) }
      } else {
        try file.write(piece)
      }
    }
  }

  /// Completes the content and syncs the temporary file.
  consuming func complete() throws(InputError) -> PendingFile {
    if let deflation {
      try deflation.deflate(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) {
        output throws(InputError) in try file.write(output)
      }
    }
    return try file.complete()
  }
}

/// zlib's deflate state for one gzip member.
private final class Deflation {
  private let stream: UnsafeMutablePointer<z_stream>
  private let output: UnsafeMutableRawBufferPointer

  init(level: Int32) {
    output = .allocate(byteCount: 1 << 18, alignment: 64)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, zlibVersion(),
      Int32(MemoryLayout<z_stream>.size)
    )
    precondition(status == Z_OK, "zlib cannot start: \(status)")
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
    output.deallocate()
  }

  func deflate(
    _ bytes: UnsafeRawBufferPointer, isLast: Bool,
    write: (UnsafeRawBufferPointer) throws(InputError) -> Void
  ) throws(InputError) {
    // SAFETY: zlib only reads next_in; its type lacks const.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    while true {
      stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(output.count)
      let status = CZlib.deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
      try write(UnsafeRawBufferPointer(rebasing: output[..<(output.count - Int(stream.pointee.avail_out))]))
      if isLast ? status == Z_STREAM_END : stream.pointee.avail_out > 0 { return }
    }
  }
}
