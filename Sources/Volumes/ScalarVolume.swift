/// Intensities on a grid, i fastest.
package struct ScalarVolume: Equatable, Sendable {
  /// The size and affine.
  package var grid: VolumeGrid
  /// One value per voxel in the image's own units (Hounsfield units for CT), in the type in which it is stored.
  package var voxels: IntensityVoxels

  /// A volume; `voxels` has `grid.size.voxelCount` elements.
  package init(grid: VolumeGrid, voxels: IntensityVoxels) {
    precondition(voxels.count == grid.size.voxelCount, "\(voxels.count) voxels for \(grid.size)")
    self.grid = grid
    self.voxels = voxels
  }

  /// A volume of floats.
  package init(grid: VolumeGrid, voxels: [Float]) { self.init(grid: grid, voxels: IntensityVoxels(voxels)) }
}
