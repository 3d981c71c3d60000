/// The division of a grid into chunks: cubes of ``side`` voxels, cut off at the grid's upper faces; i fastest.
struct ChunkGrid: Equatable, Sendable {
  /// Voxels along each axis of a chunk that no face cuts off.
  static let side = 32

  /// The grid that is cut.
  let size: GridSize
  /// Chunks along each axis.
  let counts: GridSize

  init(_ size: GridSize) {
    self.size = size
    let side = ChunkGrid.side
    counts = GridSize(
      (size.i + side - 1) / side, (size.j + side - 1) / side, (size.k + side - 1) / side)
  }

  /// Chunks in all.
  var count: Int { counts.voxelCount }

  /// The voxels of a chunk.
  func box(_ chunk: Int) -> VoxelBounds { box(counts.index(offset: chunk)) }

  /// The voxels of the chunk at a position among the chunks.
  func box(_ position: VoxelIndex) -> VoxelBounds {
    let side = ChunkGrid.side
    let lower = VoxelIndex(position.i * side, position.j * side, position.k * side)
    return VoxelBounds(
      lower: lower,
      upper: VoxelIndex(
        min(lower.i + side, size.i) - 1, min(lower.j + side, size.j) - 1, min(lower.k + side, size.k) - 1))
  }

  /// The chunk of a voxel.
  func chunk(of voxel: VoxelIndex) -> Int { counts.offset(position(of: voxel)) }

  private func position(of voxel: VoxelIndex) -> VoxelIndex {
    VoxelIndex(voxel.i / ChunkGrid.side, voxel.j / ChunkGrid.side, voxel.k / ChunkGrid.side)
  }

  /// The chunks that hold a voxel of a box, ascending.
  func chunks(in box: VoxelBounds) -> [Int] {
    let (lower, upper) = (position(of: box.lower), position(of: box.upper))
    var chunks: [Int] = []
    for k in lower.k...upper.k {
      for j in lower.j...upper.j {
        let row = counts.offset(VoxelIndex(0, j, k))
        chunks.append(contentsOf: row + lower.i...row + upper.i)
      }
    }
    return chunks
  }
}

extension VoxelBounds {
  /// The box that lies in both; nil where there is none.
  package func intersection(_ other: VoxelBounds) -> VoxelBounds? {
    var (low, high) = (lower, upper)
    for axis in 0..<3 {
      low[axis] = max(lower[axis], other.lower[axis])
      high[axis] = min(upper[axis], other.upper[axis])
      if low[axis] > high[axis] { return nil }
    }
    return VoxelBounds(lower: low, upper: high)
  }
}
