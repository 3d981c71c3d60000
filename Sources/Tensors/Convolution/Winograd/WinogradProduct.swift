import CKernels
import Work

/// A Winograd convolution of any scheme with transformed weights.
///
/// Each block of tiles is computed in four steps: the source is interleaved by blocks of channels, patches are
/// transformed, transformed values are multiplied point by point, and results are transformed back and stored with bias
/// and activation. Tiles are aligned to the whole output, so that results do not depend on the window; with dilation they begin
/// at the first plane of the window, and windows that begin and end at multiples of ``windowStep`` planes give the same
/// results as the whole.
struct WinogradProduct: Sendable {
  let weights: WinogradWeights
  /// Voxels from one tap to the next; 1 for all schemes but those of ``WinogradScheme/convolution4`` and
  /// ``WinogradScheme/convolution2``.
  let dilation: Extent3
  /// One per padded output.
  let bias: [Float]
  /// Of the results, with one slope per padded output.
  let activation: PiecewiseLinear
  /// Whether a 2x2x2 max-pooling is fused.
  let pools: Bool
  /// Whether results are added to what the output's memory holds before the activation.
  let addsToOutput: Bool

  /// Products with `weights`; `bias` is [out], or nil for none.
  init(
    _ weights: WinogradWeights, dilation: Extent3, bias: Tensor?, activation: PiecewiseLinear,
    pools: Bool = false, addsToOutput: Bool = false
  ) {
    precondition(!pools || !addsToOutput, "maxima that are added")
    precondition(!pools || dilation == Extent3(1), "a max-pooling of results \(dilation) apart")
    precondition(
      bias.map { $0.elements.count == weights.outputChannels } ?? true,
      "bias \(bias?.shape ?? []) for \(weights.outputChannels) channels")
    self.weights = weights
    self.dilation = dilation
    let values = bias?.elements ?? []
    self.bias = values + [Float](repeating: 0, count: weights.paddedOutputChannels - values.count)
    self.activation = activation.padded(
      channels: weights.outputChannels, paddedLength: weights.paddedOutputChannels)
    self.pools = pools
    self.addsToOutput = addsToOutput
  }

  private var scheme: WinogradScheme { weights.scheme }
  /// Results along an axis per voxel of the output.
  private var pooled: Int { pools ? 2 : 1 }

  /// The planes of results that planes of the output depend on.
  private func resultPlanes(_ planes: Range<Int>) -> Range<Int> {
    planes.lowerBound * pooled..<planes.upperBound * pooled
  }

  /// The planes of an input of `depth` planes that planes of the output depend on.
  func inputPlanes(for planes: Range<Int>, depth: Int) -> Range<Int> {
    scheme.sourceRange(resultPlanes(planes), dilation: dilation.d).clamped(to: 0..<depth)
  }

  /// Planes of the output that tiles of all grids yield, where they begin with the window.
  var windowStep: Int { dilation.d > 1 ? scheme.results * dilation.d : 1 }

  /// The parallelisation of the tiles: by blocks where there are enough of them, else all threads work on one block,
  /// step by step.
  private enum Plan {
    case blocks(WinogradTiling)
    case steps(WinogradTiling)
  }

  private func plan(extent: Extent3, planes: Range<Int>, batch: Int, threadCount: Int) -> Plan {
    func tiling(floats: Int) -> WinogradTiling {
      WinogradTiling(
        scheme: scheme, dilation: dilation, inputChannels: weights.inputChannels,
        outputChannels: weights.outputChannels,
        extent: Extent3(extent.d * pooled, extent.h * pooled, extent.w * pooled), planes: planes,
        floats: floats)
    }
    let blocks = tiling(floats: WinogradTiling.floatsPerWorker)
    if threadCount == 1 || blocks.blockCount * batch >= 2 * threadCount { return .blocks(blocks) }
    return .steps(tiling(floats: 2 * threadCount * WinogradTiling.floatsPerWorker))
  }

  private func scratchCount(_ plan: Plan, threadCount: Int) -> Int {
    switch plan {
    case .blocks(let tiling): WorkerScratch.count(perWorker: tiling.scratchCount, threadCount: threadCount)
    case .steps(let tiling): tiling.scratchCount
    }
  }

