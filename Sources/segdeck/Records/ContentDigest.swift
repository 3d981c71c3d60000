import Foundation
import Volumes
import Work

/// Digests that identify images and masks by their content, independent of paths and compression.
package enum ContentDigest {
  /// The SHA-256 of an image's grid and of its values as 32-bit floats, in whatever type they are stored, in hexadecimal.
  /// - Throws: `Cancelled`, or ``InputError`` when libcrypto fails.
  package static func sha256(of image: ScalarVolume, _ work: WorkContext) throws -> String {
    let digest = SHA256()
    let (size, affine) = (image.grid.size, image.grid.affine)
    let numbers = [affine.stepI, affine.stepJ, affine.stepK, affine.origin].flatMap { [$0.x, $0.y, $0.z] }
    [size.i, size.j, size.k].withUnsafeBytes { digest.add($0) }
    numbers.withUnsafeBytes { digest.add($0) }
    try image.voxels.forEachPiece { values throws(Cancelled) in
      try work.checkCancellation()
      digest.add(UnsafeRawBufferPointer(values))
    }
    guard let text = digest.finish() else { throw InputError("image", "its checksum cannot be computed") }
    return text
  }

  /// The SHA-256 of texts with their lengths, in hexadecimal.
  /// - Throws: ``InputError`` when libcrypto fails.
  static func sha256(of texts: [String]) throws(InputError) -> String {
    let digest = SHA256()
    for text in texts {
      withUnsafeBytes(of: text.utf8.count) { digest.add($0) }
      Array(text.utf8).withUnsafeBytes { digest.add($0) }
    }
    guard let text = digest.finish() else { throw InputError("journal", "its name cannot be computed") }
    return text
  }

  /// The SHA-256 of label codes, in hexadecimal; nil when libcrypto fails.
  static func sha256(of labels: ChunkedLabels) -> String? {
    let digest = SHA256()
    for plane in labels.planes { plane.withUnsafeBytes { digest.add($0) } }
    return digest.finish()
  }
}
