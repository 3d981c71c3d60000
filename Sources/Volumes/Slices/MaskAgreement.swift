/// The agreement of two masks in a voxel: the rank of the label that both have, or one of the values below.
///
/// These values are greater than all ranks. A pixel that covers several voxels shows the greatest of their values.
package enum MaskAgreement {
  /// Only the second mask has a label.
  package static let onlyB = UInt16.max - 2
  /// Only the first mask has a label.
  package static let onlyA = UInt16.max - 1
  /// Both have a label, but not the same.
  package static let conflict = UInt16.max

  /// The agreement of two ranks; labels that are hidden, or that only one mask has, have rank 0 on both sides.
  package static func of(_ a: UInt16, _ b: UInt16) -> UInt16 {
    if a == b { return min(a, onlyB - 1) }
    if b == 0 { return onlyA }
    return a == 0 ? onlyB : conflict
  }

  /// The colours of Okabe and Ito, which colour-blind readers tell apart, and white for what both have.
  package static func colour(_ agreement: UInt16) -> RGBColour {
    switch agreement {
    case onlyB: RGBColour(86, 180, 233)
    case onlyA: RGBColour(230, 159, 0)
    case conflict: RGBColour(204, 121, 167)
    default: RGBColour(255, 255, 255)
    }
  }
}
