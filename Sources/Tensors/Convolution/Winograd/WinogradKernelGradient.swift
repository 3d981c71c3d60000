import CKernels
import Work

/// The weight gradient in the transformed domain: for every point the product of the transformed input and the
/// transformed output gradient, summed over tiles, then transformed back to taps once.
///
/// Sums run block by block in an order that depends on the shapes only. Where the transformed weights are few, the
/// blocks are partitioned, and each partition has sums of its own.
func winogradKernelGradient(
  input: Tensor, outputGradient: Tensor, scheme: WinogradScheme, dilation: Extent3, shape: [Int],
  layout: winograd_kernels, work: WorkContext
) throws(Cancelled) -> Tensor {
  let plan = WinogradGradientPlan(
    scheme: scheme, dilation: dilation, inputChannels: input.channels,
    outputChannels: outputGradient.channels, batch: input.batch, extent: outputGradient.extent)
  let gradients = (0..<plan.partitions).map { _ in
    WinogradWeights(scheme: scheme, inputChannels: input.channels, outputChannels: outputGradient.channels)
  }
  let workers = plan.partitions > 1 ? work.threadCount : 1
  let scratchCount = WorkerScratch.count(perWorker: plan.scratchCount, threadCount: workers)
  try withScratch(count: scratchCount) { scratch throws(Cancelled) in
    let scratch = WorkerScratch(scratch, perWorker: plan.scratchCount)
    try input.withWindow { input throws(Cancelled) in
      try outputGradient.withWindow { outputGradient throws(Cancelled) in
        guard plan.partitions > 1 else {
          try plan.accumulate(
            partition: 0, input, outputGradient, into: gradients[0], scratch: scratch.start(0),
            work: work.withoutProgress)
          return
        }
        let single = work.withoutProgress.singleThreaded
        try work.forEach(count: plan.partitions) { partition, worker in
          // A cancelled partition is detected by the check below.
          try? plan.accumulate(
            partition: partition, input, outputGradient, into: gradients[partition],
            scratch: scratch.start(worker),
            work: single)
        }
        try work.checkCancellation()
      }
    }
  }
  try gradients[0].add(gradients.dropFirst(), work: work.withoutProgress)
  return try gradients[0].kernelGradient(shape: shape, layout: layout, work: work)
}

/// The partition of a gradient's blocks.
private struct WinogradGradientPlan: Sendable {
  let tiling: WinogradTiling
  /// Partitions of the blocks with sums of their own.
  let partitions: Int
  private let blocks: Int

  /// The maximum number of floats of the sums of all partitions.
  private static let maximumSums = 8_000_000

  init(
    scheme: WinogradScheme, dilation: Extent3, inputChannels: Int, outputChannels: Int, batch: Int,
    extent: Extent3
  ) {
    func tiling(floats: Int) -> WinogradTiling {
      WinogradTiling(
        scheme: scheme, dilation: dilation, inputChannels: inputChannels, outputChannels: outputChannels,
        extent: extent, planes: 0..<extent.d, floats: floats)
    }
    let small = tiling(floats: WinogradTiling.floatsPerWorker)
    let sums = scheme.products * inputChannels * WinogradScheme.padded(outputChannels)
    let partitions = min(16, small.blockCount * batch, Self.maximumSums / sums)
    // Fewer partitions would leave threads idle; then all threads work on one block.
    if partitions >= 4 {
      self.tiling = small
      self.partitions = partitions
    } else {
      self.tiling = tiling(floats: 4 * WinogradTiling.floatsPerWorker)
      self.partitions = 1
    }
    blocks = self.tiling.blockCount * batch
  }

  /// Floats that one block, of input and of gradient, needs.
  var scratchCount: Int { boxCount + tiling.pointCount + tiling.sumCount }

  private var boxCount: Int {
    max(
      InterleavedBox.count(extent: tiling.sourceExtent, channels: tiling.inputChannels),
      InterleavedBox.count(extent: tiling.resultExtent, channels: tiling.outputChannels))
  }

