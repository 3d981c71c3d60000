/// Probabilities of each class on a grid: class slowest, then k, j, i.
package struct ProbabilityVolume: Equatable, Sendable {
  /// The size and affine.
  package var grid: VolumeGrid
  /// Classes, background first.
  package var classCount: Int
  /// `classCount * grid.size.voxelCount` values; those of one voxel add up to 1.
  package var values: [Float]

  /// A volume; `values` has `classCount * grid.size.voxelCount` elements.
  package init(grid: VolumeGrid, classCount: Int, values: [Float]) {
    precondition(values.count == classCount * grid.size.voxelCount, "\(values.count) values for \(grid.size)")
    self.grid = grid
    self.classCount = classCount
    self.values = values
  }
}
