import CCrypto
import Foundation
import Work

/// Checksums of files, as records state them.
enum Checksum {
  /// The SHA-256 of a file's bytes in hexadecimal, read in pieces.
  /// - Throws: ``InputError`` when the file cannot be read.
  static func sha256(ofFile path: String) throws(InputError) -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else { throw InputError(path, "cannot be read") }
    defer { try? handle.close() }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    var isGood = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    do {
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
        isGood = isGood && piece.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) } == 1
      }
    } catch { throw InputError(path, "cannot be read", found: error.localizedDescription) }
    isGood = isGood && EVP_DigestFinal_ex(context, &digest, &count) == 1
    guard isGood else { throw InputError(path, "its checksum cannot be computed") }
    return digest.prefix(Int(count)).map { String(format: "%02x", $0) }.joined()
  }
}
