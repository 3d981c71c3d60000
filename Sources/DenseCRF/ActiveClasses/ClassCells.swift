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

  /// Adds the cells of another box where both have them.
  func add(_ other: ClassCells) {
    let step = box.lower - other.box.lower
    if let own = grids.appearance { other.grids.appearance?.add(to: own, step: step) }
    if let own = grids.smoothness { other.grids.smoothness?.add(to: own, step: step) }
  }
}

extension KernelGrid {
  /// Adds these cells to those of another box where both have them; the other's first voxel lies `step` voxels after
  /// this one's, whole blocks along every axis.
  func add(to other: KernelGrid, step: VoxelIndex) {
    let (own, theirs) = (shape.axes, other.shape.axes)
    // The cells of the other that this one has.
    let ranges = (0..<3).map { axis in
      let offset = step[axis] / own[axis].step
      return (
        offset: offset,
        cells: max(0, -offset)..<max(0, -offset, min(theirs[axis].cells, own[axis].cells - offset))
      )
    }
    let unit = shape.cellFloats
    for k in ranges[2].cells {
      for j in ranges[1].cells {
        let source =
          plane(k + ranges[2].offset) + (j + ranges[1].offset) * shape.rowFloats + ranges[0].offset * unit
        let target = other.plane(k) + j * other.shape.rowFloats
        for float in ranges[0].cells.lowerBound * unit..<ranges[0].cells.upperBound * unit {
          target[float] += source[float]
        }
      }
    }
  }
}
