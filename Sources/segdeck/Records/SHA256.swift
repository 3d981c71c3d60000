import CCrypto
import Foundation

/// Computes a SHA-256 incrementally.
final class SHA256 {
  private let context = EVP_MD_CTX_new()
  private var isGood: Bool

  /// A digest of no bytes.
  init() { isGood = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds the next bytes.
  func add(_ bytes: UnsafeRawBufferPointer) {
    isGood = isGood && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
  }

  /// The digest in hexadecimal; nil when libcrypto fails.
  func finish() -> String? {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    isGood = isGood && EVP_DigestFinal_ex(context, &digest, &count) == 1
    return isGood ? digest.prefix(Int(count)).map { String(format: "%02x", $0) }.joined() : nil
  }
}
