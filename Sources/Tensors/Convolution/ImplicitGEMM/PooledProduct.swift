import CKernels
import Work

/// A product of step 1 fused with a 2x2x2 max-pooling: two planes of some rows at a time are computed into memory that
/// stays in the second cache level.
private struct PooledProduct {
  let padded: PaddedProduct
  /// Extents of the pooled output.
  let extent: Extent3
  /// Rows of the pooled output per task.
  let rows: Int

  private var product: ImplicitProduct { padded.products[0] }
  private var pitch: Int { padded.padded(planes: 0).w }

  /// The maximum number of results per task over all rows of weights.
  private static let maximumResults = 65_536

  init(_ products: [ImplicitProduct], source: Extent3, extent: Extent3) {
    guard products.count == 1,
      let padded = PaddedProduct(
        products, source: source, extent: Extent3(2 * extent.d, 2 * extent.h, 2 * extent.w), mayDecline: false
      )
    else { preconditionFailure("\(products.count) products, of which one of step 1 can store maxima") }
    self.padded = padded
    self.extent = extent
    let perRow = 4 * products[0].weights.rows * padded.padded(planes: 0).w
    rows = max(1, min(extent.h, Self.maximumResults / perRow))
  }

  /// Columns of a plane per task, padding between rows included.
  private var columns: Int { 2 * rows * pitch }

  private var resultCount: Int { product.weights.rows * 2 * columns }

  func scratchCount(sourcePlanes: Int, channels: Int, batch: Int, threadCount: Int) -> Int {
    PaddedSource.count(extent: padded.padded(planes: sourcePlanes), channels: channels, batch: batch)
      + WorkerScratch.count(perWorker: resultCount, threadCount: threadCount)
  }

  func run(
    _ input: ActivationWindow, into output: ActivationWindow, sourceRange: Range<Int>, bias: [Float],
    activation: PiecewiseLinear, scratch: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let source = try PaddedSource(
      input, planes: sourceRange, before: padded.before, extent: padded.padded(planes: sourceRange.count),
      memory: scratch, work: work)
    let level = KernelLevel.current
    let offsets = padded.rowOffsets(of: product, in: source)
    let workers = WorkerScratch(
      DisjointBuffer(
        UnsafeMutableBufferPointer(
          start: scratch.start + source.count, count: scratch.count - source.count)), perWorker: resultCount)
    let (blocks, planes) = ((extent.h + rows - 1) / rows, output.planes)
    let groups = product.weights.groups
    let channelsPerGroup = input.channels / groups
    try work.forEach(count: input.batch * groups * planes.count * blocks) { task, worker in
      let (part, plane) = (task / blocks / planes.count, planes.lowerBound + task / blocks % planes.count)
      let (sample, group) = (part / groups, part % groups)
      let first = task % blocks * rows
      let held = first..<min(first + rows, extent.h)
      let result = workers.start(worker)
      for half in 0...1 {
        let start =
          source.memory.start
          + ((part * channelsPerGroup * source.extent.d + 2 * plane + half) * source.extent.h + 2 * first)
          * pitch
        offsets.withUnsafeBufferPointer { offsets in
          product.multiply(
            level: level, group: group, columns: (2 * held.count - 1) * pitch + 2 * extent.w,
            result: result + half * columns, resultStride: 2 * columns, bias: bias, activation: activation
          ) { rows, column, _ in (UnsafePointer(start + column), offsets.baseAddress! + rows.lowerBound) }
        }
      }
      for channel in 0..<product.weights.rows {
        let target =
          output.start(sample: sample, channel: group * product.weights.rows + channel)
          + (plane - planes.lowerBound) * output.planeStride
        for y in held {
          var row = pooling_row(
            channel: result + channel * 2 * columns, plane: columns, row: pitch, first_z: 0,
            first_y: Int32(2 * (y - first)), rows_z: 2, rows_y: 2, columns: 2, step: 2,
            input_width: Int32(2 * extent.w), width: Int32(extent.w), before: 0, takes_minimum: 0)
          pooling_maxima(level, &row, target + y * extent.w, nil)
        }
      }
    }
  }
}

extension ImplicitOperation {
  /// Floats of scratch memory of ``runPooled(_:into:scratch:work:)`` for `planes` planes of a pooled output of extents
  /// `extent`.
  func pooledScratchCount(
    planes: Int, input: Extent3, output extent: Extent3, channels: Int, batch: Int, threadCount: Int
  ) -> Int {
    PooledProduct(products, source: input, extent: extent).scratchCount(
      sourcePlanes: sourceRange(of: 0..<2 * planes).count, channels: channels, batch: batch,
      threadCount: threadCount)
  }

  /// Writes the planes of `output`, the max-pooled results.
  func runPooled(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    try PooledProduct(products, source: input.extent, extent: output.extent).run(
      input, into: output,
      sourceRange: sourceRange(of: 2 * output.planes.lowerBound..<2 * output.planes.upperBound),
      bias: bias, activation: activation, scratch: scratch, work: work)
  }
}
