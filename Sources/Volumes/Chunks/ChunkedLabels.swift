import Work

/// A label of each voxel of a grid, in copy-on-write chunks.
///
/// It suits a review, which stores many versions of a mask that differ little: a copy costs nothing, a change costs its
/// chunks, and a chunk of one label costs 16 bytes. Computations use ``LabelVolume``.
package struct ChunkedLabels: Equatable, Sendable {
  /// The voxels of one chunk.
  enum Chunk: Equatable, Sendable {
    /// All have this label.
    case uniform(UInt16)
    /// One label per voxel of its box, i fastest; not all equal.
    case voxels([UInt16])

    /// A chunk of at least one voxel.
    init(_ voxels: [UInt16]) {
      let first = voxels[0]
      self = ChunkedLabels.areAll(voxels[...], first) ? .uniform(first) : .voxels(voxels)
    }

    /// Bytes that it holds beside itself.
    var byteCount: Int {
      switch self {
      case .uniform: 0
      case .voxels(let voxels): voxels.count * MemoryLayout<UInt16>.size
      }
    }
  }

  /// The size and affine.
  package let grid: VolumeGrid
  /// The file's value of each code.
  package let coding: LabelCoding
  private(set) var chunks: [Chunk]
  /// The division of the grid into chunks.
  let chunkGrid: ChunkGrid

  /// The same labels in chunks.
  /// - Complexity: O(voxels).
  package init(_ volume: LabelVolume) {
    (grid, coding) = (volume.grid, volume.coding)
    let chunkGrid = ChunkGrid(volume.grid.size)
    self.chunkGrid = chunkGrid
    chunks = (0..<chunkGrid.count).map { chunk in
      Chunk(volume, chunkGrid.box(chunk))
    }
  }

  /// The label of a voxel of the grid.
  package subscript(_ index: VoxelIndex) -> UInt16 {
    let chunk = chunkGrid.chunk(of: index)
    switch chunks[chunk] {
    case .uniform(let label): return label
    case .voxels(let voxels):
      let box = chunkGrid.box(chunk)
      return voxels[box.size.offset(index - box.lower)]
    }
  }

  /// Whether both are the same labels in the same memory, as copies are until one of them is changed; labels in other
  /// memory may be equal, too.
  /// - Complexity: O(1).
  package func isIdentical(to other: ChunkedLabels) -> Bool {
    chunks.withUnsafeBufferPointer { own in
      other.chunks.withUnsafeBufferPointer { own.baseAddress == $0.baseAddress && own.count == $0.count }
    }
  }

  /// Every voxel, i fastest.
  /// - Complexity: O(voxels).
  package var voxels: [UInt16] { cropped(to: VoxelBounds(grid.size)) }

  /// Every voxel in the order of ``voxels``, a plane at a time, so that not all of them are in memory.
  /// - Complexity: O(voxels).
  package var planes: LazyMapSequence<Range<Int>, [UInt16]> {
    (0..<grid.size.k).lazy.map { k in
      cropped(
        to: VoxelBounds(
          lower: VoxelIndex(0, 0, k), upper: VoxelIndex(grid.size.i - 1, grid.size.j - 1, k)))
    }
  }

  /// The values of a file that occur.
  /// - Complexity: O(voxels).
  package func values() -> Set<Int> {
    var occurs = [Bool](repeating: false, count: 1 << 16)
    for chunk in chunks {
      switch chunk {
      case .uniform(let label): occurs[Int(label)] = true
      case .voxels(let voxels): for label in voxels { occurs[Int(label)] = true }
      }
    }
    return Set(occurs.indices.filter { occurs[$0] }.map { coding.value(of: UInt16($0)) })
  }

  /// The same labels as one volume.
  /// - Throws: ``InputError`` where memory does not hold it.
  /// - Complexity: O(voxels).
  package var volume: LabelVolume {
    get throws(InputError) {
      try LabelVolume.requireMemory(on: grid.size, volumes: 1, subject: "mask")
      return LabelVolume(grid: grid, voxels: voxels, coding: coding)
    }
  }

  /// The part inside `box`, on a grid of its own.
  package func volume(croppedTo box: VoxelBounds) -> LabelVolume {
    LabelVolume(grid: grid.cropped(to: box), voxels: cropped(to: box), coding: coding)
  }

  /// The voxels inside `box`, i fastest.
  /// - Complexity: O(voxels of the box).
  package func cropped(to box: VoxelBounds) -> [UInt16] {
    let size = box.size
    return [UInt16](unsafeUninitializedCapacity: size.voxelCount) { target, count in
      for chunk in chunkGrid.chunks(in: box) {
        let own = chunkGrid.box(chunk)
        guard let part = own.intersection(box) else { continue }
        let (width, rows) = (part.size.i, part.size.j)
        let (first, start) = (size.offset(part.lower - box.lower), own.size.offset(part.lower - own.lower))
        // SAFETY: the parts of the chunks fill the box, each inside it and inside its own chunk.
        let base = target.baseAddress! + first
        // The kind of a chunk is checked once instead of for each row, because a row of a sagittal plane has one voxel.
        switch chunks[chunk] {
        case .uniform(let label):
          for k in 0..<part.size.k {
            for j in 0..<rows { (base + (k * size.j + j) * size.i).update(repeating: label, count: width) }
          }
        case .voxels(let voxels):
          voxels.withUnsafeBufferPointer { voxels in
            let source = voxels.baseAddress! + start
            for k in 0..<part.size.k {
              for j in 0..<rows {
                let (to, from) = ((k * size.j + j) * size.i, (k * own.size.j + j) * own.size.i)
                if width == 1 {
                  base[to] = source[from]
                } else {
                  (base + to).update(from: source + from, count: width)
                }
              }
            }
          }
        }
      }
      count = size.voxelCount
    }
  }

  /// Whether all of `voxels` are `label`.
  fileprivate static func areAll(_ voxels: ArraySlice<UInt16>, _ label: UInt16) -> Bool {
    var difference: UInt16 = 0
    for voxel in voxels { difference |= voxel ^ label }
    return difference == 0
  }
}

