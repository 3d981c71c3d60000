import CKernels
import Work

/// The grids of both kernels for every channel.
final class KernelGrids: Sendable {
  let appearance: ChannelGrids?
  let smoothness: ChannelGrids?

  init(_ appearance: AppearanceFilter?, _ smoothness: SmoothnessFilter?, _ channels: Int, _ workers: Int) {
    self.appearance = appearance.map { filter in
      let rowCount = filter.axes[0].cells * filter.range.rank
      return ChannelGrids(
        shape: GridShape(
          rowAxis: filter.axes[1], planeAxis: filter.axes[2], rowCount: rowCount,
          planeCount: filter.planeCount),
        channels: channels, workers: workers, slack: 18 * filter.range.rank)
    }
    self.smoothness = smoothness.map { filter in
      ChannelGrids(
        shape: GridShape(
          rowAxis: filter.axes[1], planeAxis: filter.axes[2], rowCount: filter.rowStride,
          planeCount: filter.planeCount),
        channels: channels, workers: workers, slack: 16)
    }
  }

  /// Sets every cell to 0.
  func clear(_ work: WorkContext) throws(Cancelled) {
    for grids in [appearance, smoothness].compactMap(\.self) {
      let planes = grids.shape.planeAxis.cells
      try work.forEach(count: grids.channels * planes) { task, _ in
        let plane = grids.grid(task / planes) + task % planes * grids.shape.planeCount
        plane.update(repeating: 0, count: grids.shape.planeCount)
      }
    }
  }

  /// Convolves every grid with its kernel.
  func filter(
    _ appearance: AppearanceFilter?, _ smoothness: SmoothnessFilter?, level: kernels_level, work: WorkContext
  ) throws(Cancelled) {
    let filter = GridFilter(level: level)
    if let appearance, let grids = self.appearance {
      try filter.appearance(grids, axes: appearance.axes, rank: appearance.range.rank, work: work)
    }
    if let smoothness, let grids = self.smoothness {
      try filter.smoothness(grids, axes: smoothness.axes, work: work)
    }
  }
}

/// One worker's rows, each rounded up to 16 floats.
final class RowScratch: Sendable {
  private let storage: AlignedStorage<Float>
  /// The rows.
  var rows: Rows { Rows(storage.start, count: count, channels: channels) }
  private let count, channels: Int

  init(count: Int, channels: Int) {
    self.count = count
    self.channels = channels
    storage = AlignedStorage(count: Rows.floats(count: count, channels: channels))
    rows.ones.update(repeating: 1, count: rows.stride)
  }

  /// Where the rows lie.
  struct Rows {
    let count, channels: Int
    /// Floats between the rows of two channels.
    let stride: Int
    /// Message and ones: one row; logits, differences: one per channel; marginals: one per class.
    let message, ones, logits, differences, marginals: UnsafeMutablePointer<Float>
    /// Three rows and 32 floats each for the splat kernel.
    let splat: UnsafeMutablePointer<Float>

    fileprivate init(_ start: UnsafeMutablePointer<Float>, count: Int, channels: Int) {
      self.count = count
      self.channels = channels
      stride = count.roundedUp(toMultipleOf: 16)
      message = start
      ones = start + stride
      logits = ones + stride
      differences = logits + stride * channels
      marginals = differences + stride * channels
      splat = marginals + stride * (channels + 1)
    }

    fileprivate static func floats(count: Int, channels: Int) -> Int {
      let stride = count.roundedUp(toMultipleOf: 16)
      return stride * (3 * channels + 3) + 3 * (stride + 32)
    }
  }
}

/// Where the last pass puts its rows.
struct MeanFieldOutput: Sendable {
  let voxelCount: Int
  let labels: DisjointBuffer<UInt8>
  let marginals: DisjointBuffer<Float>?

  /// Writes the row of voxels at `offset` from its logits.
  func write(offset: Int, _ row: RowScratch.Rows, _ kernels: UnsafePointer<dense_crf_kernels>) {
    let logits = row.logits
    let labels = labels.start + offset
    for x in 0..<row.count { labels[x] = logits[x] > 0 ? 1 : 0 }
    if row.channels > 1 {
      for x in 0..<row.count {
        var best: Float = max(0, logits[x])
        for channel in 1..<row.channels where logits[channel * row.stride + x] > best {
          best = logits[channel * row.stride + x]
          labels[x] = UInt8(channel + 1)
        }
      }
    }
    guard let marginals else { return }
    kernels.pointee.marginals(row.marginals, logits, row.stride, row.channels, row.count)
    for label in 0...row.channels {
      (marginals.start + label * voxelCount + offset).update(
        from: row.marginals + label * row.stride, count: row.count)
    }
  }
}
