import Work

/// A file that is being written, perhaps compressed; it is renamed to its path only when it is committed after
/// ``complete()``.
///
/// The same content gives the same bytes, on any number of threads.
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
  enum Wrapping { case zlib, gzip }

  private var file: AtomicFile?
  private let deflation: ParallelDeflation?
  private let work: WorkContext
  /// Bytes in the file so far.
  private(set) var byteCount = 0
  /// Bytes between two polls of the cancellation.
  private static let pieceByteCount = 1 << 18

  /// Opens a temporary file beside `path`.
  /// - Parameter compression: nil where bytes are stored as they are.
  init(path: String, compression: Compression?, work: WorkContext) throws(InputError) {
    self.work = work
    file = try AtomicFile(path: path)
    deflation = compression.map { ParallelDeflation($0, work: work) }
  }

  /// Appends bytes, compressed where the stream is.
  /// - Throws: ``InputError`` when the disk is full or fails; `Cancelled`.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    if let deflation {
      try work.checkCancellation()
      return try deflation.append(bytes) { output throws(InputError) in try append(output) }
    }
    for start in stride(from: 0, to: bytes.count, by: Self.pieceByteCount) {
      try work.checkCancellation()
      let end = min(start + Self.pieceByteCount, bytes.count)
      try append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    }
  }

  /// Appends bytes that are never compressed, before any others.
  /// - Throws: ``InputError`` when the disk is full or fails.
  func writeStored(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  /// Writes all compressed bytes and ends the compression, so that ``byteCount`` is final.
  /// - Throws: ``InputError`` when the disk is full or fails; `Cancelled`.
  func finishCompression() throws {
    try deflation?.finish { output throws(InputError) in try append(output) }
  }

  /// Replaces bytes that were stored before.
  /// - Throws: ``InputError`` when the disk fails.
  func overwrite(_ bytes: [UInt8], at offset: Int) throws(InputError) {
    try file?.overwrite(bytes, at: offset)
  }

  /// Syncs the temporary file; the compression must be finished.
  func completeFile() throws(InputError) -> PendingFile {
    guard let file = file.take() else { preconditionFailure("a stream is completed once") }
    return try file.complete()
  }

  /// Completes the content and syncs the temporary file.
  /// - Throws: As ``write(_:)``.
  func complete() throws -> PendingFile {
    try finishCompression()
    return try completeFile()
  }

  private func append(_ bytes: UnsafeRawBufferPointer) throws(InputError) {
    try file?.write(bytes)
    byteCount += bytes.count
  }
}
