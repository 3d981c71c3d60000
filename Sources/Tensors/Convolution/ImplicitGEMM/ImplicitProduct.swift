import CKernels
import Work

/// A convolution as a product of packed weights with a column matrix that exists only in panels of a few
/// columns, gathered when they are needed and small enough for the first cache level.
///
/// The results go to the voxels origin, origin + spacing, ... of the destination, so that the phases of a
/// transposed convolution are such products too.
struct ImplicitProduct: Sendable {
  /// Along z, y and x.
  let axes: (z: TapAxis, y: TapAxis, x: TapAxis)
  /// Source voxels from one output to the next.
  let step: Extent3
  /// Where in the destination the first output goes.
  let origin: Extent3
  /// Destination voxels from one output to the next.
  let spacing: Extent3
  /// The weights, whose columns are (channel, tap of z, y, x).
  let weights: PackedWeights

  /// Rows of a gathered panel at a time: with 48 columns 30 KB.
  private static let depthPerPass = 160

  /// Writes the results for every sample of `source` into `destination`.
  ///
  /// - Parameters:
  ///   - extent: Extents of the destination.
  ///   - bias: One per row, or empty for zeros.
  /// - Throws: `Cancelled`, leaving the destination partly written.
  func run(
    _ source: Tensor, destination: DisjointBuffer<Float>, extent: Extent3, bias: [Float], rectifies: Bool,
    work: WorkContext
  ) throws(Cancelled) {
    let grid = Extent3(
      count(extent.d, origin.d, spacing.d), count(extent.h, origin.h, spacing.h),
      count(extent.w, origin.w, spacing.w))
    guard grid.product > 0 else { return }
    let level = KernelLevel.current
    let panelColumns = Int(gemm_panel_columns(level))
    let rows = weights.rows
    let isDense = spacing == Extent3(1)
    // Panels that share a pass over the weights: few enough for their results to stay in the second cache
    // level, and for every thread to get several tasks.
    let panels = (grid.product + panelColumns - 1) / panelColumns
    let shared = max(
      1, min(16, 32_768 / (rows * panelColumns), panels * source.batch / (work.threadCount * 3)))
    let tasks = (panels + shared - 1) / shared
    let resultSize = isDense ? 0 : rows * panelColumns * shared
    let scratchSize = Self.depthPerPass * panelColumns + resultSize
    let paddedBias = bias + [Float](repeating: 0, count: (8 - bias.count % 8) % 8)

    try withScratch(perWorker: scratchSize, work: work) { scratch throws(Cancelled) in
      try source.elements.withSharedBuffer { elements throws(Cancelled) in
        try work.forEach(count: tasks * source.batch) { task, worker in
          let sample = task / tasks
          let first = task % tasks * shared * panelColumns
          let columns = min(shared * panelColumns, grid.product - first)
          let panel = scratch.start(worker)
          let target = destination.start + sample * rows * extent.product
          let result = isDense ? target + first : panel + Self.depthPerPass * panelColumns
          let block = ColumnBlock(
            level: level, columns: first..<first + columns, panelColumns: panelColumns, result: result,
            resultStride: isDense ? extent.product : shared * panelColumns)
          multiply(
            block, source: elements.start + sample * source.channels * source.extent.product,
            sourceExtent: source.extent, grid: grid, panel: panel, bias: paddedBias, rectifies: rectifies)
          if !isDense { scatter(block, grid: grid, to: target, extent: extent) }
        }
      }
    }
  }

  /// Results of some columns, and where they are put together.
  private struct ColumnBlock {
    var level: kernels_level
    var columns: Range<Int>
    var panelColumns: Int
    var result: UnsafeMutablePointer<Float>
    var resultStride: Int
  }