  /// Floats of scratch memory for a window of `planes` planes of an output of extents `extent`.
  func scratchCount(planes: Int, extent: Extent3, batch: Int, threadCount: Int) -> Int {
    guard planes > 0 else { return 0 }
    // A window may begin and end inside a tile, and a smaller window may have another plan than a larger one: one of few
    // planes has few of the interleaved grids.
    let results = (planes * pooled + dilation.d - 1) / dilation.d
    let maximum = min(
      scheme.tiles((extent.d * pooled + dilation.d - 1) / dilation.d),
      (results + 2 * scheme.results - 2) / scheme.results)
    let windows = [1] + (1...max(maximum, 1)).map { $0 * scheme.results * dilation.d }
    return windows.reduce(0) { count, planes in
      let plan = plan(extent: extent, planes: 0..<planes, batch: batch, threadCount: threadCount)
      return max(count, scratchCount(plan, threadCount: threadCount))
    }
  }

  /// Writes the planes of `output`.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      input.channels == weights.inputChannels && output.channels == weights.outputChannels,
      "\(input.channels) to \(output.channels) channels for weights of \(weights.inputChannels) to "
        + "\(weights.outputChannels)")
    let plan = plan(
      extent: output.extent, planes: resultPlanes(output.planes), batch: input.batch,
      threadCount: work.threadCount)
    let needed = scratchCount(plan, threadCount: work.threadCount)
    precondition(scratch.count >= needed, "\(scratch.count) floats of \(needed) of scratch memory")
    switch plan {
    case .blocks(let tiling):
      let workers = WorkerScratch(scratch, perWorker: tiling.scratchCount)
      let single = work.withoutProgress.singleThreaded
      try work.forEach(count: tiling.blockCount * input.batch) { index, worker in
        let memory = DisjointBuffer(
          UnsafeMutableBufferPointer(start: workers.start(worker), count: tiling.scratchCount))
        // A cancelled block is detected by the check below.
        try? run(tiling, index: index, input, into: output, scratch: memory, work: single)
      }
      try work.checkCancellation()
    case .steps(let tiling):
      for index in 0..<tiling.blockCount * input.batch {
        try run(tiling, index: index, input, into: output, scratch: scratch, work: work.withoutProgress)
      }
    }
  }

  /// Computes block `index` in all steps.
  private func run(
    _ tiling: WinogradTiling, index: Int, _ input: ActivationWindow, into output: ActivationWindow,
    scratch: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let boxCount = InterleavedBox.count(extent: tiling.sourceExtent, channels: tiling.inputChannels)
    let box = InterleavedBox(extent: tiling.sourceExtent, memory: scratch, level: tiling.level)
    let points = scratch.part(from: boxCount)
    let sums = scratch.part(from: boxCount + tiling.pointCount)
    let (sample, block) = (index / tiling.blockCount, tiling.block(index % tiling.blockCount))
    guard block.rowCount > 0 else { return }
    try tiling.fill(
      box, block, from: input, sample: sample,
      readable: inputPlanes(for: output.planes, depth: input.extent.d), work: work)
    try tiling.forward(box, block, into: points, work: work)
    try multiply(
      tiling, tiles: block.rowCount * tiling.columns, points: points, sums: sums, work: work)
    try inverse(tiling, block, sums: sums, output: output, sample: sample, work: work)
  }

  /// The products of every point.
  private func multiply(
    _ tiling: WinogradTiling, tiles: Int, points: DisjointBuffer<Float>, sums: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let level = tiling.level
    let productsOfSum = scheme.productsOfSums
    try work.withoutProgress.forEach(count: scheme.sums) { sum, _ in
      for (index, product) in productsOfSum[sum].enumerated() {
        let point = Int(winograd_point(scheme.kind, Int32(product)))
        winograd_multiply(
          level, Int32(tiles), Int32(weights.inputChannels), Int32(tiling.outputChannels),
          points.start + point * tiling.pointStride, tiling.inputChannels,
          weights.memory.start + product * weights.productStride, sums.start + sum * tiling.sumStride,
          tiling.outputChannels, index > 0 ? 1 : 0)
      }
    }
  }

  /// Transforms a block's results back and stores them.
  private func inverse(
    _ tiling: WinogradTiling, _ block: WinogradBlock, sums: DisjointBuffer<Float>, output: ActivationWindow,
    sample: Int, work: WorkContext
  ) throws(Cancelled) {
    let level = tiling.level
    let (lanes, results) = (Int(WINOGRAD_LANES), scheme.results / pooled)
    let rows = block.rowCount
    let planes = block.z.indices(of: output.planes)
    try bias.withSharedBuffer { bias throws(Cancelled) in
      try activation.slopes.withSharedBuffer { slopes throws(Cancelled) in
        try work.withoutProgress.forEach(count: tiling.outputChannels / lanes * rows) { task, _ in
          let (channel, row) = (task / rows * lanes, task % rows)
          // Of the grids.
          let firstPlane = block.firstResultPlane / pooled
          let z = firstPlane + (block.planes.lowerBound + row / block.rows.count) * results
          let y = (block.rows.lowerBound + row % block.rows.count) * results
          // Planes of the tile before the window are outside the memory; the kernel does not write them.
          let offset =
            ((block.z.voxel(z) - output.planes.lowerBound) * output.extent.h + block.y.voxel(y))
            * output.extent.w
          var target = winograd_target(
            voxels: output.start(sample: sample, channel: channel) + offset,
            channel_stride: output.channelStride,
            plane_stride: output.planeStride * dilation.d, row_stride: output.extent.w * dilation.h,
            channels: Int32(min(lanes, weights.outputChannels - channel)),
            first_plane: Int32(max(0, planes.lowerBound - z)),
            planes: Int32(min(results, planes.upperBound - z)),
            rows: Int32(min(results, block.y.count(output.extent.h) - y)), width: Int32(output.extent.w),
            bias: bias.start + channel, activation: activation.kernel(slopes.start, from: channel),
            pools: pools ? 1 : 0, adds: addsToOutput ? 1 : 0)
          winograd_inverse(
            level, scheme.kind, Int32(tiling.columns), Int32(dilation.w),
            sums.start + row * tiling.columns * tiling.outputChannels + channel,
            tiling.sumStride, tiling.outputChannels, &target)
        }
      }
    }
  }
}

