import Volumes
import Work

/// The voxels of structures in each slice across each axis, in one mask, in another, and in both.
package struct SliceOverlaps: Equatable, Sendable {
  /// The voxels of a structure in a slice.
  package struct Counts: Hashable, Sendable {
    /// In the one mask, in the other, in both.
    package var one = 0, other = 0, common = 0

    package init(one: Int = 0, other: Int = 0, common: Int = 0) {
      (self.one, self.other, self.common) = (one, other, common)
    }

    /// 2 |A∩B| / (|A| + |B|); nil where neither mask has a voxel.
    package var dice: Double? { one + other == 0 ? nil : diceCoefficient(one, other, common: common) }

    /// The sum of two slices.
    package static func + (first: Counts, second: Counts) -> Counts {
      Counts(
        one: first.one + second.one, other: first.other + second.other, common: first.common + second.common)
    }
  }

  /// Structures: the one of each label in either mask, and the box that holds all of a structure in both.
  package struct Structures: Sendable {
    /// The structure of each of the 65536 labels, counted from 1; 0 for labels that belong to none.
    package var ofOne, ofOther: [Int32]
    /// The box of each structure; nil where no voxel belongs to it.
    package var boxes: [VoxelBounds?]
    /// Whether each structure counts in the total.
    package var isInTotal: [Bool]

    /// Structures; both tables have 65536 elements.
    package init(ofOne: [Int32], ofOther: [Int32], boxes: [VoxelBounds?], isInTotal: [Bool]) {
      precondition(boxes.count == isInTotal.count, "\(boxes.count) and \(isInTotal.count) structures")
      (self.ofOne, self.ofOther) = (ofOne, ofOther)
      (self.boxes, self.isInTotal) = (boxes, isInTotal)
    }
  }

  /// The counts of the slices of a structure's box in ``counts``, for each of the axes i, j and k.
  private struct CountRange: Equatable, Sendable {
    /// The offset of the first slice's counts, the index of that slice, and the number of slices.
    var starts, firsts, lengths: SIMD3<Int>
  }

  /// For each slice of each counted structure, its voxels in one mask, in the other and in both; the fourth lane is 0.
  private var counts: [SIMD4<UInt32>] = []
  /// Where the counts of each structure are, the total first; nil for a structure that is not counted.
  private var ranges: [CountRange?]

  /// The maximum number of counted slices of structures: 64 MiB.
  ///
  /// Structures beyond it have no counts of their own.
  private static let maximumSliceCount = 1 << 22

  /// Counts the voxels of each structure in each slice.
  /// - Parameter other: The other mask, on the same grid; nil for one that is background everywhere.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(chunks + voxels of the chunks that are not uniform); 16 bytes for each slice of a structure.
  package init(
    _ one: ChunkedLabels, _ other: ChunkedLabels?, of structures: Structures, work: WorkContext
  ) throws(Cancelled) {
    var total = 0
    func range(_ box: VoxelBounds?) -> CountRange? {
      guard let box, total + box.size.i + box.size.j + box.size.k <= Self.maximumSliceCount else {
        return nil
      }
      let lengths = SIMD3(box.size.i, box.size.j, box.size.k)
      let starts = SIMD3(total, total + lengths.x, total + lengths.x + lengths.y)
      total += lengths.x + lengths.y + lengths.z
      return CountRange(
        starts: starts, firsts: SIMD3(box.lower.i, box.lower.j, box.lower.k), lengths: lengths)
    }
    ranges = [range(VoxelBounds(one.grid.size))] + structures.boxes.map(range)
    counts = try [SIMD4<UInt32>](checkedRepeating: .zero, count: total)
    var counts: [SIMD4<UInt32>] = []
    swap(&counts, &self.counts)
    let ranges = ranges
    let isInTotal = [false] + structures.isInTotal
    func add(_ count: Int, _ number: Int, _ part: SIMD4<UInt32>, _ axis: Int, _ slice: Int) {
      guard let range = ranges[number] else { return }
      counts[range.starts[axis] + slice - range.firsts[axis]] &+= part &* UInt32(truncatingIfNeeded: count)
    }
    try one.forEachRowPair(with: other, work: work) { label, partner, box in
      let (first, second) = (Int(structures.ofOne[Int(label)]), Int(structures.ofOther[Int(partner)]))
      guard first | second != 0 else { return }
      let isCommon = first == second
      let (countsFirst, countsSecond) = (isInTotal[first], isInTotal[second])
      for axis in 0..<3 {
        let count = box.size.voxelCount / box.size[axis]
        for slice in box.lower[axis]...box.upper[axis] {
          add(
            count, 0,
            SIMD4(countsFirst ? 1 : 0, countsSecond ? 1 : 0, isCommon && countsFirst ? 1 : 0, 0), axis, slice)
          if first != 0 { add(count, first, SIMD4(1, isCommon ? 1 : 0, isCommon ? 1 : 0, 0), axis, slice) }
          if second != 0, !isCommon { add(count, second, SIMD4(0, 1, 0, 0), axis, slice) }
        }
      }
    }
    self.counts = counts
  }

  /// Whether a structure, counted from 1, has counts of its own; false also where no voxel belongs to it.
  package func isCounted(_ structure: Int) -> Bool {
    ranges.indices.contains(structure) && ranges[structure] != nil
  }

  /// The voxels of a structure, counted from 1, in a slice across an axis; 0 stands for all structures of the total
  /// together.
  ///
  /// A voxel is common to both masks where it has one structure in both.
  package func counts(of structure: Int, axis: Int, slice: Int) -> Counts {
    guard ranges.indices.contains(structure), let range = ranges[structure],
      (0..<range.lengths[axis]).contains(slice - range.firsts[axis])
    else { return Counts() }
    let found = counts[range.starts[axis] + slice - range.firsts[axis]]
    return Counts(one: Int(found.x), other: Int(found.y), common: Int(found.z))
  }
}
