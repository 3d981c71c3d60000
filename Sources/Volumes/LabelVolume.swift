import Work

/// A label of each voxel of a grid, i fastest; 0 is background.
///
/// Voxels hold codes, which are the file's own values except where ``coding`` says otherwise.
package struct LabelVolume: Equatable, Sendable {
  /// The size and affine.
  package var grid: VolumeGrid
  /// One label per voxel.
  package var voxels: [UInt16]
  /// The file's value of each code.
  package var coding: LabelCoding

  /// A volume; `voxels` has `grid.size.voxelCount` elements.
  package init(grid: VolumeGrid, voxels: [UInt16], coding: LabelCoding = .identity) {
    precondition(voxels.count == grid.size.voxelCount, "\(voxels.count) voxels for \(grid.size)")
    self.grid = grid
    self.voxels = voxels
    self.coding = coding
  }

  /// Refuses labels that memory does not hold.
  ///
  /// - Parameters:
  ///   - volumes: The maximum number of volumes of this size that are in memory at once.
  ///   - subject: The file or mask that has them.
  /// - Returns: Their bytes.
  @discardableResult
  package static func requireMemory(
    on size: GridSize, volumes: Int, subject: String
  ) throws(InputError) -> Int {
    let byteCount = checkedProduct(size.voxelCount, volumes, MemoryLayout<UInt16>.stride)
    try AvailableMemory.require(byteCount, subject: subject, "holding its labels on \(size) voxels")
    return byteCount ?? 0
  }

  /// The codes present and how many voxels have each, background included.
  /// - Complexity: O(n).
  package func voxelCounts() -> [UInt16: Int] {
    var counts = [Int](repeating: 0, count: 65536)
    // Most voxels equal the previous one, so whole runs are counted.
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