extension ChunkedLabels.Chunk {
  /// The voxels of a volume inside `box`.
  fileprivate init(_ volume: LabelVolume, _ box: VoxelBounds) {
    let (size, whole) = (box.size, volume.grid.size)
    let first = volume.voxels[whole.offset(box.lower)]
    var isUniform = true
    rows: for k in box.lower.k...box.upper.k {
      for j in box.lower.j...box.upper.j {
        let start = whole.offset(VoxelIndex(box.lower.i, j, k))
        guard ChunkedLabels.areAll(volume.voxels[start..<start + size.i], first) else {
          isUniform = false
          break rows
        }
      }
    }
    self = isUniform ? .uniform(first) : .voxels(volume.voxels.cropped(to: box, size: whole))
  }
}

extension ChunkedLabels? {
  /// Whether both are the same labels in the same memory, or both are nil.
  /// - Complexity: O(1).
  package func isIdentical(to other: ChunkedLabels?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return self.isIdentical(to: other)
  }
}

// MARK: - Changes

/// Voxels of a mask that get other labels, as the chunks before and after.
///
/// It applies to labels with the chunks before the change; its ``inverse`` undoes it. Chunks are shared with the labels
/// they come from, so that it holds little of its own.
package struct LabelChange: Equatable, Sendable {
  struct Swap: Equatable, Sendable {
    var chunk: Int
    var before, after: ChunkedLabels.Chunk
  }

  /// A box that holds every voxel that changes.
  package private(set) var box: VoxelBounds
  /// The chunks that differ, ascending; at least one.
  private(set) var swaps: [Swap]

  package var inverse: LabelChange {
    var inverse = self
    for position in inverse.swaps.indices {
      inverse.swaps[position].before = swaps[position].after
      inverse.swaps[position].after = swaps[position].before
    }
    return inverse
  }

  /// Bytes of the chunks before.
  package var byteCount: Int { swaps.reduce(0) { $0 + $1.before.byteCount } }

  /// The change from `old` to `new`, which are on one grid; nil where they are equal.
  /// - Complexity: O(chunks + voxels of the chunks that differ).
  package init?(from old: ChunkedLabels, to new: ChunkedLabels) {
    precondition(old.chunkGrid == new.chunkGrid, "\(old.grid.size) and \(new.grid.size)")
    var box: VoxelBounds?
    swaps = []
    for (chunk, (before, after)) in zip(old.chunks, new.chunks).enumerated() where before != after {
      swaps.append(Swap(chunk: chunk, before: before, after: after))
      let own = old.chunkGrid.box(chunk)
      var offset = 0
      let (voxels, others) = (old.cropped(to: own), new.cropped(to: own))
      for k in own.lower.k...own.upper.k {
        for j in own.lower.j...own.upper.j {
          for i in own.lower.i...own.upper.i {
            if voxels[offset] != others[offset] {
              let voxel = VoxelBounds(lower: VoxelIndex(i, j, k), upper: VoxelIndex(i, j, k))
              box = box?.union(voxel) ?? voxel
            }
            offset += 1
          }
        }
      }
    }
    guard let box else { return nil }
    self.box = box
  }
}

