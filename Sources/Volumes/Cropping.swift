import Work

extension Array where Element: BitwiseCopyable {
  /// The voxels inside `box` of a volume of `size`, in order of memory, copied by all threads.
  /// - Throws: ``Cancelled``.
  package func cropped(to box: VoxelBounds, size: GridSize, work: WorkContext) throws(Cancelled) -> [Element]
  {
    try mapped(in: box, size: size, work: work) { $0 }
  }

  /// The voxels inside `box` of a volume of `size`, mapped by `transform` in parallel, in memory order.
  /// - Throws: ``Cancelled``.
  package func mapped<Mapped: BitwiseCopyable>(
    in box: VoxelBounds, size: GridSize, work: WorkContext, _ transform: @Sendable (Element) -> Mapped
  ) throws(Cancelled) -> [Mapped] {
    let part = box.size
    return try [Mapped](count: part.voxelCount) { mapped throws(Cancelled) in
      try withUnsafeBufferPointer { voxels throws(Cancelled) in
        let voxels = SharedBuffer(voxels)
        try work.forEach(count: part.k) { k, _ in
          for j in 0..<part.j {
            let row = ((box.lower.k + k) * size.j + box.lower.j + j) * size.i + box.lower.i
            let target = (k * part.j + j) * part.i
            for i in 0..<part.i { mapped.start[target + i] = transform(voxels.start[row + i]) }
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