  private func multiply(
    _ block: ColumnBlock, source: UnsafePointer<Float>, sourceExtent: Extent3, grid: Extent3,
    panel: UnsafeMutablePointer<Float>, bias: [Float], rectifies: Bool
  ) {
    withGather(source, extent: sourceExtent, grid: grid) { gather in
      weights.elements.withUnsafeBufferPointer { packed in
        bias.withUnsafeBufferPointer { bias in
          var product = gemm_panel()
          product.rows = Int32(weights.rows)
          product.a_block = weights.depth * 8
          product.b = UnsafePointer(panel)
          product.b_stride = block.panelColumns
          product.c_stride = block.resultStride
          product.bias = bias.isEmpty ? nil : bias.baseAddress
          var start = 0
          // At least one pass, so that results without any product are their bias.
          repeat {
            let end = min(start + Self.depthPerPass, weights.depth)
            product.depth = Int32(end - start)
            product.a = packed.baseAddress.map { $0 + start * 8 }
            product.accumulates = start > 0 ? 1 : 0
            product.rectifies = rectifies && end == weights.depth ? 1 : 0
            for column in stride(
              from: block.columns.lowerBound, to: block.columns.upperBound, by: block.panelColumns)
            {
              product.columns = Int32(min(block.panelColumns, block.columns.upperBound - column))
              product.c = block.result + (column - block.columns.lowerBound)
              gemm_gather_panel(
                block.level, &gather, column, product.columns, Int32(start), Int32(end), panel,
                block.panelColumns)
              gemm_multiply_panel(block.level, &product)
            }
            start = end
          } while start < weights.depth
        }
      }
    }
  }

  /// Copies results to the voxels of the destination that they belong to.
  private func scatter(
    _ block: ColumnBlock, grid: Extent3, to destination: UnsafeMutablePointer<Float>, extent: Extent3
  ) {
    var column = block.columns.lowerBound
    while column < block.columns.upperBound {
      let x = column % grid.w
      let length = min(grid.w - x, block.columns.upperBound - column)
      let y = origin.h + column / grid.w % grid.h * spacing.h
      let z = origin.d + column / grid.w / grid.h * spacing.d
      let start = (z * extent.h + y) * extent.w + origin.w + x * spacing.w
      for row in 0..<weights.rows {
        let source = block.result + row * block.resultStride + (column - block.columns.lowerBound)
        let target = destination + row * extent.product + start
        for index in 0..<length { target[index * spacing.w] = source[index] }
      }
      column += length
    }
  }

  /// Calls `body` with the rule by which panels are gathered from one sample at `source`.
  func withGather(
    _ source: UnsafePointer<Float>, extent: Extent3, grid: Extent3, _ body: (inout gemm_gather) -> Void
  ) {
    gatherRule(axes, step: step, source: source, extent: extent, grid: grid, body)
  }

  private func count(_ extent: Int, _ origin: Int, _ spacing: Int) -> Int {
    origin < extent ? (extent - origin + spacing - 1) / spacing : 0
  }
}

/// Calls `body` with the rule by which panels of a column matrix are gathered from one sample at `source`.
func gatherRule(
  _ axes: (z: TapAxis, y: TapAxis, x: TapAxis), step: Extent3, source: UnsafePointer<Float>,
  extent: Extent3, grid: Extent3, _ body: (inout gemm_gather) -> Void
) {
  axes.z.offsets.withUnsafeBufferPointer { z in
    axes.y.offsets.withUnsafeBufferPointer { y in
      axes.x.offsets.withUnsafeBufferPointer { x in
        var gather = gemm_gather(
          source: source, channel_stride: extent.product, depth: Int32(extent.d), height: Int32(extent.h),
          width: Int32(extent.w), grid_height: Int32(grid.h), grid_width: Int32(grid.w),
          step_z: Int32(step.d), step_y: Int32(step.h), step_x: Int32(step.w), taps_z: Int32(z.count),
          taps_y: Int32(y.count), taps_x: Int32(x.count), offset_z: z.baseAddress, offset_y: y.baseAddress,
          offset_x: x.baseAddress)
        body(&gather)
      }
    }
  }
}
