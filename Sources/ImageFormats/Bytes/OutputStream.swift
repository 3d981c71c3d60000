import Work

/// A file that is being written, gzip when its name ends in `.gz`; it is renamed to its path only when it is committed
/// after ``complete()``.
///
/// The same content gives the same bytes, on any number of threads.
struct OutputStream: ~Copyable {
  private var file: AtomicFile
  private let deflation: ParallelDeflation?
  private let work: WorkContext

  /// Opens a temporary file beside `path`; `compressionLevel` is zlib's, 1 (fast) to 9.
  init(path: String, compressionLevel: Int32, work: WorkContext) throws(InputError) {
    self.work = work
    file = try AtomicFile(path: path)
    deflation = ImageName.isGzip(path) ? ParallelDeflation(level: compressionLevel, work: work) : nil
  }

  /// Appends bytes.
  /// - Throws: ``InputError`` when the disk is full or fails; `Cancelled`.
  mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
    try work.checkCancellation()
    if let deflation {
      return try deflation.append(bytes) { output throws(InputError) in try file.write(output) }
    }
    let pieceByteCount = 1 << 18
    for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
      try work.checkCancellation()
      try file.write(
        UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + pieceByteCount, bytes.count)]))
    }
  }

  /// Completes the content and syncs the temporary file.
  /// - Throws: As ``write(_:)``.
  consuming func complete() throws -> PendingFile {
    if let deflation {
      try deflation.finish { output throws(InputError) in try file.write(output) }
    }
    return try file.complete()
  }
}
