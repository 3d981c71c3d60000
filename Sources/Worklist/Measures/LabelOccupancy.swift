import Volumes
import Work

/// The positions along each axis at which a label has a voxel.
struct LabelOccupancy {
  private let lower: VoxelIndex
  /// For each axis, whether a position of the label's bounding box is occupied.
  private var isOccupied: [[Bool]]

  init(_ bounds: VoxelBounds) {
    lower = bounds.lower
    isOccupied = (0..<3).map { [Bool](repeating: false, count: bounds.size[$0]) }
  }

  /// Adds a run of voxels along i, which lies in the bounding box.
  mutating func add(_ run: Range<Int>, j: Int, k: Int) {
    for i in run { isOccupied[0][i - lower.i] = true }
    isOccupied[1][j - lower.j] = true
    isOccupied[2][k - lower.k] = true
  }

  /// The positions along an axis without the label between positions with it.
  func missingCount(along axis: Int) -> Int { isOccupied[axis].count { !$0 } }

  /// The slices without the label between slices with it, in each plane that has any.
  func missingSlices(_ orientation: Orientation) -> [AnatomicalPlane: Int] {
    var counts: [AnatomicalPlane: Int] = [:]
    for plane in AnatomicalPlane.allCases {
      let count = missingCount(along: orientation.sliceAxis(of: plane))
      if count > 0 { counts[plane] = count }
    }
    return counts
  }
}

extension LabelVolume {
  /// The occupied positions of each label with a bounding box.
  /// - Complexity: O(voxels).
  func occupiedPositions(
    _ bounds: [UInt16: VoxelBounds], work: WorkContext
  ) throws(Cancelled) -> [UInt16: LabelOccupancy] {
    let size = grid.size
    var occupied = bounds.mapValues(LabelOccupancy.init)
    try voxels.withUnsafeBufferPointer { voxels throws(Cancelled) in
      for k in 0..<size.k {
        try work.checkCancellation()
        for j in 0..<size.j {
          let start = (k * size.j + j) * size.i
          var i = 0
          while i < size.i {
            let (first, code) = (i, voxels[start + i])
            repeat { i += 1 } while i < size.i && voxels[start + i] == code
            if code != 0 { occupied[code]?.add(first..<i, j: j, k: k) }
          }
        }
      }
    }
    return occupied
  }
}
