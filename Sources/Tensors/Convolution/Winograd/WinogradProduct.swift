import CKernels
import Work

/// A Winograd convolution of any scheme with transformed weights.
///
/// Each block of tiles is computed in four steps: the source is interleaved by blocks of channels, patches are
/// transformed, transformed values are multiplied point by point, and results are transformed back and stored with bias
/// and activation. Tiles are aligned to the whole output, so that results do not depend on the window.
struct WinogradProduct: Sendable {
  let weights: WinogradWeights
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
    _ weights: WinogradWeights, bias: Tensor?, activation: PiecewiseLinear, pools: Bool = false,
    addsToOutput: Bool = false
  ) {
    precondition(!pools || !addsToOutput, "maxima that are added")
    precondition(
      bias.map { $0.elements.count == weights.outputChannels } ?? true,
      "bias \(bias?.shape ?? []) for \(weights.outputChannels) channels")
    self.weights = weights
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
  func resultPlanes(_ planes: Range<Int>) -> Range<Int> {
    planes.lowerBound * pooled..<planes.upperBound * pooled
  }

  /// The parallelisation of the tiles: by blocks where there are enough of them, else all threads work on one block,
  /// step by step.
  private enum Plan {
    case blocks(WinogradTiling)
    case steps(WinogradTiling)
  }

  private func plan(extent: Extent3, planes: Range<Int>, batch: Int, threadCount: Int) -> Plan {
    func tiling(floats: Int) -> WinogradTiling {
      WinogradTiling(
        scheme: scheme, inputChannels: weights.inputChannels, outputChannels: weights.outputChannels,
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
    // A window may begin and end inside a tile, and a smaller window may have another plan than a larger one.
    let maximum = min(
      scheme.tiles(extent.d * pooled), (planes * pooled + 2 * scheme.results - 2) / scheme.results)
    return (0...maximum).reduce(0) { count, planes in
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
      extent: output.extent, planes: scheme.tilePlanes(resultPlanes(output.planes)), batch: input.batch,
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
    try box.fill(
      from: input, sample: sample, z: block.planes.lowerBound * scheme.step - 1,
      y: block.rows.lowerBound * scheme.step - 1, x: -1,
      planes: (block.planes.count - 1) * scheme.step + scheme.patch, work: work)
    let tiles = block.planes.count * block.rows.count * tiling.columns
    try tiling.forward(
      box, planes: block.planes.count, rows: block.rows.count, into: points, work: work)
    try multiply(tiling, tiles: tiles, points: points, sums: sums, work: work)
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
    _ tiling: WinogradTiling, _ block: (planes: Range<Int>, rows: Range<Int>), sums: DisjointBuffer<Float>,
    output: ActivationWindow, sample: Int, work: WorkContext
  ) throws(Cancelled) {
    let level = tiling.level
    let (lanes, results) = (Int(WINOGRAD_LANES), scheme.results / pooled)
    let rows = block.planes.count * block.rows.count
    try bias.withSharedBuffer { bias throws(Cancelled) in
      try activation.slopes.withSharedBuffer { slopes throws(Cancelled) in
        try work.withoutProgress.forEach(count: tiling.outputChannels / lanes * rows) { task, _ in
          let (channel, row) = (task / rows * lanes, task % rows)
          let z = (block.planes.lowerBound + row / block.rows.count) * results
          let y = (block.rows.lowerBound + row % block.rows.count) * results
          let firstPlane = max(0, output.planes.lowerBound - z)
          // Planes of the tile before the window are outside the memory; the kernel does not write them.
          let offset = ((z - output.planes.lowerBound) * output.extent.h + y) * output.extent.w
          var target = winograd_target(
            voxels: output.start(sample: sample, channel: channel) + offset,
            channel_stride: output.channelStride,
            plane_stride: output.planeStride, row_stride: output.extent.w,
            channels: Int32(min(lanes, weights.outputChannels - channel)), first_plane: Int32(firstPlane),
            planes: Int32(min(results, output.planes.upperBound - z)),
            rows: Int32(min(results, output.extent.h - y)), width: Int32(output.extent.w),
            bias: bias.start + channel, activation: activation.kernel(slopes.start, from: channel),
            pools: pools ? 1 : 0, adds: addsToOutput ? 1 : 0)
          winograd_inverse(
            level, scheme.kind, Int32(tiling.columns),
            sums.start + row * tiling.columns * tiling.outputChannels + channel,
            tiling.sumStride, tiling.outputChannels, &target)
        }
      }
    }
  }
}

extension WinogradTiling {
  /// Transforms all patches of a block's source.
  func forward(
    _ box: InterleavedBox, planes: Int, rows: Int, into points: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let lanes = Int(WINOGRAD_LANES)
    try work.withoutProgress.forEach(count: inputChannels / lanes * planes * rows) { task, _ in
      let (block, row) = (task / (planes * rows), task % (planes * rows))
      winograd_forward(
        level, scheme.kind, Int32(columns),
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