extension ChunkedLabels {
  /// These labels with `target` wherever one of `codes` is; nil where none is.
  /// - Complexity: O(voxels of chunks that are not uniform).
  package func replacing(_ codes: Set<UInt16>, by target: UInt16) -> ChunkedLabels? {
    var replaced = self
    var isPresent = false
    for (position, chunk) in chunks.enumerated() {
      switch chunk {
      case .uniform(let label):
        guard codes.contains(label) else { continue }
        isPresent = true
        replaced.chunks[position] = .uniform(target)
      case .voxels(let voxels):
        guard voxels.contains(where: codes.contains) else { continue }
        isPresent = true
        replaced.chunks[position] = Chunk(voxels.map { codes.contains($0) ? target : $0 })
      }
    }
    return isPresent ? replaced : nil
  }

  /// Voxels that have another label than in `other`, which lies on the same grid.
  /// - Complexity: O(chunks + voxels of the chunks that differ).
  package func differingVoxelCount(from other: ChunkedLabels) -> Int {
    precondition(chunkGrid == other.chunkGrid, "\(grid.size) and \(other.grid.size)")
    return chunks.indices.reduce(0) { count, chunk in
      guard chunks[chunk] != other.chunks[chunk] else { return count }
      let box = chunkGrid.box(chunk)
      return count + zip(cropped(to: box), other.cropped(to: box)).count { $0 != $1 }
    }
  }

  /// The labels after a change that was computed from these labels.
  package func applying(_ change: LabelChange) -> ChunkedLabels {
    var changed = self
    for swap in change.swaps {
      precondition(chunks[swap.chunk] == swap.before, "a change of other labels, in chunk \(swap.chunk)")
      changed.chunks[swap.chunk] = swap.after
    }
    return changed
  }

  /// These labels with new ones in a box: `label` gives the label of a voxel from its index and its present label.
  ///
  /// A brush, for example, is a box and a test whether a voxel is under the brush.
  /// - Complexity: O(voxels of the box + voxels of the chunks that change).
  package func setting(
    in box: VoxelBounds, _ label: (VoxelIndex, UInt16) -> UInt16
  ) -> ChunkedLabels {
    var changed = self
    for chunk in chunkGrid.chunks(in: box) {
      let own = chunkGrid.box(chunk)
      guard let part = own.intersection(box) else { continue }
      var voxels: [UInt16]?
      for k in part.lower.k...part.upper.k {
        for j in part.lower.j...part.upper.j {
          for i in part.lower.i...part.upper.i {
            let index = VoxelIndex(i, j, k)
            let old = self[index]
            let new = label(index, old)
            guard new != old else { continue }
            if voxels == nil { voxels = cropped(to: own) }
            voxels![own.size.offset(index - own.lower)] = new
          }
        }
      }
      if let voxels { changed.chunks[chunk] = Chunk(voxels) }
    }
    return changed
  }

  /// These labels with `label` in the voxels of some rows.
  /// - Complexity: O(rows + voxels of the chunks that change).
  func setting(_ rows: [Row], to label: UInt16) -> ChunkedLabels {
    var changed: [Int: [UInt16]] = [:]
    for row in rows {
      changed[row.number, default: cropped(to: chunkGrid.box(row.number))].replaceSubrange(
        row.start..<row.start + row.count, with: repeatElement(label, count: row.count))
    }
    var labels = self
    for (chunk, voxels) in changed { labels.chunks[chunk] = Chunk(voxels) }
    return labels
  }

  /// The representative voxel of a label in one slice: the one nearest to the mean of its voxels there.
  /// - Parameter slice: A box of one slice across `axis`.
  /// - Returns: nil where no voxel of the box has the label.
  /// - Complexity: O(voxels of the box).
  package func centre(of label: UInt16, in slice: VoxelBounds, across axis: Int) -> VoxelIndex? {
    let voxels = cropped(to: slice)
    var sum = CentreSearch.Slice()
    for (offset, voxel) in voxels.enumerated() where voxel == label {
      let index = slice.size.index(offset: offset) + slice.lower
      sum.count += 1
      sum.sum &+= SIMD3(index.i, index.j, index.k)
    }
    guard sum.count > 0 else { return nil }
    var search = CentreSearch(slices: [sum], first: slice.lower[axis], axis: axis)
    search.choose()
    for (offset, voxel) in voxels.enumerated() where voxel == label {
      search.consider(slice.size.index(offset: offset) + slice.lower, 1, spacing: grid.spacing)
    }
    return search.nearest
  }
}
