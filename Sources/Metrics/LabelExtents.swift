import Synchronization
import Volumes
import Work

/// The voxel counts and bounds of each label in two masks, and the voxel count of each pair of labels.
package struct LabelExtents: Sendable {
  let contingencies: ContingencyTable
  /// The box around each label.
  private let referenceBoxes, otherBoxes: [UInt16: VoxelBounds]
  /// Every voxel of each label.
  let referenceOffsets = LabelOffsets()
  let otherOffsets = LabelOffsets()

  /// Counts the labels of two masks on the same grid.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels).
  package init(reference: LabelVolume, other: LabelVolume, work: WorkContext) throws(Cancelled) {
    contingencies = try ContingencyTable(reference: reference, other: other, work: work)
    referenceBoxes = try Self.boxes(of: reference, work)
    otherBoxes = try Self.boxes(of: other, work)
  }

  private static func boxes(of volume: LabelVolume, _ work: WorkContext) throws(Cancelled) -> [UInt16:
    VoxelBounds]
  {
    var boxes = [VoxelBounds?](repeating: nil, count: 65536)
    let size = volume.grid.size
    for k in 0..<size.k {
      try work.checkCancellation()
      for j in 0..<size.j {
        let row = size.offset(VoxelIndex(0, j, k))
        var i = 0
        while i < size.i {
          let label = volume.voxels[row + i]
          var end = i + 1
          while end < size.i, volume.voxels[row + end] == label { end += 1 }
          if label != 0 {
            let run = VoxelBounds(lower: VoxelIndex(i, j, k), upper: VoxelIndex(end - 1, j, k))
            boxes[Int(label)] = boxes[Int(label)]?.union(run) ?? run
          }
          i = end
        }
      }
    }
    var found: [UInt16: VoxelBounds] = [:]
    for (label, box) in boxes.enumerated() { found[UInt16(label)] = box }
    return found
  }

  /// The overlap of a structure in both masks.
  package func overlap(of structure: MatchedStructure) -> OverlapMeasures { extent(of: structure).overlap }

  /// Voxel counts of a structure in both masks, and the box around both versions of it, nil when both are empty.
  func extent(of structure: MatchedStructure) -> (overlap: OverlapMeasures, box: VoxelBounds?) {
    let (values, others) = (Set(structure.referenceValues), Set(structure.otherValues))
    let boxes = values.compactMap { referenceBoxes[$0] } + others.compactMap { otherBoxes[$0] }
    return (
      OverlapMeasures(
        referenceVoxelCount: values.reduce(0) { $0 + (contingencies.referenceVoxelCounts[$1] ?? 0) },
        otherVoxelCount: others.reduce(0) { $0 + (contingencies.otherVoxelCounts[$1] ?? 0) },
        intersectionVoxelCount: contingencies.commonVoxelCount(values, others)),
      boxes.reduce(nil) { $0?.union($1) ?? $1 }
    )
  }
}

/// The offsets of the voxels of each label of a mask, sorted by label at the first request: 4 bytes for each.
final class LabelOffsets: Sendable {
  private struct Index: Sendable {
    /// The index in ``offsets`` of the first voxel of each label; one element more than there are labels.
    var starts: [Int]
    var offsets: [UInt32]
  }

  private let index = Mutex<Index?>(nil)

  /// The offsets of the voxels that have one of `values`, ascending; nil in a mask whose voxels 32 bits do not number.
  /// - Parameter volume: Always the same.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels) the first time, then O(those that are returned).
  func offsets(of values: [UInt16], _ volume: LabelVolume, work: WorkContext) throws(Cancelled) -> [UInt32]? {
    guard volume.voxels.count <= Int(UInt32.max) else { return nil }
    let known: Index
    if let index = index.withLock(\.self) {
      known = index
    } else {
      known = try Self.index(volume, work)
      index.withLock { $0 = known }
    }
    let lists = Set(values).map { known.offsets[known.starts[Int($0)]..<known.starts[Int($0) + 1]] }
    return lists.count == 1 ? Array(lists[0]) : lists.joined().sorted()
  }

  private static func index(_ volume: LabelVolume, _ work: WorkContext) throws(Cancelled) -> Index {
    var starts = [Int](repeating: 0, count: 65537)
    try work.checkCancellation()
    for (label, count) in volume.voxelCounts() where label != 0 { starts[Int(label) + 1] = count }
    for label in 1...65536 { starts[label] += starts[label - 1] }
    var ends = starts
    var offsets = [UInt32](repeating: 0, count: starts[65536])
    let piece = 1 << 20
    for start in stride(from: 0, to: volume.voxels.count, by: piece) {
      try work.checkCancellation()
      for offset in start..<min(start + piece, volume.voxels.count) {
        let label = Int(volume.voxels[offset])
        guard label != 0 else { continue }
        offsets[ends[label]] = UInt32(offset)
        ends[label] += 1
      }
    }
    return Index(starts: starts, offsets: offsets)
  }
}
