import Work

extension Array where Element: BitwiseCopyable {
  /// The voxels inside `box` of a volume of `size`, in order of memory, copied by all threads.
  /// - Throws: ``Cancelled``.
  package func cropped(to box: VoxelBounds, size: GridSize, work: WorkContext) throws(Cancelled) -> [Element]
  {
    try mapped(in: box, size: size, work: work) { row, target in
      target.update(from: row.start, count: row.count)
    }
  }

  /// The voxels inside `box` of a volume of `size`, in order of memory, row by row in parallel.
  ///
  /// - Parameter map: Writes what becomes of a row. A whole row, because a generic call for each voxel would take longer than what
  ///   is done with it.
  /// - Throws: ``Cancelled``.
  package func mapped<Mapped: BitwiseCopyable>(
    in box: VoxelBounds, size: GridSize, work: WorkContext,
    _ map: @Sendable (_ row: SharedBuffer<Element>, _ target: UnsafeMutablePointer<Mapped>) -> Void
  ) throws(Cancelled) -> [Mapped] {
    let part = box.size
    return try [Mapped](count: part.voxelCount) { mapped throws(Cancelled) in
      try withUnsafeBufferPointer { voxels throws(Cancelled) in
        let voxels = SharedBuffer(voxels)
        try work.forEach(count: part.k) { k, _ in
          for j in 0..<part.j {
            let first = ((box.lower.k + k) * size.j + box.lower.j + j) * size.i + box.lower.i
            let row = UnsafeBufferPointer(start: voxels.start + first, count: part.i)
            map(SharedBuffer(row), mapped.start + (k * part.j + j) * part.i)
          }
        }
      }
    }
  }
}

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
