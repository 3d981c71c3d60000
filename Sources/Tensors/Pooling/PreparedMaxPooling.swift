import CKernels
import Work

/// Max-pooling without argmax indices; see ``maxPooling(_:geometry:work:)``.
package struct PreparedMaxPooling: PreparedPooling {
  /// Windows and stride.
  package let geometry: PoolingGeometry

  package init(geometry: PoolingGeometry) { self.geometry = geometry }

  package var kernelName: String { "max-pooling" }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let needed = inputPlanes(for: output.planes, inputDepth: input.extent.d)
    precondition(
      geometry.output(input.extent) == output.extent && needed.clamped(to: input.planes) == needed,
      "planes \(input.planes) of \(input.extent) for planes \(output.planes) of \(output.extent)")
    let (extent, pooled, planes) = (input.extent, output.extent, output.planes)
    let level = KernelLevel.current
    try work.forEach(count: output.batch * output.channels * planes.count) { index, _ in
      let (sample, channel) = (
        index / planes.count / output.channels, index / planes.count % output.channels
      )
      let plane = index % planes.count
      let z = geometry.voxels(ofWindow: planes.lowerBound + plane, along: \.d, length: extent.d)
      let target = output.start(sample: sample, channel: channel) + plane * output.planeStride
      for y in 0..<pooled.h {
        let rows = geometry.voxels(ofWindow: y, along: \.h, length: extent.h)
        var row = pooling_row(
          channel: input.start(sample: sample, channel: channel), plane: input.planeStride, row: extent.w,
          first_z: Int32(z.lowerBound - input.planes.lowerBound), first_y: Int32(rows.lowerBound),
          rows_z: Int32(z.count), rows_y: Int32(rows.count), columns: Int32(geometry.kernel.w),
          step: Int32(geometry.stride.w), input_width: Int32(extent.w), width: Int32(pooled.w),
          before: Int32(geometry.padding.before.w), takes_minimum: 0)
        pooling_maxima(level, &row, target + y * pooled.w, nil)
      }
    }
  }
}

extension PoolingGeometry {
  /// Whether windows are 2x2x2 voxels that do not overlap, without padding, and partial windows are dropped: the pooling that
  /// convolutions can fuse.
  var is2x2x2: Bool { self == PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: false) }

  /// Planes of an input of `inputDepth` planes that the windows in `planes` hold.
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    let first = min(max(planes.lowerBound * stride.d - padding.before.d, 0), inputDepth)
    guard !planes.isEmpty else { return first..<first }
    let end = (planes.upperBound - 1) * stride.d - padding.before.d + kernel.d
    return first..<max(first, min(end, inputDepth))
  }
}
