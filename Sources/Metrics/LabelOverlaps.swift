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
  /// The pairs whose Dice is at least ``leastDice``: the greatest first, of equals the lower values.
  package let pairs: [LabelOverlap]

  /// Pairs that overlap less are not kept: each label then has at most twenty.
  package static let leastDice = 0.1

  /// Overlaps of two masks that lie voxel upon voxel.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels + labels), however many pairs of labels meet; 16 bytes for each run of voxels that has a
  ///   label in both masks.
  package init(reference: LabelVolume, other: LabelVolume, work: WorkContext) throws(Cancelled) {
    try self.init { (body) throws(Cancelled) in try reference.forEachPair(with: other, work: work, body) }
  }

  /// The same of masks in chunks.
  /// - Throws: `Cancelled`.
  package init(reference: ChunkedLabels, other: ChunkedLabels, work: WorkContext) throws(Cancelled) {
    try self.init { (body) throws(Cancelled) in try reference.forEachPair(with: other, work: work, body) }
  }

  /// - Parameter forEachPair: Gives the two labels of each run of voxels, and its length; it is called twice.
  private init(
    _ forEachPair: ((UInt16, UInt16, Int) -> Void) throws(Cancelled) -> Void
  ) throws(Cancelled) {
    var referenceCounts = [Int](repeating: 0, count: 65536)
    var otherCounts = referenceCounts
    // Runs of each reference label that have a label in the other mask too.
    var jointCounts = referenceCounts
    try forEachPair { one, two, count in
      referenceCounts[Int(one)] += count
      otherCounts[Int(two)] += count
      if one != 0, two != 0 { jointCounts[Int(one)] += 1 }
    }
    // The other mask's labels, sorted by the reference's label in the same voxels.
    var ends = [Int](repeating: 0, count: 65536)
    var total = 0
    for value in ends.indices {
      ends[value] = total
      total += jointCounts[value]
    }
    var partners = [(label: UInt16, count: Int)](repeating: (0, 0), count: total)
    try forEachPair { one, two, count in
      guard one != 0, two != 0 else { return }
      partners[ends[Int(one)]] = (two, count)
      ends[Int(one)] += 1
    }
    var pairs: [LabelOverlap] = []
    var common = [Int](repeating: 0, count: 65536)
    for value in 1..<65536 where jointCounts[value] > 0 {
      let own = partners[ends[value] - jointCounts[value]..<ends[value]]
      for (partner, count) in own { common[Int(partner)] += count }
      for (partner, _) in own where common[Int(partner)] > 0 {
        let shared = common[Int(partner)]
        common[Int(partner)] = 0
        let dice = 2 * Double(shared) / Double(referenceCounts[value] + otherCounts[Int(partner)])
        guard dice >= LabelOverlaps.leastDice else { continue }
        pairs.append(
          LabelOverlap(reference: UInt16(value), other: partner, commonVoxelCount: shared, dice: dice))
      }
    }
    self.pairs = pairs.sorted { ($1.dice, $0.reference, $0.other) < ($0.dice, $1.reference, $1.other) }
    referenceVoxelCounts = LabelOverlaps.present(referenceCounts)
    otherVoxelCounts = LabelOverlaps.present(otherCounts)
  }

  private static func present(_ counts: [Int]) -> [UInt16: Int] {
    var present: [UInt16: Int] = [:]
    for value in 1..<counts.count where counts[value] > 0 { present[UInt16(value)] = counts[value] }
    return present
  }
}
