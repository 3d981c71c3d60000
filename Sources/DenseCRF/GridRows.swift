import CKernels

/// One axis as grid readers and writers use it: nothing that counts references, since rows pass by millions.
struct AxisSteps {
  let step: Int
  let weights: UnsafePointer<Float>

  /// The steps of `axis`, which the caller keeps.
  init(_ axis: GaussianAxis) {
    step = axis.step
    weights = UnsafePointer(axis.weights.start)
  }
}

/// Where the rows of one grid of cells lie.
struct GridShape: Sendable {
  /// The axes j and k.
  let rowAxis, planeAxis: GaussianAxis
  /// Floats of a row and of a plane, multiples of 16.
  let rowCount, planeCount: Int
}

/// Reads a filtered grid row by row as the voxels of a plane see it: interpolated along k, then along j.
struct GridReader {
  private let kernels: UnsafePointer<dense_crf_kernels>
  private let grid: UnsafePointer<Float>
  private let planeScratch, rowScratch: UnsafeMutablePointer<Float>
  private let rowCount, planeCount: Int
  private let rowAxis, planeAxis: AxisSteps
  private var plane: UnsafePointer<Float>

  /// A reader of `grid`; the scratch has room for a plane and for a row.
  init(
    grid: UnsafePointer<Float>, shape: GridShape, planeScratch: UnsafeMutablePointer<Float>,
    rowScratch: UnsafeMutablePointer<Float>, kernels: UnsafePointer<dense_crf_kernels>
  ) {
    self.kernels = kernels
    self.grid = grid
    self.planeScratch = planeScratch
    self.rowScratch = rowScratch
    rowCount = shape.rowCount
    planeCount = shape.planeCount
    rowAxis = AxisSteps(shape.rowAxis)
    planeAxis = AxisSteps(shape.planeAxis)
    plane = grid
  }

  /// Moves to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    plane = interpolate(grid, planeAxis, k, count: planeCount, planeScratch)
  }

  /// The cells, or values, of row `j`.
  func row(_ j: Int) -> UnsafePointer<Float> {
    interpolate(plane, rowAxis, j, count: rowCount, rowScratch)
  }

  private func interpolate(
    _ base: UnsafePointer<Float>, _ axis: AxisSteps, _ position: Int, count: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let first = base + position / axis.step * count
    if axis.step == 1 { return first + count }
    kernels.pointee.combine(
      scratch, first, first + count, first + 2 * count, axis.weights + position % axis.step * 3, count)
    return UnsafePointer(scratch)
  }
}

/// Adds rows of voxels to a grid that was zero before: the adjoint of ``GridReader``.
struct GridWriter {
  private let kernels: UnsafePointer<dense_crf_kernels>
  private let grid: UnsafeMutablePointer<Float>
  private let planeScratch, rowScratch: UnsafeMutablePointer<Float>
  private let rowCount, planeCount: Int
  private let rowAxis, planeAxis: AxisSteps
  private var plane: UnsafeMutablePointer<Float>
  private var position = 0

  /// A writer to `grid`; the scratch has room for a plane and for a row.
  init(
    grid: UnsafeMutablePointer<Float>, shape: GridShape, planeScratch: UnsafeMutablePointer<Float>,
    rowScratch: UnsafeMutablePointer<Float>, kernels: UnsafePointer<dense_crf_kernels>
  ) {
    self.kernels = kernels
    self.grid = grid
    self.planeScratch = planeScratch
    self.rowScratch = rowScratch
    rowCount = shape.rowCount
    planeCount = shape.planeCount
    rowAxis = AxisSteps(shape.rowAxis)
    planeAxis = AxisSteps(shape.planeAxis)
    plane = grid
  }

  /// Moves to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    position = k
    if planeAxis.step == 1 {
      // One plane of voxels is one plane of cells, which nobody else writes.
      plane = grid + (k + 1) * planeCount
    } else {
      plane = planeScratch
      plane.update(repeating: 0, count: planeCount)
    }
  }

  /// Where the cells, or values, of row `j` are to be written before ``deliver(_:)``.
  func target(_ j: Int) -> UnsafeMutablePointer<Float> {
    rowAxis.step == 1 ? plane + (j + 1) * rowCount : rowScratch
  }

  /// Adds the written row `j` to the plane.
  func deliver(_ j: Int) { distribute(rowScratch, plane, rowAxis, j, count: rowCount) }

  /// Adds the plane to the grid.
  func leave() { distribute(planeScratch, grid, planeAxis, position, count: planeCount) }

  private func distribute(
    _ values: UnsafeMutablePointer<Float>, _ base: UnsafeMutablePointer<Float>, _ axis: AxisSteps,
    _ position: Int, count: Int
  ) {
    if axis.step == 1 { return }
    let first = base + position / axis.step * count
    kernels.pointee.distribute(
      first, first + count, first + 2 * count, values, axis.weights + position % axis.step * 3, count)
  }
}

/// A grid of cells per channel with the scratch its readers and writers need.
final class ChannelGrids: Sendable {
  let shape: GridShape
  let channels: Int
  private let gridCount, rowOffset, scratchCount: Int
  private let grids: AlignedStorage<Float>
  private let scratch: AlignedStorage<Float>

  /// Grids for `channels` channels and `workers` threads; `slack` floats behind a plane or row are readable.
  init(shape: GridShape, channels: Int, workers: Int, slack: Int) {
    self.shape = shape
    self.channels = channels
    gridCount = shape.planeCount * shape.planeAxis.cells + slack
    rowOffset = shape.planeCount + slack
    scratchCount = rowOffset + shape.rowCount + slack
    grids = AlignedStorage(count: gridCount * channels)
    scratch = AlignedStorage(count: scratchCount * channels * workers)
  }

  /// The cells of a channel.
  func grid(_ channel: Int) -> UnsafeMutablePointer<Float> { grids.start + channel * gridCount }

  /// Scratch of one worker and channel: a plane, then a row.
  private func scratch(_ channel: Int, _ worker: Int) -> UnsafeMutablePointer<Float> {
    scratch.start + (worker * channels + channel) * scratchCount
  }

  /// A reader of a channel.
  func reader(_ channel: Int, worker: Int, kernels: UnsafePointer<dense_crf_kernels>) -> GridReader {
    let plane = scratch(channel, worker)
    return GridReader(
      grid: grid(channel), shape: shape, planeScratch: plane, rowScratch: plane + rowOffset, kernels: kernels)
  }

  /// A writer to a channel.
  func writer(_ channel: Int, worker: Int, kernels: UnsafePointer<dense_crf_kernels>) -> GridWriter {
    let plane = scratch(channel, worker)
    return GridWriter(
      grid: grid(channel), shape: shape, planeScratch: plane, rowScratch: plane + rowOffset, kernels: kernels)
  }
}
