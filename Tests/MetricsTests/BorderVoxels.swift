import Volumes

/// The border of label 1 by definition, in the order of memory: voxels of which a neighbour is outside, or beyond the
/// image.
func borderVoxels(of mask: LabelVolume) -> [VoxelIndex] {
  let size = mask.grid.size
  return (0..<size.voxelCount).map(size.index(offset:)).filter { index in
    guard mask.voxels[size.offset(index)] == 1 else { return false }
    return (0..<27).contains { step in
      let neighbour = VoxelIndex(index.i + step % 3 - 1, index.j + step / 3 % 3 - 1, index.k + step / 9 - 1)
      return !size.contains(neighbour) || mask.voxels[size.offset(neighbour)] != 1
    }
  }
}
