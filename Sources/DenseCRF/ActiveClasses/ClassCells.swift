import Volumes
import Work

/// The cells of one class in the box of voxels that send and receive it.
struct ClassCells: Sendable {
  /// The voxels, which begin at a brick.
  let box: VoxelBounds
  let grids: KernelGrids

  /// Cells of zeros for both kernels where they are given.
  init(
    _ box: VoxelBounds, appearance: AppearanceKernel?, smoothness: SmoothnessKernel?
  ) throws(Cancelled) {
    self.box = box
    let shapes = Self.shapes(box, appearance: appearance, smoothness: smoothness)
    grids = KernelGrids(
      appearance: try shapes.appearance.map { shape throws(Cancelled) in try KernelGrid(shape) },
      smoothness: try shapes.smoothness.map { shape throws(Cancelled) in try KernelGrid(shape) })
  }

  private static func shapes(
    _ box: VoxelBounds, appearance: AppearanceKernel?, smoothness: SmoothnessKernel?
  ) -> (appearance: GridShape?, smoothness: GridShape?) {
    (
      appearance?.shape(ofPart: box.size),
      smoothness.map { SmoothnessKernel($0, size: box.size).shape(channels: 1) }
    )
  }

  /// Bytes of the cells of a box.
  static func byteCount(
    _ box: VoxelBounds, appearance: AppearanceKernel?, smoothness: SmoothnessKernel?
  ) -> Int {
    let shapes = shapes(box, appearance: appearance, smoothness: smoothness)
    return [shapes.appearance, shapes.smoothness].compactMap(\.self)
      .reduce(0) { $0 + $1.planeFloats * $1.axes[2].cells * MemoryLayout<Float>.stride }
  }

  /// Whether all of a box's voxels have cells.
  func contains(_ part: VoxelBounds) -> Bool { box.union(part) == box }
}

extension KernelGrid {
  /// Copies the cells of a part of `whole`, which begins at its voxel `lower`, to this grid.
  func read(_ whole: KernelGrid, at lower: VoxelIndex) {
    forEachRow(of: whole, at: lower) { own, theirs, count in own.update(from: theirs, count: count) }
  }

  /// Adds these cells to a part of `whole`, which begins at its voxel `lower`.
  func add(to whole: KernelGrid, at lower: VoxelIndex) {
    forEachRow(of: whole, at: lower) { own, theirs, count in
      for cell in 0..<count { theirs[cell] += own[cell] }
    }
  }

  /// Sets every cell to 0 on this thread.
  func clear() {
    for index in 0..<shape.axes[2].cells { plane(index).update(repeating: 0, count: shape.planeFloats) }
  }

  @inline(__always) private func forEachRow(
    of whole: KernelGrid, at lower: VoxelIndex,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) {
    let axes = shape.axes
    let (cellFloats, rows) = (shape.cellFloats, axes[1].cells)
    let offset = axes[1].cell(lower.j) * whole.shape.rowFloats + axes[0].cell(lower.i) * cellFloats
    let plane = axes[2].cell(lower.k)
    for k in 0..<axes[2].cells {
      let (own, theirs) = (self.plane(k), whole.plane(plane + k) + offset)
      for j in 0..<rows {
        body(own + j * shape.rowFloats, theirs + j * whole.shape.rowFloats, axes[0].cells * cellFloats)
      }
    }
  }
}
