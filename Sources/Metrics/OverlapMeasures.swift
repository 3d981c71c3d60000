/// The overlap of two structures, from counts of voxels.
package struct OverlapMeasures: Hashable, Sendable, Codable {
  /// Voxels of the reference, of the other, and of both.
  package let referenceVoxelCount, otherVoxelCount, intersectionVoxelCount: Int

  /// Measures of these counts.
  package init(referenceVoxelCount: Int, otherVoxelCount: Int, intersectionVoxelCount: Int) {
    precondition(
      intersectionVoxelCount <= min(referenceVoxelCount, otherVoxelCount),
      "\(intersectionVoxelCount) voxels in both of \(referenceVoxelCount) and \(otherVoxelCount)")
    self.referenceVoxelCount = referenceVoxelCount
    self.otherVoxelCount = otherVoxelCount
    self.intersectionVoxelCount = intersectionVoxelCount
  }

  /// The number of voxels in either mask.
  private var unionVoxelCount: Int { referenceVoxelCount + otherVoxelCount - intersectionVoxelCount }

  /// 2|A∩B| / (|A| + |B|); 1 when both are empty.
  package var dice: Double {
    diceCoefficient(referenceVoxelCount, otherVoxelCount, common: intersectionVoxelCount)
  }

  /// VOE, 100 (1 - |A∩B| / |A∪B|) in percent; 0 when both are empty.
  package var volumetricOverlapErrorPercent: Double {
    unionVoxelCount == 0 ? 0 : 100 * (1 - Double(intersectionVoxelCount) / Double(unionVoxelCount))
  }

  /// RVD, 100 (|other| - |reference|) / |reference| in percent; 0 when both are empty, nil when only the reference is.
  package var relativeVolumeDifferencePercent: Double? {
    if referenceVoxelCount == 0 { return otherVoxelCount == 0 ? 0 : nil }
    return 100 * Double(otherVoxelCount - referenceVoxelCount) / Double(referenceVoxelCount)
  }
}
