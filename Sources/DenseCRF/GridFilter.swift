import CKernels
import Work

/// Convolves grids of cells with their axes' taps, in place.
struct GridFilter: Sendable {
  let level: kernels_level
  /// Floats that are filtered together across planes: 34 cells of them fit the first cache.
  private static let strip = 256

  /// Filters every channel of the appearance kernel.
  func appearance(_ grids: ChannelGrids, axes: [GaussianAxis], rank: Int, work: WorkContext) throws(Cancelled)
  {
    let shape = grids.shape
    let planes = axes[2].cells
    let level = self.level
    let scratch = workerScratch(work, shape.planeCount)
    try work.forEach(count: grids.channels * planes) { task, worker in
      let kernels = dense_crf_kernels_for(level)!.pointee
      let plane = grids.grid(task / planes) + task % planes * shape.planeCount
      let filtered = scratch[worker].start
      for row in 0..<axes[1].cells {
        Self.filter(
          filtered + row * shape.rowCount, plane + row * shape.rowCount, distance: rank, inner: rank, axes[0],
          kernels)
      }
      Self.filter(plane, filtered, distance: shape.rowCount, inner: shape.rowCount, axes[1], kernels)
    }
    try acrossPlanes(grids, axes[2], work)
  }

  /// Filters every channel of the smoothness kernel, whose rows hold voxels, not cells, along i.
  func smoothness(_ grids: ChannelGrids, axes: [GaussianAxis], work: WorkContext) throws(Cancelled) {
    let shape = grids.shape
    let planes = axes[2].cells
    let level = self.level
    let radius = axes[0].radius
    let margin = (radius + 16).roundedUp(toMultipleOf: 16)
    let rows = workerScratch(work, axes[0].count + 2 * margin + 16)
    let scratch = workerScratch(work, shape.planeCount)
    try work.forEach(count: grids.channels * planes) { task, worker in
      let kernels = dense_crf_kernels_for(level)!.pointee
      let plane = grids.grid(task / planes) + task % planes * shape.planeCount
      let filtered = scratch[worker].start
      let padded = rows[worker].start + margin
      for row in 0..<axes[1].cells {
        padded.update(from: plane + row * shape.rowCount, count: axes[0].count)
        kernels.filter_row(
          filtered + row * shape.rowCount, padded, axes[0].count, axes[0].taps.start, radius)
      }
      Self.filter(plane, filtered, distance: shape.rowCount, inner: shape.rowCount, axes[1], kernels)
    }
    try acrossPlanes(grids, axes[2], work)
  }

  private func acrossPlanes(_ grids: ChannelGrids, _ axis: GaussianAxis, _ work: WorkContext)
    throws(Cancelled)
  {
    if axis.radius == 0 { return }
    let count = grids.shape.planeCount
    let strips = (count + Self.strip - 1) / Self.strip
    let level = self.level
    let scratch = workerScratch(work, axis.cells * Self.strip)
    try work.forEach(count: grids.channels * strips) { task, worker in
      let kernels = dense_crf_kernels_for(level)!.pointee
      let start = task % strips * Self.strip
      let inner = min(Self.strip, count - start)
      let grid = grids.grid(task / strips) + start
      let copy = scratch[worker].start
      for cell in 0..<axis.cells {
        (copy + cell * Self.strip).update(from: grid + cell * count, count: inner)
      }
      kernels.filter(grid, count, copy, Self.strip, axis.cells, inner, axis.taps.start, axis.radius)
    }
  }

  /// Filters the cells of `axis`, each `inner` floats and a `distance` apart, from `input` to `output`.
  private static func filter(
    _ output: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>, distance: Int, inner: Int,
    _ axis: GaussianAxis, _ kernels: dense_crf_kernels
  ) {
    for start in stride(from: 0, to: inner, by: strip) {
      kernels.filter(
        output + start, distance, input + start, distance, axis.cells, min(strip, inner - start),
        axis.taps.start,
        axis.radius)
    }
  }

  private func workerScratch(_ work: WorkContext, _ count: Int) -> [AlignedStorage<Float>] {
    (0..<work.threadCount).map { _ in AlignedStorage(count: count) }
  }
}