  /// Adds the products of a partition's blocks to `gradient`.
  func accumulate(
    partition: Int, _ input: ActivationWindow, _ outputGradient: ActivationWindow,
    into gradient: WinogradWeights,
    scratch: UnsafeMutablePointer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let scheme = tiling.scheme
    let memory = DisjointBuffer(UnsafeMutableBufferPointer(start: scratch, count: scratchCount))
    let points = memory.part(from: boxCount)
    let sums = memory.part(from: boxCount + tiling.pointCount)
    let source = InterleavedBox(extent: tiling.sourceExtent, memory: memory, level: tiling.level)
    let results = InterleavedBox(extent: tiling.resultExtent, memory: memory, level: tiling.level)
    let own = partition * blocks / partitions..<(partition + 1) * blocks / partitions
    for index in own {
      let (sample, block) = (index / tiling.blockCount, tiling.block(index % tiling.blockCount))
      // Empty blocks count, too: the products of the first one, none, clear the memory of the sums.
      try tiling.fill(
        source, block, from: input, sample: sample, readable: 0..<input.extent.d, work: work)
      try tiling.forward(source, block, into: points, work: work)
      try results.fill(
        from: outputGradient, sample: sample, block: block,
        planes: block.planes.lowerBound * scheme.results..<block.planes.upperBound * scheme.results,
        firstRow: block.rows.lowerBound * scheme.results, x: 0, readable: 0..<outputGradient.extent.d,
        work: work)
      try tiling.forwardAdjoint(results, block, into: sums, work: work)
      try gradient.accumulate(
        tiling, tiles: block.rowCount * tiling.columns, points: points, sums: sums,
        adds: index > own.lowerBound, work: work)
    }
  }
}

extension WinogradTiling {
  /// Transforms the gradient of all results of a block.
  fileprivate func forwardAdjoint(
    _ box: InterleavedBox, _ block: WinogradBlock, into sums: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let lanes = Int(WINOGRAD_LANES)
    let (planes, rows) = (block.planes.count, block.rows.count)
    try work.forEach(count: outputChannels / lanes * planes * rows) { task, _ in
      let (block, row) = (task / (planes * rows), task % (planes * rows))
      winograd_forward_adjoint(
        level, scheme.kind, Int32(columns), Int32(dilation.w),
        box.row(block: block, row / rows * scheme.results, row % rows * scheme.results), box.planeStride,
        box.rowStride, sums.start + row * columns * outputChannels + block * lanes, sumStride, outputChannels)
    }
  }
}

extension WinogradWeights {
  /// Adds a block's products to this gradient, or replaces it by them.
  fileprivate func accumulate(
    _ tiling: WinogradTiling, tiles: Int, points: DisjointBuffer<Float>, sums: DisjointBuffer<Float>,
    adds: Bool, work: WorkContext
  ) throws(Cancelled) {
    let level = tiling.level
    try work.forEach(count: scheme.products) { product, _ in
      let point = Int(winograd_point(scheme.kind, Int32(product)))
      let sum = Int(winograd_sum(scheme.kind, Int32(product)))
      winograd_multiply_adjoint(
        level, Int32(tiles), Int32(inputChannels), Int32(tiling.outputChannels),
        points.start + point * tiling.pointStride,
        tiling.inputChannels, sums.start + sum * tiling.sumStride, tiling.outputChannels,
        memory.start + product * productStride, adds ? 1 : 0)
    }
  }

  /// Adds the sums of other partitions, in order.
  fileprivate func add(_ others: ArraySlice<WinogradWeights>, work: WorkContext) throws(Cancelled) {
    let level = KernelLevel.current
    let count = inputChannels * paddedOutputChannels
    guard !others.isEmpty else { return }
    try work.forEach(count: scheme.products) { product, _ in
      let target = memory.start + product * productStride
      for other in others {
        pointwise_combine(level, target, other.memory.start + product * productStride, target, count, 1, 1, 0)
      }
    }
  }
}
