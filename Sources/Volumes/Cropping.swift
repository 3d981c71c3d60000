extension RandomAccessCollection where Index == Int {
  /// The voxels inside `box` of a volume of `size`, in order of memory.
  package func cropped(to box: VoxelBounds, size: GridSize) -> [Element] {
    var part: [Element] = []
    part.reserveCapacity(box.size.voxelCount)
    for k in box.lower.k...box.upper.k {
      for j in box.lower.j...box.upper.j {
        let row = startIndex + (k * size.j + j) * size.i
        part += self[row + box.lower.i...row + box.upper.i]
      }
    }
    return part
  }
}
