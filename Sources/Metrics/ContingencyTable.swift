import Volumes
import Work

/// The contingency table of the labels of two masks: the voxels of each label and of each pair of labels.
struct ContingencyTable: Sendable {
  /// Two labels that have voxels in common.
  struct Pair: Sendable {
    var reference, other: UInt16
    var voxelCount: Int
  }

  /// Voxels of each label that occurs, without background.
  let referenceVoxelCounts, otherVoxelCounts: [UInt16: Int]
  /// Ascending by the reference's label.
  let pairs: [Pair]

  /// Counts the labels of two masks on the same grid.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels + labels), for any number of pairs; 16 bytes for each run of voxels that has a
  ///   label in both masks.
  init(reference: LabelVolume, other: LabelVolume, work: WorkContext) throws(Cancelled) {
    try self.init { (body) throws(Cancelled) in try reference.forEachPair(with: other, work: work, body) }
  }

  /// Counts the labels that `forEachPair` enumerates.
  /// - Parameter forEachPair: Enumerates the two labels and the length of each run of voxels; it is called twice.
  init(_ forEachPair: ((UInt16, UInt16, Int) -> Void) throws(Cancelled) -> Void) throws(Cancelled) {
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
    var pairs: [Pair] = []
    var common = [Int](repeating: 0, count: 65536)
    for value in 1..<65536 where jointCounts[value] > 0 {
      let own = partners[ends[value] - jointCounts[value]..<ends[value]]
      for (partner, count) in own { common[Int(partner)] += count }
      for (partner, _) in own where common[Int(partner)] > 0 {
        pairs.append(Pair(reference: UInt16(value), other: partner, voxelCount: common[Int(partner)]))
        common[Int(partner)] = 0
      }
    }
    self.pairs = pairs
    referenceVoxelCounts = ContingencyTable.present(referenceCounts)
    otherVoxelCounts = ContingencyTable.present(otherCounts)
  }

  private static func present(_ counts: [Int]) -> [UInt16: Int] {
    var present: [UInt16: Int] = [:]
    for value in 1..<counts.count where counts[value] > 0 { present[UInt16(value)] = counts[value] }
    return present
  }

  /// Voxels that have one of `values` in the reference and one of `others` in the other mask.
  /// - Complexity: O(log pairs + pairs of `values`).
  func commonVoxelCount(_ values: Set<UInt16>, _ others: Set<UInt16>) -> Int {
    values.reduce(0) { sum, value in
      var (first, end) = (0, pairs.count)
      while first < end {
        let middle = (first + end) / 2
        if pairs[middle].reference < value { first = middle + 1 } else { end = middle }
      }
      return pairs[first...].prefix { $0.reference == value }
        .reduce(sum) { $0 + (others.contains($1.other) ? $1.voxelCount : 0) }
    }
  }
}
