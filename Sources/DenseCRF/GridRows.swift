import CKernels

/// Where the rows of one grid of cells lie.
struct GridShape: Sendable {
  /// The axes j and k.
  let rowAxis, planeAxis: GaussianAxis
  /// Floats of a row and of a plane, multiples of 16.
  let rowCount, planeCount: Int
}

/// Reads a filtered grid row by row as the voxels of a plane see it: interpolated along k, then along j.
struct GridReader {
  let grid: UnsafePointer<Float>
  let shape: GridShape
  /// Room for a plane and for a row.
  let planeScratch, rowScratch: UnsafeMutablePointer<Float>
  let kernels: dense_crf_kernels
  private var plane: UnsafePointer<Float>

  init(
    grid: UnsafePointer<Float>, shape: GridShape, planeScratch: UnsafeMutablePointer<Float>,
    rowScratch: UnsafeMutablePointer<Float>, kernels: dense_crf_kernels
  ) {
    self.grid = grid
    self.shape = shape
    self.planeScratch = planeScratch
    self.rowScratch = rowScratch
    self.kernels = kernels
    plane = grid
  }

  /// Moves to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    plane = interpolate(grid, shape.planeAxis, k, count: shape.planeCount, planeScratch)
  }

  /// The cells, or values, of row `j`.
  func row(_ j: Int) -> UnsafePointer<Float> {
    interpolate(plane, shape.rowAxis, j, count: shape.rowCount, rowScratch)
  }

  private func interpolate(
    _ base: UnsafePointer<Float>, _ axis: GaussianAxis, _ position: Int, count: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let first = base + axis.cell(position) * count
    if axis.step == 1 { return first + count }
    axis.weights.withUnsafeBufferPointer { weights in
      kernels.combine(
        scratch, first, first + count, first + 2 * count, weights.baseAddress! + position % axis.step * 3,
        count)
    }
    return UnsafePointer(scratch)
  }
}

/// Adds rows of voxels to a grid that was zero before: the adjoint of ``GridReader``.
struct GridWriter {
  let grid: UnsafeMutablePointer<Float>
  let shape: GridShape
  /// Room for a plane and for a row.
  let planeScratch, rowScratch: UnsafeMutablePointer<Float>
  let kernels: dense_crf_kernels
  private var plane: UnsafeMutablePointer<Float>
  private var position = 0

  init(
    grid: UnsafeMutablePointer<Float>, shape: GridShape, planeScratch: UnsafeMutablePointer<Float>,
    rowScratch: UnsafeMutablePointer<Float>, kernels: dense_crf_kernels
  ) {
    self.grid = grid
    self.shape = shape
    self.planeScratch = planeScratch
    self.rowScratch = rowScratch
    self.kernels = kernels
    plane = grid
  }

  /// Moves to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    position = k
    if shape.planeAxis.step == 1 {
      // One plane of voxels is one plane of cells, which nobody else writes.
      plane = grid + (shape.planeAxis.cell(k) + 1) * shape.planeCount
    } else {
      plane = planeScratch
      plane.update(repeating: 0, count: shape.planeCount)
    }
  }

  /// Where the cells, or values, of row `j` are to be written before ``deliver(_:)``.
  func target(_ j: Int) -> UnsafeMutablePointer<Float> {
    shape.rowAxis.step == 1 ? plane + (j + 1) * shape.rowCount : rowScratch
  }

  /// Adds the written row `j` to the plane.
  func deliver(_ j: Int) {
    distribute(rowScratch, plane, shape.rowAxis, j, count: shape.rowCount)
  }

  /// Adds the plane to the grid.
  func leave() {
    distribute(planeScratch, grid, shape.planeAxis, position, count: shape.planeCount)
  }

  private func distribute(
    _ values: UnsafeMutablePointer<Float>, _ base: UnsafeMutablePointer<Float>, _ axis: GaussianAxis,
    _ position: Int, count: Int
  ) {
    if axis.step == 1 { return }
    let first = base + axis.cell(position) * count
    axis.weights.withUnsafeBufferPointer { weights in
      kernels.distribute(
        first, first + count, first + 2 * count, values, weights.baseAddress! + position % axis.step * 3,
        count)
    }
  }
}

/// A grid of cells per channel with the scratch its readers and writers need.
final class ChannelGrids: Sendable {
  let shape: GridShape
  let channels: Int
  private let gridCount: Int
  private let scratchCount: Int
  private let grids: AlignedStorage<Float>
  private let scratch: AlignedStorage<Float>

  /// Grids for `channels` channels, used by `workers` threads; `slack` floats behind each are readable.
  init(shape: GridShape, channels: Int, workers: Int, slack: Int) {
    self.shape = shape
    self.channels = channels
    gridCount = shape.planeCount * shape.planeAxis.cells + slack
    scratchCount = (shape.planeCount + shape.rowCount + 2 * slack).roundedUp(toMultipleOf: 16)
    self.slack = slack
    grids = AlignedStorage(count: gridCount * channels)
    scratch = AlignedStorage(count: scratchCount * channels * workers)
  }
  private let slack: Int

  /// The cells of a channel.
  func grid(_ channel: Int) -> UnsafeMutablePointer<Float> { grids.start + channel * gridCount }

  /// Scratch of one worker and channel: a plane, then a row.
  private func scratch(_ channel: Int, _ worker: Int) -> UnsafeMutablePointer<Float> {
    scratch.start + (worker * channels + channel) * scratchCount
  }

  func reader(_ channel: Int, worker: Int, kernels: dense_crf_kernels) -> GridReader {
    let plane = scratch(channel, worker)
    return GridReader(
      grid: grid(channel), shape: shape, planeScratch: plane, rowScratch: plane + shape.planeCount + slack,
      kernels: kernels)
  }

  func writer(_ channel: Int, worker: Int, kernels: dense_crf_kernels) -> GridWriter {
    let plane = scratch(channel, worker)
    return GridWriter(
      grid: grid(channel), shape: shape, planeScratch: plane, rowScratch: plane + shape.planeCount + slack,
      kernels: kernels)
  }
}
