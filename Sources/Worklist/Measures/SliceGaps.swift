import Volumes

/// The slices between the parts of a label that no part reaches, along each axis of the grid.
///
/// A part is connected, so every slice of its bounding box contains a voxel of it.
struct SliceGaps {
  private let parts: [VoxelBounds]

  /// The gaps between parts with these bounding boxes.
  init(between parts: [VoxelBounds]) { self.parts = parts }

  /// The number of slices along an axis without a part, between slices with one; 0 for fewer than two parts.
  /// - Complexity: O(n log n) in parts.
  func count(along axis: Int) -> Int {
    var (count, last) = (0, Int?.none)
    for part in parts.sorted(by: { $0.lower[axis] < $1.lower[axis] }) {
      if let last { count += max(0, part.lower[axis] - last - 1) }
      last = max(last ?? part.upper[axis], part.upper[axis])
    }
    return count
  }

  /// The number of missing slices of each plane; planes without any have no entry.
  func counts(_ orientation: Orientation) -> [AnatomicalPlane: Int] {
    var counts: [AnatomicalPlane: Int] = [:]
    for plane in AnatomicalPlane.allCases {
      let count = count(along: orientation.sliceAxis(of: plane))
      if count > 0 { counts[plane] = count }
    }
    return counts
  }
}
