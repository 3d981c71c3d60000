import CZlib
import Work

/// A file that is being written, perhaps compressed; it is renamed to its path only when it is committed after
/// ``complete()``.
///
/// The same content gives the same bytes: no header of gzip carries a name or a time.
final class OutputStream {
  /// How bytes are compressed.
  struct Compression {
    var wrapping: Wrapping
    /// zlib's, 1 (fast) to 9.
    var level: Int32

    init(_ wrapping: Wrapping, level: Int32) {
      self.wrapping = wrapping
      self.level = level
    }
  }

  /// What lies around the deflated bytes.
  enum Wrapping: Int32 {
    case zlib = 15
    case gzip = 31
  }

  private var file: AtomicFile?
  private let deflation: Deflation?
  private let work: WorkContext
  /// Bytes in the file so far.
  private(set) var byteCount = 0
  /// Bytes between two polls of the cancellation: what deflate packs in some 20 ms.
  private static let pieceByteCount = 1 << 18

  /// Opens a temporary file beside `path`.
  /// - Parameter compression: nil where bytes are stored as they are.
  init(path: String, compression: Compression?, work: WorkContext) throws(InputError) {
    self.work = work
    file = try AtomicFile(path: path)
    deflation = compression.map(Deflation.init)
  }

  /// Appends bytes, compressed where the stream is.
  /// - Throws: ``InputError`` when the disk is full or fails; `Cancelled`.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    for start in stride(from: 0, to: bytes.count, by: Self.pieceByteCount) {
      try work.checkCancellation()
      let end = min(start + Self.pieceByteCount, bytes.count)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      if let deflation {
        try deflation.deflate(piece, isLast: false) { output throws(InputError) in try append(output) }
      } else {
        try append(piece)
      }
    }
  }

  /// Appends bytes that are never compressed, before any others.
  /// - Throws: ``InputError`` when the disk is full or fails.
  func writeStored(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  /// Ends the compressed bytes, so that ``byteCount`` is the file's.
  /// - Throws: ``InputError`` when the disk is full or fails.
  func finishCompression() throws(InputError) {
    try deflation?.deflate(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) {
      output throws(InputError) in try append(output)
    }
  }

  /// Replaces bytes that were stored before.
  /// - Throws: ``InputError`` when the disk fails.
  func overwrite(_ bytes: [UInt8], at offset: Int) throws(InputError) {
    try file?.overwrite(bytes, at: offset)
  }

  /// Syncs the temporary file, whose compressed bytes were ended.
  func completeFile() throws(InputError) -> PendingFile {
    guard let file = file.take() else { preconditionFailure("a stream is completed once") }
    return try file.complete()
  }

  /// Completes the content and syncs the temporary file.
  func complete() throws(InputError) -> PendingFile {
    try finishCompression()
    return try completeFile()
  }

  private func append(_ bytes: UnsafeRawBufferPointer) throws(InputError) {
    try file?.write(bytes)
    byteCount += bytes.count
  }
}

/// zlib's deflate state for one stream.
private final class Deflation {
  private let stream: UnsafeMutablePointer<z_stream>
  private let output: UnsafeMutableRawBufferPointer

  init(_ compression: OutputStream.Compression) {
    output = .allocate(byteCount: 1 << 18, alignment: 64)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, compression.level, Z_DEFLATED, compression.wrapping.rawValue, 8, Z_DEFAULT_STRATEGY,
      zlibVersion(), Int32(MemoryLayout<z_stream>.size)
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
