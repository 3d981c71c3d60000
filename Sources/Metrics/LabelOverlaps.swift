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
  /// - Complexity: O(voxels + labels), however many pairs of labels meet; 2 bytes for each voxel that has a label in
  ///   both masks.
  package init(reference: LabelVolume, other: LabelVolume, work: WorkContext) throws(Cancelled) {
    let count = reference.voxels.count
    precondition(count == other.voxels.count, "\(count) and \(other.voxels.count) voxels")
    var referenceCounts = [Int](repeating: 0, count: 65536)
    var otherCounts = referenceCounts
    // Voxels of each reference label that have a label in the other mask too.
    var jointCounts = referenceCounts
    try LabelOverlaps.forEachChunk(count, work) { range in
      for voxel in range {
        let (one, two) = (reference.voxels[voxel], other.voxels[voxel])
        referenceCounts[Int(one)] += 1
        otherCounts[Int(two)] += 1
        if one != 0, two != 0 { jointCounts[Int(one)] += 1 }
      }
    }
    // The other mask's labels, sorted by the reference's label in the same voxel.
    var ends = [Int](repeating: 0, count: 65536)
    var total = 0
    for value in ends.indices {
      ends[value] = total
      total += jointCounts[value]
    }
    var partners = [UInt16](repeating: 0, count: total)
    try LabelOverlaps.forEachChunk(count, work) { range in
      for voxel in range {
        let (one, two) = (reference.voxels[voxel], other.voxels[voxel])
        guard one != 0, two != 0 else { continue }
        partners[ends[Int(one)]] = two
        ends[Int(one)] += 1
      }
    }
    var pairs: [LabelOverlap] = []
    var common = [Int](repeating: 0, count: 65536)
    for value in 1..<65536 where jointCounts[value] > 0 {
      let own = partners[ends[value] - jointCounts[value]..<ends[value]]
      for partner in own { common[Int(partner)] += 1 }
      for partner in own where common[Int(partner)] > 0 {
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

  private static func forEachChunk(
    _ count: Int, _ work: WorkContext, _ body: (Range<Int>) -> Void
  ) throws(Cancelled) {
    let chunk = 1 << 20
    for start in stride(from: 0, to: count, by: chunk) {
      try work.checkCancellation()
      body(start..<min(start + chunk, count))
    }
  }

  private static func present(_ counts: [Int]) -> [UInt16: Int] {
    var present: [UInt16: Int] = [:]
    for value in 1..<counts.count where counts[value] > 0 { present[UInt16(value)] = counts[value] }
    return present
  }
}
