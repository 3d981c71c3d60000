import Work

// Two masks walked together, as runs of voxels that have one label in each.

extension ChunkedLabels {
  /// Calls `body` with a label of these voxels, the label of the other mask there, and how many voxels in a row have both,
  /// until every voxel was met.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of chunks that are not uniform in both).
  package func forEachPair(
    with other: ChunkedLabels, work: WorkContext, _ body: (UInt16, UInt16, Int) -> Void
  ) throws(Cancelled) {
    precondition(chunkGrid == other.chunkGrid, "\(grid.size) and \(other.grid.size)")
    for chunk in chunks.indices {
      if chunk & 63 == 0 { try work.checkCancellation() }
      if case .uniform(let one) = chunks[chunk], case .uniform(let two) = other.chunks[chunk] {
        body(one, two, chunkGrid.box(chunk).size.voxelCount)
        continue
      }
      let box = chunkGrid.box(chunk)
      LabelVolume.forEachPair(voxels(of: chunk, box), other.voxels(of: chunk, box), body)
    }
  }

  private func voxels(of chunk: Int, _ box: VoxelBounds) -> [UInt16] {
    switch chunks[chunk] {
    case .uniform(let label): [UInt16](repeating: label, count: box.size.voxelCount)
    case .voxels(let voxels): voxels
    }
  }
}

extension LabelVolume {
  /// As ``ChunkedLabels/forEachPair(with:work:_:)``.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels).
  package func forEachPair(
    with other: LabelVolume, work: WorkContext, _ body: (UInt16, UInt16, Int) -> Void
  ) throws(Cancelled) {
    precondition(voxels.count == other.voxels.count, "\(voxels.count) and \(other.voxels.count) voxels")
    let piece = 1 << 20
    for start in stride(from: 0, to: voxels.count, by: piece) {
      try work.checkCancellation()
      let range = start..<min(start + piece, voxels.count)
      LabelVolume.forEachPair(voxels[range], other.voxels[range], body)
    }
  }

  /// The pairs of two rows of voxels, equally many and at least one.
  fileprivate static func forEachPair<Voxels: Collection<UInt16>>(
    _ voxels: Voxels, _ others: Voxels, _ body: (UInt16, UInt16, Int) -> Void
  ) {
    voxels.withContiguousStorageIfAvailable { voxels in
      others.withContiguousStorageIfAvailable { others in
        var start = 0
        var (one, two) = (voxels[0], others[0])
        for offset in 1..<max(1, voxels.count) where voxels[offset] != one || others[offset] != two {
          body(one, two, offset - start)
          (one, two, start) = (voxels[offset], others[offset], offset)
        }
        body(one, two, voxels.count - start)
      }
    }
  }
}
