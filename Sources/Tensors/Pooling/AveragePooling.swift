import CKernels
import Work

/// Average-pooling: the mean over each window.
///
/// The voxels of windows in the padding are zeros: they count where it `countsPadding` (`count_include_pad`), and those
/// beyond the padding, of partial windows, never do.
package struct PreparedAveragePooling: PreparedPooling {
  /// Windows, stride and padding.
  package let geometry: PoolingGeometry
  /// Whether padding counts among the voxels that a mean is taken of.
  package let countsPadding: Bool

  package init(geometry: PoolingGeometry, countsPadding: Bool) {
    self.geometry = geometry
    self.countsPadding = countsPadding
  }

  package var kernelName: String { "average-pooling" }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let needed = inputPlanes(for: output.planes, inputDepth: input.extent.d)
    precondition(
      geometry.output(input.extent) == output.extent && needed.clamped(to: input.planes) == needed,
      "planes \(input.planes) of \(input.extent) for planes \(output.planes) of \(output.extent)")
    let rows = AveragingRows(
      geometry, countsPadding: countsPadding, input: input.extent, output: output.extent)
    let (pooled, planes) = (output.extent, output.planes)
    let level = KernelLevel.current
    try work.forEach(count: output.batch * output.channels * planes.count) { index, _ in
      let (sample, channel) = (
        index / planes.count / output.channels, index / planes.count % output.channels
      )
      let plane = index % planes.count
      let target = output.start(sample: sample, channel: channel) + plane * output.planeStride
      for y in 0..<pooled.h {
        rows.forWindows(z: planes.lowerBound + plane, y: y) { row, factors in
          row.channel = UnsafePointer(input.start(sample: sample, channel: channel))
          row.first_z -= Int32(input.planes.lowerBound)
          pooling_averages(level, &row, factors, target + y * pooled.w)
        }
      }
    }
  }
}

/// The gradient of a loss with respect to an average-pooling's input.
///
/// - Parameters:
///   - outputGradient: [N, C, D', H', W'].
///   - inputExtent: Extents of the pooling's input.
/// - Returns: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func averagePoolingInputGradient(
  _ outputGradient: Tensor, geometry: PoolingGeometry, countsPadding: Bool, inputExtent extent: Extent3,
  work: WorkContext
) throws(Cancelled) -> Tensor {
  let pooled = outputGradient.extent
  precondition(geometry.output(extent) == pooled, "gradient of \(pooled) for an input of \(extent)")
  let rows = AveragingRows(geometry, countsPadding: countsPadding, input: extent, output: pooled)
  let channels = outputGradient.batch * outputGradient.channels
  let level = KernelLevel.current
  return try filledTensor(
    shape: [outputGradient.batch, outputGradient.channels, extent.d, extent.h, extent.w]
  ) { result throws(Cancelled) in
    try outputGradient.elements.withSharedBuffer { gradient throws(Cancelled) in
      try work.forEach(count: channels) { channel, _ in
        let target = result.start + channel * extent.product
        target.initialize(repeating: 0, count: extent.product)
        for z in 0..<pooled.d where !work.cancellation.isRequested {
          for y in 0..<pooled.h {
            let source = gradient.start + ((channel * pooled.d + z) * pooled.h + y) * pooled.w
            rows.forWindows(z: z, y: y) { row, factors in
              pooling_averages_gradient(level, &row, factors, source, target)
            }
          }
        }
      }
    }
  }
}

/// Rows of windows of an average-pooling, and the factors that their sums are multiplied by.
private struct AveragingRows: Sendable {
  private let geometry: PoolingGeometry
  private let input: Extent3
  private let output: Extent3
  /// For each window along an axis the voxels that it counts.
  private let depths, heights, widths: [Int]

  init(_ geometry: PoolingGeometry, countsPadding: Bool, input: Extent3, output: Extent3) {
    (self.geometry, self.input, self.output) = (geometry, input, output)
    func counts(_ axis: KeyPath<Extent3, Int>) -> [Int] {
      (0..<output[keyPath: axis]).map { window in
        let length = input[keyPath: axis]
        guard countsPadding else {
          return geometry.voxels(ofWindow: window, along: axis, length: length).count
        }
        let first = window * geometry.stride[keyPath: axis] - geometry.padding.before[keyPath: axis]
        return min(geometry.kernel[keyPath: axis], length + geometry.padding.after[keyPath: axis] - first)
      }
    }
    (depths, heights, widths) = (counts(\.d), counts(\.h), counts(\.w))
  }

  /// Calls `body` with the windows of row `y` of plane `z`, whose `channel` is not set, and the factor of each.
  func forWindows(
    z: Int, y: Int, _ body: (_ row: inout pooling_row, _ factors: UnsafePointer<Float>) -> Void
  ) {
    let planes = geometry.voxels(ofWindow: z, along: \.d, length: input.d)
    let rows = geometry.voxels(ofWindow: y, along: \.h, length: input.h)
    var row = pooling_row(
      channel: nil, plane: input.h * input.w, row: input.w, first_z: Int32(planes.lowerBound),
      first_y: Int32(rows.lowerBound), rows_z: Int32(planes.count), rows_y: Int32(rows.count),
      columns: Int32(geometry.kernel.w), step: Int32(geometry.stride.w), input_width: Int32(input.w),
      width: Int32(output.w), before: Int32(geometry.padding.before.w), takes_minimum: 0)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: output.w) { factors in
      for x in 0..<output.w {
        factors.initializeElement(at: x, to: 1 / Float(depths[z] * heights[y] * widths[x]))
      }
      body(&row, UnsafePointer(factors.baseAddress!))
    }
  }
}
