import CKernels
import Volumes
import Work

/// The mean field on decimated grids: per iteration one filtering of the grids and one pass over the voxels, in
/// which messages are read from the grids, the update is made and its result is added to the next grids.
///
/// Only differences Q(l) - Q(0) are filtered, one channel fewer than classes, and between two passes nothing is
/// stored per voxel.
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
    let output = MeanFieldOutput(
      voxelCount: size.voxelCount, classCount: unary.classCount, wantsMarginals: wantsMarginals)
    let rows = (0..<work.threadCount).map { _ in RowScratch(count: size.i, channels: channels) }
    let previous =
      settings.excludesSelf ? AlignedStorage<Float>(count: channels * unary.stride) : nil
    let sends = settings.iterations > 0 && (appearance != nil || smoothness != nil)
    var received: KernelGrids?
    if sends {
      var free: KernelGrids? = nil
      for iteration in 0..<settings.iterations {
        let next = free ?? KernelGrids(appearance, smoothness, channels, work.threadCount)
        try pass(from: received, to: next, rows: rows, previous: previous, output: nil, work: work)
        try next.filter(appearance, smoothness, level: level, work: work)
        free = received
        received = next
        work.report(Double(iteration + 1) / Double(settings.iterations + 1))
      }
    }
    try pass(from: received, to: nil, rows: rows, previous: previous, output: output, work: work)
    work.report(1)
    return output.result()
  }

  /// One pass over the voxels: reads messages (none before the first), updates, and sends or writes the outcome.
  private func pass(
    from received: KernelGrids?, to sent: KernelGrids?, rows: [RowScratch], previous: AlignedStorage<Float>?,
    output: MeanFieldOutput?, work: WorkContext
  ) throws(Cancelled) {
    try sent?.clear(work)
    let channels = self.channels
    try slabs.forEach(work) { planes, worker in
      let kernels = dense_crf_kernels_for(level).pointee
      let scratch = rows[worker]
      var readers = KernelReaders(received, channels, worker, kernels)
      var writers = KernelWriters(sent, channels, worker, kernels)
      for k in planes {
        readers.enter(plane: k)
        writers.enter(plane: k)
        for j in 0..<size.j {
          if work.cancellation.isRequested { return }
          let offset = (k * size.j + j) * size.i
          for channel in 0..<channels {
            receive(
              channel, j: j, k: k, offset: offset, readers, previous: received == nil ? nil : previous,
              scratch,
              kernels)
          }
          if let output {
            output.write(offset: offset, scratch, kernels)
          } else {
            kernels.differences(
              scratch.differences.start, scratch.logits.start, scratch.stride, channels, size.i)
            send(j: j, k: k, offset: offset, writers, previous: previous, scratch, kernels)
          }
        }
        writers.leave()
      }
    }
  }

  /// Logits of one channel of a row: unary and weighted messages.
  private func receive(
    _ channel: Int, j: Int, k: Int, offset: Int, _ readers: KernelReaders, previous: AlignedStorage<Float>?,
    _ scratch: RowScratch, _ kernels: dense_crf_kernels
  ) {
    let count = size.i
    let logits = scratch.logits.start + channel * scratch.stride
    let place = channel * unary.stride + offset
    var base = UnsafePointer(unary.logits.start + place)
    let message = scratch.message.start
    func add(_ message: UnsafePointer<Float>, _ factors: UnsafePointer<Float>, _ weight: Double) {
      kernels.add_product(logits, base, message, factors, Float(weight), count)
      base = UnsafePointer(logits)
    }
    if let appearance, let reader = readers.appearance?[channel] {
      var row = appearance.row(at: offset)
      kernels.slice_row(message, reader.row(j), &row)
      let after = appearanceFactors(settings.normalisation.exponents.after, offset, scratch)
      add(message, after, settings.appearanceWeight)
      if let previous {
        let before = appearanceFactors(settings.normalisation.exponents.before, offset, scratch)
        kernels.multiply(message, previous.start + place, before, 1, count)
        add(message, after, -settings.appearanceWeight)
      }
    }
    if let smoothness, let reader = readers.smoothness?[channel] {
      let weight =
        settings.smoothnessWeight * Double(smoothness.after[1].start[j])
        * Double(smoothness.after[2].start[k])
      add(reader.row(j), smoothness.after[0].start, weight)
      if let previous {
        let own = smoothness.before[1].start[j] * smoothness.before[2].start[k]
        kernels.multiply(message, previous.start + place, smoothness.before[0].start, own, count)
        add(message, smoothness.after[0].start, -weight)
      }
    }
    if base != UnsafePointer(logits) { logits.update(from: base, count: count) }
  }

  /// Adds a row's differences to the next grids.
  private func send(
    j: Int, k: Int, offset: Int, _ writers: KernelWriters, previous: AlignedStorage<Float>?,
    _ scratch: RowScratch,
    _ kernels: dense_crf_kernels
  ) {
    for channel in 0..<channels {
      let differences = scratch.differences.start + channel * scratch.stride
      if let previous {
        (previous.start + channel * unary.stride + offset).update(from: differences, count: size.i)
      }
      if let appearance, let writer = writers.appearance?[channel] {
        var row = appearance.row(at: offset)
        let before = appearanceFactors(settings.normalisation.exponents.before, offset, scratch)
        kernels.splat_row(writer.target(j), differences, before, scratch.splat.start, &row)
        writer.deliver(j)
      }
      if let smoothness, let writer = writers.smoothness?[channel] {
        let own = smoothness.before[1].start[j] * smoothness.before[2].start[k]
        kernels.multiply(writer.target(j), differences, smoothness.before[0].start, own, size.i)
        writer.deliver(j)
      }
    }
  }

  /// A row of the appearance kernel's factors, ones where the normalisation has none.
  private func appearanceFactors(_ exponent: Double, _ offset: Int, _ scratch: RowScratch) -> UnsafePointer<
    Float
  > {
    if exponent != 0, let factors = appearance?.factors { return UnsafePointer(factors.start + offset) }
    return UnsafePointer(scratch.ones.start)
  }

  /// Row sums of the appearance kernel to the power `exponent` (-1/2 or -1); nil for 0.
  static func rowSumFactors(
    of filter: AppearanceFilter, size: GridSize, exponent: Double, level: kernels_level, work: WorkContext
  ) throws(Cancelled) -> AlignedStorage<Float>? {
    if exponent == 0 { return nil }
    let grids = KernelGrids(filter, nil, 1, work.threadCount)
    let rows = (0..<work.threadCount).map { _ in RowScratch(count: size.i, channels: 1) }
    let slabs = Slabs(planes: size.k, axes: [filter.axes[2]])
    try slabs.forEach(work) { planes, worker in
      let kernels = dense_crf_kernels_for(level).pointee
      let scratch = rows[worker]
      var writers = KernelWriters(grids, 1, worker, kernels)
      for k in planes {
        writers.enter(plane: k)
        for j in 0..<size.j {
          if work.cancellation.isRequested { return }
          var row = filter.row(at: (k * size.j + j) * size.i)
          guard let writer = writers.appearance?[0] else { return }
          kernels.splat_row(
            writer.target(j), scratch.ones.start, scratch.ones.start, scratch.splat.start, &row)
          writer.deliver(j)
        }
        writers.leave()
      }
    }
    work.report(0.4)
    try grids.filter(filter, nil, level: level, work: work)
    work.report(0.5)
    let factors = AlignedStorage<Float>(count: size.voxelCount)
    try slabs.forEach(work) { planes, worker in
      let kernels = dense_crf_kernels_for(level).pointee
      let scratch = rows[worker]
      var readers = KernelReaders(grids, 1, worker, kernels)
      for k in planes {
        readers.enter(plane: k)
        for j in 0..<size.j {
          if work.cancellation.isRequested { return }
          let offset = (k * size.j + j) * size.i
          var row = filter.row(at: offset)
          guard let reader = readers.appearance?[0] else { return }
          kernels.slice_row(scratch.message.start, reader.row(j), &row)
          kernels.invert(scratch.message.start, exponent == -0.5 ? 1 : 0, size.i)
          (factors.start + offset).update(from: scratch.message.start, count: size.i)
        }
      }
    }
    work.report(1)
    return factors
  }
}
