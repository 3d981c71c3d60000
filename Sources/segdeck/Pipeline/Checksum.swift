import CCrypto
import Foundation
import Work

/// Checksums of files, as records state them.
enum Checksum {
  /// Keeps the library whole until the process is gone: a program that ends, as with an error, does not wait for the
  /// threads that still compute checksums.
  private static let outlivesExit: Void = {
    _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
  }()

  /// The SHA-256 of bytes in hexadecimal.
  static func sha256(of data: Data) -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    _ = data.withUnsafeBytes { EVP_Digest($0.baseAddress, data.count, &digest, &count, EVP_sha256(), nil) }
    return digest.prefix(Int(count)).map { String(format: "%02x", $0) }.joined()
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
    _ = outlivesExit
    _ = try FileSystem.statusOfOrdinaryFile(descriptor, path: path)
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var digestCount: UInt32 = 0
    var isGood = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
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
      isGood = isGood && EVP_DigestUpdate(context, piece.baseAddress, count) == 1
      position += count
    }
    isGood = isGood && EVP_DigestFinal_ex(context, &digest, &digestCount) == 1
    guard isGood else { throw InputError(path, "its checksum cannot be computed") }
    return digest.prefix(Int(digestCount)).map { String(format: "%02x", $0) }.joined()
  }
}
