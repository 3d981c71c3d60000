import Volumes
import Work

/// A label of one mask and a label of another that lie on each other.
package struct LabelOverlap: Hashable, Sendable {
  /// The labels' values.
  package let reference, other: UInt16
  /// Voxels that have both.
  package let commonVoxelCount: Int
  /// 2 |reference ∩ other| / (|reference| + |other|).
  package let dice: Double

  /// An overlap.
  package init(reference: UInt16, other: UInt16, commonVoxelCount: Int, dice: Double) {
    self.reference = reference
    self.other = other
    self.commonVoxelCount = commonVoxelCount
    self.dice = dice
  }
}

/// How the labels of two masks lie on each other, whatever they are called.
package struct LabelOverlaps: Equatable, Sendable {
  /// Voxels of each label that occurs, background left out.
  package let referenceVoxelCounts, otherVoxelCounts: [UInt16: Int]
  /// The pairs whose Dice is at least ``minimumDice``: the greatest first, of equals the lower values.
  package let pairs: [LabelOverlap]

  /// Pairs that overlap less are not kept: each label then has at most twenty.
  package static let minimumDice = 0.1

  /// Overlaps of two masks that lie voxel upon voxel.
  /// - Throws: `Cancelled`.
  /// - Complexity: As of ``LabelMeetings``.
  package init(reference: LabelVolume, other: LabelVolume, work: WorkContext) throws(Cancelled) {
    self.init(try LabelMeetings(reference: reference, other: other, work: work))
  }

  /// The same of masks in chunks.
  /// - Throws: `Cancelled`.
  package init(reference: ChunkedLabels, other: ChunkedLabels, work: WorkContext) throws(Cancelled) {
    self.init(
      try LabelMeetings { (body) throws(Cancelled) in try reference.forEachPair(with: other, work: work, body)
      })
  }

  /// The same of masks whose labels were counted already.
  package init(_ extents: LabelExtents) { self.init(extents.meetings) }

  private init(_ meetings: LabelMeetings) {
    referenceVoxelCounts = meetings.referenceVoxelCounts
    otherVoxelCounts = meetings.otherVoxelCounts
    pairs = meetings.pairs.compactMap { pair in
      let dice = diceCoefficient(
        meetings.referenceVoxelCounts[pair.reference, default: 0],
        meetings.otherVoxelCounts[pair.other, default: 0], common: pair.voxelCount)
      guard dice >= Self.minimumDice else { return nil }
      return LabelOverlap(
        reference: pair.reference, other: pair.other, commonVoxelCount: pair.voxelCount, dice: dice)
    }.sorted { ($1.dice, $0.reference, $0.other) < ($0.dice, $1.reference, $1.other) }
  }
}
