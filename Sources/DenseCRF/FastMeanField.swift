import CKernels
import Volumes
import Work

/// The mean field on decimated grids: per iteration one filtering of the grids and one pass over the voxels, in
/// which messages are read from the grids, the update is made and its result is added to the next grids.
///
/// Only differences Q(l) - Q(0) are filtered, one channel fewer than classes, and between two passes nothing is
/// stored per voxel unless the self term is to be taken out.
struct FastMeanField: Sendable {
  private let size: GridSize
  private let unary: Unary
  private let settings: RefinementSettings
  private let appearance: AppearanceFilter?
  private let smoothness: SmoothnessFilter?
  private let level: kernels_level
  private let slabs: Slabs
  private var channels: Int { unary.classCount - 1 }

  init(
    size: GridSize, unary: Unary, settings: RefinementSettings, appearance: AppearanceFilter?,
    smoothness: SmoothnessFilter?, level: kernels_level
  ) {
    self.size = size
    self.unary = unary
    self.settings = settings
    self.appearance = appearance
    self.smoothness = smoothness
    self.level = level
    slabs = Slabs(planes: size.k, axes: [appearance?.axes[2], smoothness?.axes[2]].compactMap(\.self))
  }

  /// Runs all iterations.
  func run(wantsMarginals: Bool, work: WorkContext) throws(Cancelled) -> MeanFieldResult {
    let rows = (0..<work.threadCount).map { _ in RowScratch(count: size.i, channels: channels) }
    let previous =
      settings.excludesSelf ? AlignedStorage<Float>(count: channels * unary.stride) : nil
    var received: KernelGrids?
    if appearance != nil || smoothness != nil {
      var free: KernelGrids?
      for iteration in 0..<settings.iterations {
        let next = free ?? KernelGrids(appearance, smoothness, channels, work.threadCount)
        try pass(from: received, to: next, rows: rows, previous: previous, output: nil, work: work)
        try next.filter(appearance, smoothness, level: level, work: work)
        free = received
        received = next
        work.report(Double(iteration + 1) / Double(settings.iterations + 1))
      }
    }
    let voxelCount = size.voxelCount
    var labels = [UInt8](repeating: 0, count: voxelCount)
    var marginals = [Float](repeating: 0, count: wantsMarginals ? unary.classCount * voxelCount : 0)
    try labels.withUnsafeMutableBufferPointer { labels throws(Cancelled) in
      try marginals.withUnsafeMutableBufferPointer { marginals throws(Cancelled) in
        let output = MeanFieldOutput(
          voxelCount: voxelCount, labels: DisjointBuffer(labels),
          marginals: wantsMarginals ? DisjointBuffer(marginals) : nil)
        try pass(from: received, to: nil, rows: rows, previous: previous, output: output, work: work)
      }
    }
    work.report(1)
    return MeanFieldResult(labels: labels, marginals: wantsMarginals ? marginals : nil)
  }

  /// One pass over the voxels: reads messages (none before the first), updates, and sends or writes the outcome.
  private func pass(
    from received: KernelGrids?, to sent: KernelGrids?, rows: [RowScratch], previous: AlignedStorage<Float>?,
    output: MeanFieldOutput?, work: WorkContext
  ) throws(Cancelled) {
    try sent?.clear(work)
    let (size, level, unary, slabs) = (self.size, self.level, self.unary, self.slabs)
    try slabs.forEach(work) { planes, worker in
      let row = RowUpdate(
        rows: rows[worker].rows, kernels: dense_crf_kernels_for(level), unary: unary, settings: settings,
        appearance: appearance, smoothness: smoothness, previous: previous)
      let channels = (0..<unary.classCount - 1).map {
        ChannelRows($0, from: received, to: sent, worker: worker, kernels: dense_crf_kernels_for(level))
      }
      // The buffer of a local array, so that no row pays for its reference count.
      withUnsafeTemporaryAllocation(of: ChannelRows.self, capacity: channels.count) { buffer in
        _ = buffer.initialize(from: channels)
        for k in planes {
          for channel in buffer.indices { buffer[channel].enter(plane: k) }
          for j in 0..<size.j {
            if work.cancellation.isRequested { return }
            let offset = (k * size.j + j) * size.i
            for channel in buffer.indices {
              row.receive(channel, buffer[channel], j: j, k: k, offset: offset)
            }
            if let output {
              output.write(offset: offset, row.rows, row.kernels)
            } else {
              row.update()
              for channel in buffer.indices { row.send(channel, buffer[channel], j: j, k: k, offset: offset) }
            }
          }
          for channel in buffer.indices { buffer[channel].leave() }
        }
      }
    }
  }
}
