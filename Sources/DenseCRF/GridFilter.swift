import CKernels
import Work

/// Convolves grids of cells with their axes' taps, in place.
struct GridFilter: Sendable {
  let level: kernels_level
  /// Floats that are filtered together across planes: 34 cells of them fit the first cache.
  private static let strip = 256

  /// Filters the appearance kernel's cells and applies the range kernel's pivot transform.
  func appearance(_ grid: KernelGrid, _ range: RangeKernel, channels: Int, work: WorkContext)
    throws(Cancelled)
  {
    let axis = grid.shape.axes[0]
    let inner = range.rank * channels
    try withinPlanes(grid, scratchFloats: 0, work) { row, filtered, _, kernels in
      Self.filter(filtered, row, distance: inner, inner: inner, axis, kernels)
    }
    try acrossPlanes(grid, work)
    if let transform = range.pivotTransform {
      let cells = axis.cells * grid.shape.axes[1].cells * channels
      try work.forEach(count: grid.shape.axes[2].cells) { plane, _ in
        dense_crf_kernels_for(level)!.pointee.transform(grid.plane(plane), transform.start, range.rank, cells)
      }
    }
  }

  /// Filters the smoothness kernel's cells, which are single floats along i.
  func smoothness(_ grid: KernelGrid, channels: Int, work: WorkContext) throws(Cancelled) {
    let axis = grid.shape.axes[0]
    let stride = grid.shape.rowFloats / channels
    let margin = (axis.radius + 16).roundedUp(toMultipleOf: 16)
    try withinPlanes(grid, scratchFloats: axis.cells + 2 * margin + 16, work) {
      row, filtered, scratch, kernels in
      let padded = scratch + margin
      for channel in 0..<channels {
        padded.update(from: row + channel * stride, count: axis.cells)
        kernels.filter_row(filtered + channel * stride, padded, axis.cells, axis.taps.start, axis.radius)
      }
    }
    try acrossPlanes(grid, work)
  }

  /// Filters every plane: its rows by `filterRow`, then along j.
  private func withinPlanes(
    _ grid: KernelGrid, scratchFloats: Int, _ work: WorkContext,
    _ filterRow:
      @Sendable (
        _ row: UnsafeMutablePointer<Float>, _ filtered: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>, _ kernels: dense_crf_kernels
      ) -> Void
  ) throws(Cancelled) {
    let shape = grid.shape
    let axis = shape.axes[1]
    let scratch = try workerScratch(work, shape.planeFloats)
    let rowScratch = try workerScratch(work, scratchFloats)
    try work.forEach(count: shape.axes[2].cells) { index, worker in
      let kernels = dense_crf_kernels_for(level)!.pointee
      let plane = grid.plane(index)
      let filtered = scratch[worker].start
      for row in 0..<axis.cells {
        let offset = row * shape.rowFloats
        filterRow(plane + offset, filtered + offset, rowScratch[worker].start, kernels)
      }
      Self.filter(plane, filtered, distance: shape.rowFloats, inner: shape.rowFloats, axis, kernels)
    }
  }

  private func acrossPlanes(_ grid: KernelGrid, _ work: WorkContext) throws(Cancelled) {
    let axis = grid.shape.axes[2]
    if axis.radius == 0 { return }
    let count = grid.shape.planeFloats
    let scratch = try workerScratch(work, axis.cells * Self.strip)
    try work.forEach(count: (count + Self.strip - 1) / Self.strip) { strip, worker in
      let kernels = dense_crf_kernels_for(level)!.pointee
      let start = strip * Self.strip
      let inner = min(Self.strip, count - start)
      let cells = grid.plane(0) + start
      let copy = scratch[worker].start
      for cell in 0..<axis.cells {
        (copy + cell * Self.strip).update(from: cells + cell * count, count: inner)
      }
      kernels.filter(cells, count, copy, Self.strip, axis.cells, inner, axis.taps.start, axis.radius)
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
        axis.taps.start, axis.radius)
    }
  }

  private func workerScratch(_ work: WorkContext, _ count: Int) throws(Cancelled) -> [AlignedStorage<Float>] {
    try (0..<work.threadCount).map { _ throws(Cancelled) in try AlignedStorage(count: count) }
  }
}
