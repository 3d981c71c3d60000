import CCrypto
import Foundation
import Volumes
import Work

/// What tells images apart by their content, wherever their files lie and however they are compressed.
enum ContentDigest {
  /// The SHA-256 of an image's grid and of its voxels as they were read, in hexadecimal.
  /// - Throws: `Cancelled`, or ``InputError`` when the machine's libcrypto refuses.
  static func sha256(of image: ScalarVolume, _ work: WorkContext) throws -> String {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var isGood = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    func add(_ bytes: UnsafeRawBufferPointer) {
      isGood = isGood && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
    }
    let (size, affine) = (image.grid.size, image.grid.affine)
    let numbers = [affine.stepI, affine.stepJ, affine.stepK, affine.origin].flatMap { [$0.x, $0.y, $0.z] }
    [size.i, size.j, size.k].withUnsafeBytes(add)
    numbers.withUnsafeBytes(add)
    try image.voxels.withUnsafeBytes { voxels in
      let piece = 1 << 24
      for start in stride(from: 0, to: voxels.count, by: piece) {
        try work.checkCancellation()
        add(UnsafeRawBufferPointer(rebasing: voxels[start..<min(start + piece, voxels.count)]))
      }
    }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    isGood = isGood && EVP_DigestFinal_ex(context, &digest, &count) == 1
    guard isGood else { throw InputError("image", "its checksum cannot be computed") }
    return digest.prefix(Int(count)).map { String(format: "%02x", $0) }.joined()
  }
}