extension WinogradTiling {
  /// Fills `box` with the part of the source that a block reads; see
  /// ``InterleavedBox/fill(from:sample:block:planes:firstRow:x:readable:work:)``.
  func fill(
    _ box: InterleavedBox, _ block: WinogradBlock, from source: ActivationWindow, sample: Int,
    readable: Range<Int>, work: WorkContext
  ) throws(Cancelled) {
    let firstTile = block.firstResultPlane * scheme.step / scheme.results
    let first = firstTile + block.planes.lowerBound * scheme.step - 1
    try box.fill(
      from: source, sample: sample, block: block,
      planes: first..<first + (block.planes.count - 1) * scheme.step + scheme.patch,
      firstRow: block.rows.lowerBound * scheme.step - 1, x: -dilation.w, readable: readable, work: work)
  }

  /// Transforms all patches of a block's source.
  func forward(
    _ box: InterleavedBox, _ block: WinogradBlock, into points: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let lanes = Int(WINOGRAD_LANES)
    let (planes, rows) = (block.planes.count, block.rows.count)
    try work.withoutProgress.forEach(count: inputChannels / lanes * planes * rows) { task, _ in
      let (block, row) = (task / (planes * rows), task % (planes * rows))
      winograd_forward(
        level, scheme.kind, Int32(columns), Int32(dilation.w),
        box.row(block: block, row / rows * scheme.step, row % rows * scheme.step), box.planeStride,
        box.rowStride, points.start + row * columns * inputChannels + block * lanes, pointStride,
        inputChannels)
    }
  }
}

extension WinogradScheme {
  /// For each transformed result the products that are summed in it.
  var productsOfSums: [[Int]] {
    var products = [[Int]](repeating: [], count: sums)
    for product in 0..<self.products { products[Int(winograd_sum(kind, Int32(product)))].append(product) }
    return products
  }
}

extension WorkContext {
  /// The same context with one thread, for the body of a parallel loop.
  var singleThreaded: WorkContext {
    var single = self
    single.threadCount = 1
    return single
  }
}

extension DisjointBuffer {
  /// The elements from `index` on.
  func part(from index: Int) -> DisjointBuffer {
    DisjointBuffer(UnsafeMutableBufferPointer(start: start + index, count: count - index))
  }
}
