import CKernels
import Work

extension ImplicitProduct {
  /// Floats of scratch memory that ``runGathered(_:into:bias:activation:addsToOutput:scratch:work:)`` needs.
  func gatheredScratchCount(threadCount: Int) -> Int {
    let panelColumns = Int(gemm_panel_columns(KernelLevel.current))
    return WorkerScratch.count(
      perWorker: Self.depthPerPass * panelColumns + gatheredResultCount(panelColumns),
      threadCount: threadCount)
  }

  /// Panels per pass over the weights: few enough for their results to stay in the second cache level.
  private func sharedPanels(_ panelColumns: Int) -> Int {
    max(1, min(16, 32_768 / (weights.rows * panelColumns)))
  }

  private func gatheredResultCount(_ panelColumns: Int) -> Int {
    spacing == Extent3(1) ? 0 : weights.rows * panelColumns * sharedPanels(panelColumns)
  }

  /// Writes the planes of `output` from gathered panels, for any step.
  ///
  /// - Parameters:
  ///   - bias: For each group one per row, padded to blocks of eight, or empty for zeros.
  ///   - addsToOutput: Whether results are added to what the output's memory holds before the activation; where outputs
  ///     are contiguous.
  /// - Throws: `Cancelled`, leaving the output partly written.
  func runGathered(
    _ input: ActivationWindow, into output: ActivationWindow, bias: [Float], activation: PiecewiseLinear,
    addsToOutput: Bool, scratch: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let grid = grid(output.extent)
    let held = planes(in: output.planes)
    let planeColumns = grid.h * grid.w
    let allColumns = held.count * planeColumns
    guard allColumns > 0 else { return }
    let level = KernelLevel.current
    let panelColumns = Int(gemm_panel_columns(level))
    let isDense = spacing == Extent3(1)
    // Several tasks per thread, for load balance.
    let panels = (allColumns + panelColumns - 1) / panelColumns
    let groups = weights.groups
    let shared = max(
      1, min(sharedPanels(panelColumns), panels * input.batch * groups / (work.threadCount * 3)))
    let tasks = (panels + shared - 1) / shared
    let rowOffsets = (0..<Self.depthPerPass).map { $0 * panelColumns }
    let workers = WorkerScratch(
      scratch, perWorker: Self.depthPerPass * panelColumns + gatheredResultCount(panelColumns))

    try rowOffsets.withSharedBuffer { rowOffsets throws(Cancelled) in
      try work.forEach(count: tasks * groups * input.batch) { task, worker in
        let (sample, group) = (task / tasks / groups, task / tasks % groups)
        let position = task % tasks * shared * panelColumns
        let columns = min(shared * panelColumns, allColumns - position)
        let first = held.lowerBound * planeColumns + position
        let panel = workers.start(worker)
        let result =
          isDense
          ? output.start(sample: sample, channel: group * weights.rows) + position
          : panel + Self.depthPerPass * panelColumns
        let resultStride = isDense ? output.channelStride : shared * panelColumns
        gatherRule(
          axes, step: step, source: input.start(sample: sample, channel: group * input.channels / groups),
          extent: input.extent, planes: input.planes, channelStride: input.channelStride, grid: grid
        ) { gather in
          multiply(
            level: level, group: group, columns: columns, result: result, resultStride: resultStride,
            bias: bias, activation: activation, accumulates: addsToOutput
          ) { rows, column, count in
            gemm_gather_panel(
              level, &gather, first + column, Int32(count), Int32(rows.lowerBound),
              Int32(rows.upperBound), panel, panelColumns)
            return (UnsafePointer(panel), rowOffsets.start)
          }
        }
        if !isDense {
          scatter(
            level: level, result, resultStride: resultStride, columns: columns, first: first, pitch: grid.w,
            z: 0,
            grid: grid, to: output, sample: sample, group: group)
        }
      }
    }
  }
}

/// Calls `body` with the description that gathers panels of a column matrix from one sample, whose `planes` are at
/// `source`.
func gatherRule(
  _ axes: (z: TapAxis, y: TapAxis, x: TapAxis), step: Extent3, source: UnsafePointer<Float>,
  extent: Extent3, planes: Range<Int>, channelStride: Int, grid: Extent3,
  _ body: (inout gemm_gather) -> Void
) {
  axes.z.offsets.withUnsafeBufferPointer { z in
    axes.y.offsets.withUnsafeBufferPointer { y in
      axes.x.offsets.withUnsafeBufferPointer { x in
        var gather = gemm_gather(
          source: source, channel_stride: channelStride, first_plane: Int32(planes.lowerBound),
          depth: Int32(extent.d), height: Int32(extent.h),
          width: Int32(extent.w), grid_height: Int32(grid.h), grid_width: Int32(grid.w),
          step_z: Int32(step.d), step_y: Int32(step.h), step_x: Int32(step.w), taps_z: Int32(z.count),
          taps_y: Int32(y.count), taps_x: Int32(x.count), offset_z: z.baseAddress, offset_y: y.baseAddress,
          offset_x: x.baseAddress)
        body(&gather)
      }
    }
  }
}
