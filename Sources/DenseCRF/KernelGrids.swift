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

/// One worker's readers of every channel of both kernels.
struct KernelReaders {
  private(set) var appearance: [GridReader]?
  private(set) var smoothness: [GridReader]?

  init(_ grids: KernelGrids?, _ channels: Int, _ worker: Int, _ kernels: dense_crf_kernels) {
    func readers(_ grids: ChannelGrids?) -> [GridReader]? {
      grids.map { grids in (0..<channels).map { grids.reader($0, worker: worker, kernels: kernels) } }
    }
    appearance = readers(grids?.appearance)
    smoothness = readers(grids?.smoothness)
  }

  /// Moves every reader to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    for channel in (appearance ?? []).indices { appearance?[channel].enter(plane: k) }
    for channel in (smoothness ?? []).indices { smoothness?[channel].enter(plane: k) }
  }
}

/// One worker's writers of every channel of both kernels.
struct KernelWriters {
  private(set) var appearance: [GridWriter]?
  private(set) var smoothness: [GridWriter]?

  init(_ grids: KernelGrids?, _ channels: Int, _ worker: Int, _ kernels: dense_crf_kernels) {
    func writers(_ grids: ChannelGrids?) -> [GridWriter]? {
      grids.map { grids in (0..<channels).map { grids.writer($0, worker: worker, kernels: kernels) } }
    }
    appearance = writers(grids?.appearance)
    smoothness = writers(grids?.smoothness)
  }

  /// Moves every writer to plane `k` of voxels.
  mutating func enter(plane k: Int) {
    for channel in (appearance ?? []).indices { appearance?[channel].enter(plane: k) }
    for channel in (smoothness ?? []).indices { smoothness?[channel].enter(plane: k) }
  }

  /// Adds what the writers hold of the plane to the grids.
  func leave() {
    for writer in appearance ?? [] { writer.leave() }
    for writer in smoothness ?? [] { writer.leave() }
  }
}

/// One worker's rows.
final class RowScratch: Sendable {
  /// Floats between the rows of two channels.
  let stride: Int
  let channels: Int
  let count: Int
  let message, logits, differences, marginals, splat, ones: AlignedStorage<Float>

  init(count: Int, channels: Int) {
    self.count = count
    self.channels = channels
    stride = count.roundedUp(toMultipleOf: 16)
    message = AlignedStorage(count: stride)
    logits = AlignedStorage(count: stride * channels)
    differences = AlignedStorage(count: stride * channels)
    marginals = AlignedStorage(count: stride * (channels + 1))
    splat = AlignedStorage(count: 3 * (stride + 32))
    ones = AlignedStorage([Float](repeating: 1, count: stride))
  }
}

/// Where the last pass puts its rows.
final class MeanFieldOutput: Sendable {
  private let voxelCount: Int
  private let labels: AlignedStorage<UInt8>
  private let marginals: AlignedStorage<Float>?

  init(voxelCount: Int, classCount: Int, wantsMarginals: Bool) {
    self.voxelCount = voxelCount
    labels = AlignedStorage(count: voxelCount)
    marginals = wantsMarginals ? AlignedStorage(count: voxelCount * classCount) : nil
  }

  /// Writes the row of voxels at `offset` from its logits.
  func write(offset: Int, _ row: RowScratch, _ kernels: dense_crf_kernels) {
    let logits = row.logits.start
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
    kernels.marginals(row.marginals.start, logits, row.stride, row.channels, row.count)
    for label in 0...row.channels {
      (marginals.start + label * voxelCount + offset).update(
        from: row.marginals.start + label * row.stride, count: row.count)
    }
  }

  /// What was written.
  func result() -> MeanFieldResult {
    MeanFieldResult(
      labels: Array(UnsafeBufferPointer(start: labels.start, count: labels.count)),
      marginals: marginals.map { Array(UnsafeBufferPointer(start: $0.start, count: $0.count)) })
  }
}
