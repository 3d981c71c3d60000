import CKernels
import Work

/// The gradient of a convolution's weights by implicit GEMM: panels of the column matrix times rows of the output
/// gradient.
///
/// See ``convolutionWeightGradient(input:outputGradient:geometry:work:)``.
///
/// Sums run over pieces of 768 voxels in an order that depends on the shapes only.
func implicitWeightGradient(
  input: Tensor, outputGradient: Tensor, geometry: ConvolutionGeometry, work: WorkContext
) throws(Cancelled) -> Tensor {
  let (groups, kernel) = (geometry.groups, geometry.kernel)
  // Of each group.
  let (outputChannels, channels) = (outputGradient.channels / groups, input.channels / groups)
  let plan = WeightGradientPlan(
    rows: channels * kernel.product, outputChannels: outputChannels, groups: groups,
    pieces: outputGradient.batch * ((outputGradient.extent.product + pieceLength - 1) / pieceLength))
  let axes = geometry.tapAxes
  let level = KernelLevel.current
  let size = groups * outputChannels * plan.rows
  var parts = [Float](repeating: 0, count: size * plan.partitions)
  let panelSize = plan.rowsPerTask * pieceLength
  let rowOffsets = (0..<plan.rowsPerTask).map { $0 * pieceLength }
  try withScratch(perWorker: panelSize + outputChannels * pieceLength, work: work) {
    scratch throws(Cancelled) in
    try input.elements.withSharedBuffer { input throws(Cancelled) in
      try outputGradient.elements.withSharedBuffer { gradient throws(Cancelled) in
        try parts.withDisjointBuffer { parts throws(Cancelled) in
          try work.forEach(count: groups * plan.rowBlocks * plan.partitions) { task, worker in
            let (group, block) = (task / plan.rowBlocks % groups, task % plan.rowBlocks)
            let rows = block * plan.rowsPerTask..<min((block + 1) * plan.rowsPerTask, plan.rows)
            let partition = task / plan.rowBlocks / groups
            let result =
              parts.start + partition * size + group * outputChannels * plan.rows + rows.lowerBound
            for piece in plan.pieces(of: partition) where !work.cancellation.isRequested {
              accumulate(
                piece, group: group, rows: rows, into: result, panel: scratch.start(worker), input: input,
                gradient: gradient)
            }
          }
        }
      }
    }
  }
  try work.checkCancellation()
  for partition in 1..<max(plan.partitions, 1) {
    for index in 0..<size { parts[index] += parts[partition * size + index] }
  }
  parts.removeLast(parts.count - size)
  return Tensor(shape: [groups * outputChannels, channels, kernel.d, kernel.h, kernel.w], elements: parts)

  @Sendable func accumulate(
    _ piece: Int, group: Int, rows: Range<Int>, into result: UnsafeMutablePointer<Float>,
    panel: UnsafeMutablePointer<Float>, input source: SharedBuffer<Float>, gradient: SharedBuffer<Float>
  ) {
    let voxels = outputGradient.extent.product
    let perSample = (voxels + pieceLength - 1) / pieceLength
    let sample = piece / perSample
    let first = piece % perSample * pieceLength
    let length = min(pieceLength, voxels - first)
    gatherRule(
      axes, step: geometry.stride,
      source: source.start + (sample * groups + group) * channels * input.extent.product,
      extent: input.extent, planes: 0..<input.extent.d, channelStride: input.extent.product,
      grid: outputGradient.extent
    ) { gather in
      gemm_gather_panel(
        level, &gather, first, Int32(length), Int32(rows.lowerBound), Int32(rows.upperBound), panel,
        pieceLength)
    }
    // Channels a power of two apart would be mapped to a few sets of the cache.
    let rowsOfGradient = panel + panelSize
    for output in 0..<outputChannels {
      (rowsOfGradient + output * pieceLength).update(
        from: gradient.start + ((sample * groups + group) * outputChannels + output) * voxels + first,
        count: length)
    }
    rowOffsets.withUnsafeBufferPointer { rowOffsets in
      gemm_multiply_transposed(
        level, Int32(outputChannels), Int32(rows.count), Int32(length), rowsOfGradient, pieceLength, panel,
        rowOffsets.baseAddress, result, plan.rows)
    }
  }
}

/// Voxels whose products are summed in single precision before they are added to the total: six rows of them fit in the
/// first cache level.
private let pieceLength = 768

/// The partition of the work on a weight gradient, which depends on its shape only.
private struct WeightGradientPlan: Sendable {
  /// Rows of the column matrix: channels times taps.
  let rows: Int
  /// Rows that one task gathers.
  let rowsPerTask: Int
  /// Blocks of that many rows in each group.
  let rowBlocks: Int
  /// Partitions of the voxels, each with its own sums.
  let partitions: Int
  private let pieces: Int

  init(rows: Int, outputChannels: Int, groups: Int, pieces: Int) {
    self.rows = rows
    self.pieces = pieces
    rowsPerTask = min(96, rows)
    rowBlocks = (rows + rowsPerTask - 1) / rowsPerTask
    // Sixteen tasks balance the load of a few threads; the sums of all partitions stay below 16 MB.
    let tasks = groups * rowBlocks
    let wanted = (16 + tasks - 1) / tasks
    partitions = max(1, min(wanted, pieces, 4_000_000 / (rows * outputChannels * groups)))
  }

  func pieces(of partition: Int) -> Range<Int> {
    partition * pieces / partitions..<(partition + 1) * pieces / partitions
  }
}
