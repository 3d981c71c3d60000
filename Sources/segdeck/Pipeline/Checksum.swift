import CCrypto
import Foundation
import Work

/// Checksums of files, as records state them.
enum Checksum {
  /// The SHA-256 of bytes in hexadecimal.
  static func sha256(of data: Data) -> String {
    let digest = SHA256()
    data.withUnsafeBytes { digest.add($0) }
    guard let text = digest.finish() else { preconditionFailure("libcrypto refuses bytes in memory") }
    return text
  }

  /// The SHA-256 of a file's bytes in hexadecimal, read in pieces.
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

  /// The SHA-256 of an opened file from its first byte on; `path` names it in errors.
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

/// A SHA-256 of bytes that come piece by piece.
final class SHA256 {
  private let context = EVP_MD_CTX_new()
  private var isGood: Bool

  /// Of no bytes yet.
  init() { isGood = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes the next bytes.
  func add(_ bytes: UnsafeRawBufferPointer) {
    isGood = isGood && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
  }

  /// The digest in hexadecimal; nil when the machine's libcrypto refuses.
  func finish() -> String? {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    isGood = isGood && EVP_DigestFinal_ex(context, &digest, &count) == 1
    return isGood ? digest.prefix(Int(count)).map { String(format: "%02x", $0) }.joined() : nil
  }
}
