import CCrypto
import Foundation
import ImageFormats
import Work

/// SHA-256 checksums of bytes and files.
enum Checksum {
  /// The SHA-256 of bytes in hexadecimal.
  static func sha256(of data: Data) -> String {
    let digest = SHA256()
    data.withUnsafeBytes { digest.add($0) }
    guard let text = digest.finish() else { preconditionFailure("libcrypto refuses bytes in memory") }
    return text
  }

  /// The SHA-256 of a file in hexadecimal; the file is read in chunks.
  /// - Throws: ``InputError`` when the path is not a file or cannot be read; ``Cancelled``.
  static func sha256(ofFile path: String, work: WorkContext) throws -> String {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    return try sha256(ofDescriptor: descriptor, path: path, work: work)
  }

  /// The SHA-256 of the concatenated contents of files, in hexadecimal.
  /// - Throws: As ``sha256(ofFile:work:)``.
  static func sha256(ofFiles paths: [String], work: WorkContext) throws -> String {
    let digest = SHA256()
    for path in paths {
      let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
      guard descriptor >= 0 else {
        throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
      }
      defer { close(descriptor) }
      try add(descriptor, path: path, to: digest, work: work)
    }
    guard let text = digest.finish() else { throw InputError(paths[0], "its checksum cannot be computed") }
    return text
  }

  /// The checksum of what a record's entry describes, as it is on the disk now: a file, or all files of a series.
  /// - Throws: As ``sha256(ofFile:work:)``.
  static func sha256(of file: MaskRecord.File, at path: String, work: WorkContext) throws -> String {
    guard file.fileCount != nil else { return try sha256(ofFile: path, work: work) }
    let series = ImageReadingOptions(series: file.choice?.series)
    let image = try ImageFile.open(path, options: series, work: work.withoutProgress)
    return try sha256(ofFiles: image.files, work: work)
  }

  /// The SHA-256 of an opened file in hexadecimal; `path` names it in errors.
  /// - Throws: ``InputError`` when the path is not a file or cannot be read; ``Cancelled``.
  static func sha256(ofDescriptor descriptor: Int32, path: String, work: WorkContext) throws -> String {
    let digest = SHA256()
    try add(descriptor, path: path, to: digest, work: work)
    guard let text = digest.finish() else { throw InputError(path, "its checksum cannot be computed") }
    return text
  }

  /// Adds the content of an opened file to a checksum.
  private static func add(
    _ descriptor: Int32, path: String, to digest: SHA256, work: WorkContext
  ) throws {
    _ = try FileSystem.statusOfOrdinaryFile(descriptor, path: path)
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { piece.deallocate() }
    var position = 0
    while true {
      try work.checkCancellation()
      let count = pread(descriptor, piece.baseAddress, piece.count, off_t(position))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
      }
      if count == 0 { break }
      digest.add(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      position += count
    }
  }
}
