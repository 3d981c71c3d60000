import CCrypto
import Foundation
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
  /// - Throws: ``InputError`` when the file cannot be read or is none; ``Cancelled``.
  static func sha256(ofFile path: String, work: WorkContext) throws -> String {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be read", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    return try sha256(ofDescriptor: descriptor, path: path, work: work)
  }

  /// The SHA-256 of an opened file in hexadecimal; `path` names it in errors.
  /// - Throws: ``InputError`` when the file cannot be read or is none; ``Cancelled``.
  static func sha256(ofDescriptor descriptor: Int32, path: String, work: WorkContext) throws -> String {
    _ = try FileSystem.statusOfOrdinaryFile(descriptor, path: path)
    let digest = SHA256()
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
    guard let text = digest.finish() else { throw InputError(path, "its checksum cannot be computed") }
    return text
  }
}
