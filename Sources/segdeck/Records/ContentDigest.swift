import Foundation
import Volumes
import Work

/// Digests that identify images and masks by their content, independent of paths and compression.
enum ContentDigest {
  /// The SHA-256 of an image's grid and voxels, in hexadecimal.
  /// - Throws: `Cancelled`, or ``InputError`` when libcrypto fails.
  static func sha256(of image: ScalarVolume, _ work: WorkContext) throws -> String {
    let digest = SHA256()
    let (size, affine) = (image.grid.size, image.grid.affine)
    let numbers = [affine.stepI, affine.stepJ, affine.stepK, affine.origin].flatMap { [$0.x, $0.y, $0.z] }
    [size.i, size.j, size.k].withUnsafeBytes { digest.add($0) }
    numbers.withUnsafeBytes { digest.add($0) }
    try image.voxels.withUnsafeBytes { voxels in
      let piece = 1 << 24
      for start in stride(from: 0, to: voxels.count, by: piece) {
        try work.checkCancellation()
        digest.add(UnsafeRawBufferPointer(rebasing: voxels[start..<min(start + piece, voxels.count)]))
      }
    }
    guard let text = digest.finish() else { throw InputError("image", "its checksum cannot be computed") }
    return text
  }

  /// The SHA-256 of label codes, in hexadecimal; nil when libcrypto fails.
  static func sha256(of labels: ChunkedLabels) -> String? {
    let digest = SHA256()
    for plane in labels.planes { plane.withUnsafeBytes { digest.add($0) } }
    return digest.finish()
  }
}
