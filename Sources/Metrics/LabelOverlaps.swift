import Volumes
import Work

/// Two overlapping labels of two masks.
package struct LabelOverlap: Hashable, Sendable {
  /// The labels' values.
  package let reference, other: UInt16
  /// Voxels that have both.
  package let commonVoxelCount: Int
  /// 2 |reference ∩ other| / (|reference| + |other|).
  package let dice: Double

  package init(reference: UInt16, other: UInt16, commonVoxelCount: Int, dice: Double) {
    self.reference = reference
    self.other = other
    self.commonVoxelCount = commonVoxelCount
    self.dice = dice
  }
}

/// The overlaps of the labels of two masks, independent of their names.
package struct LabelOverlaps: Equatable, Sendable {
  /// Voxels of each label that occurs, without background.
  package let referenceVoxelCounts, otherVoxelCounts: [UInt16: Int]
  /// The pairs whose Dice is at least ``minimumDice``, by descending Dice, then by ascending values.
  package let pairs: [LabelOverlap]

  /// The minimum Dice of ``pairs``, so that each label has at most twenty pairs.
  package static let minimumDice = 0.1

  /// Overlaps of two masks on the same grid.
  /// - Throws: `Cancelled`.
  /// - Complexity: As ``ContingencyTable``.
  package init(reference: LabelVolume, other: LabelVolume, work: WorkContext) throws(Cancelled) {
    self.init(try ContingencyTable(reference: reference, other: other, work: work))
  }

  /// The overlaps of two masks in chunks on the same grid.
  /// - Throws: `Cancelled`.
  package init(reference: ChunkedLabels, other: ChunkedLabels, work: WorkContext) throws(Cancelled) {
    self.init(
      try ContingencyTable { (body) throws(Cancelled) in
        try reference.forEachPair(with: other, work: work, body)
      })
  }

  /// The overlaps of two masks with known extents.
  package init(_ extents: LabelExtents) { self.init(extents.contingencies) }

  private init(_ contingencies: ContingencyTable) {
    referenceVoxelCounts = contingencies.referenceVoxelCounts
    otherVoxelCounts = contingencies.otherVoxelCounts
    pairs = contingencies.pairs.compactMap { pair in
      let dice = diceCoefficient(
        contingencies.referenceVoxelCounts[pair.reference, default: 0],
        contingencies.otherVoxelCounts[pair.other, default: 0], common: pair.voxelCount)
      guard dice >= Self.minimumDice else { return nil }
      return LabelOverlap(
        reference: pair.reference, other: pair.other, commonVoxelCount: pair.voxelCount, dice: dice)
    }.sorted { ($1.dice, $0.reference, $0.other) < ($0.dice, $1.reference, $1.other) }
  }
}
