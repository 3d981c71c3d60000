import Volumes
import Work

extension ImageFile {
  /// The intensities of slice `k` of a frame, on the grid of this slice alone; numbers that are not finite stay as they
  /// are.
  ///
  /// Only the slice of an uncompressed file is read. A compressed file is also inflated up to the slice, and a DICOM
  /// series decodes only the frame of the slice.
  /// - Throws: ``InputError`` when there is no such frame, the voxels are not real numbers, the file is damaged up to
  ///   the end of the slice, or memory is too small; ``Cancelled``.
  /// - Complexity: 4 bytes per voxel of the slice.
  package func slice(
    _ k: Int, frame: Int = 0, work: WorkContext = WorkContext()
  ) throws -> ScalarVolume {
    let size = GridSize(grid.size.i, grid.size.j, 1)
    try checkMemory(size.voxelCount * MemoryLayout<Float>.stride)
    var loop = SliceLoop(scaling: scaling)
    loop.values.reserveCapacity(size.voxelCount)
    try readStoredSlice(k, frame: frame, work: work) { loop.run(over: $0, type: voxelType) }
    var affine = grid.affine
    affine.origin = affine.world(VoxelIndex(0, 0, k))
    return ScalarVolume(grid: VolumeGrid(size: size, affine: affine), voxels: loop.values)
  }
}

/// Collects the values of stored numbers.
private struct SliceLoop: StoredNumberLoop {
  let scaling: VoxelScaling
  var values: [Float] = []

  mutating func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) {
    if scaling.isIdentity {
      values += numbers.lazy.map(\.single)
    } else {
      let (slope, intercept) = (scaling.slope, scaling.intercept)
      values += numbers.lazy.map { Float(slope * $0.double + intercept) }
    }
  }
}
