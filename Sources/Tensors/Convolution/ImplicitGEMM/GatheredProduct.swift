import CKernels
import Work

extension ImplicitProduct {
  /// Writes the results for every sample of `source` into `destination`, gathering every panel: right for any
  /// step.
  ///
  /// - Parameters:
  ///   - extent: Extents of the destination.
  ///   - bias: One per row, padded to blocks of eight, or empty for zeros.
  /// - Throws: `Cancelled`, leaving the destination partly written.
  func runGathered(
    _ source: Tensor, destination: DisjointBuffer<Float>, extent: Extent3, bias: [Float], rectifies: Bool,
    work: WorkContext
  ) throws(Cancelled) {
    let grid = grid(extent)
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
    let rowOffsets = (0..<Self.depthPerPass).map { $0 * panelColumns }

    try withScratch(
      perWorker: Self.depthPerPass * panelColumns + resultSize, work: work
    ) { scratch throws(Cancelled) in
      try source.elements.withSharedBuffer { elements throws(Cancelled) in
        try rowOffsets.withSharedBuffer { rowOffsets throws(Cancelled) in
          try work.forEach(count: tasks * source.batch) { task, worker in
            let sample = task / tasks
            let first = task % tasks * shared * panelColumns
            let columns = min(shared * panelColumns, grid.product - first)
            let panel = scratch.start(worker)
            let target = destination.start + sample * rows * extent.product
            let result = isDense ? target + first : panel + Self.depthPerPass * panelColumns
            let resultStride = isDense ? extent.product : shared * panelColumns
            gatherRule(
              axes, step: step, source: elements.start + sample * source.channels * source.extent.product,
              extent: source.extent, grid: grid
            ) { gather in
              multiply(
                level: level, columns: columns, result: result, resultStride: resultStride, bias: bias,
                rectifies: rectifies
              ) { rows, column, count in
                gemm_gather_panel(
                  level, &gather, first + column, Int32(count), Int32(rows.lowerBound),
                  Int32(rows.upperBound), panel, panelColumns)
                return (UnsafePointer(panel), rowOffsets.start)
              }
            }
            if !isDense {
              scatter(
                result, resultStride: resultStride, columns: columns, first: first, pitch: grid.w, z: 0,
                grid: grid, to: target, extent: extent)
            }
          }
        }
      }
    }
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
