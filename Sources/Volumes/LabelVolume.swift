/// A label of each voxel of a grid, i fastest; 0 is background.
///
/// Voxels hold codes, which are the file's own values except where ``coding`` says otherwise.
package struct LabelVolume: Equatable, Sendable {
  /// Where the voxels lie.
  package var grid: VolumeGrid
  /// One label per voxel.
  package var voxels: [UInt16]
  /// Which value of a file each code stands for.
  package var coding: LabelCoding

  /// A volume; `voxels` has `grid.size.voxelCount` elements.
  package init(grid: VolumeGrid, voxels: [UInt16], coding: LabelCoding = .identity) {
    precondition(voxels.count == grid.size.voxelCount, "\(voxels.count) voxels for \(grid.size)")
    self.grid = grid
    self.voxels = voxels
    self.coding = coding
  }

  /// The codes present and how many voxels have each, background included.
  /// - Complexity: O(n).
  package func voxelCounts() -> [UInt16: Int] {
    var counts = [Int](repeating: 0, count: 65536)
    // Most voxels are like the one before them: a run is counted at once.
    var (last, start) = (voxels.first ?? 0, 0)
    voxels.withUnsafeBufferPointer { voxels in
      for (position, value) in voxels.enumerated() where value != last {
        counts[Int(last)] += position - start
        (last, start) = (value, position)
      }
    }
    counts[Int(last)] += voxels.count - start
    var present: [UInt16: Int] = [:]
    for (value, count) in counts.enumerated() where count > 0 { present[UInt16(value)] = count }
    return present
  }
}
