import Work

// Two masks walked together, as runs of voxels that have one label in each.

extension ChunkedLabels {
  /// Calls `body` with a label of these voxels, the label of the other mask there, and how many voxels in a row have
  /// both, until every voxel was met.
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

  /// Calls `body` with a label of these voxels, the label of the other mask there, and a box of voxels that have both:
  /// a whole chunk, or a run along i.
  ///
  /// Boxes that are background in both masks are left out.
  /// - Parameter other: The other mask; nil for one that is background everywhere.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(chunks + voxels of chunks that are not uniform in both).
  package func forEachRowPair(
    with other: ChunkedLabels?, work: WorkContext, _ body: (UInt16, UInt16, VoxelBounds) -> Void
  ) throws(Cancelled) {
    precondition(other.map { $0.chunkGrid == chunkGrid } ?? true, "masks on different grids")
    for chunk in chunks.indices {
      if chunk & 15 == 0 { try work.checkCancellation() }
      let box = chunkGrid.box(chunk)
      let partner = other?.chunks[chunk] ?? .uniform(0)
      if case .uniform(let one) = chunks[chunk], case .uniform(let two) = partner {
        if one | two != 0 { body(one, two, box) }
        continue
      }
      let (own, others) = (voxels(of: chunk, box), other?.voxels(of: chunk, box))
      let width = box.size.i
      for row in 0..<box.size.j * box.size.k {
        let (j, k) = (box.lower.j + row % box.size.j, box.lower.k + row / box.size.j)
        let end = (row + 1) * width
        var start = row * width
        while start < end {
          let (one, two) = (own[start], others?[start] ?? 0)
          var next = start + 1
          while next < end, own[next] == one, others?[next] ?? 0 == two { next += 1 }
          if one | two != 0 {
            let i = box.lower.i - row * width
            body(
              one, two, VoxelBounds(lower: VoxelIndex(i + start, j, k), upper: VoxelIndex(i + next - 1, j, k))
            )
          }
          start = next
        }
      }
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
