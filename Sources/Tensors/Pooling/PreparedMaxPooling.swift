import CKernels
import Work

/// Max-pooling without argmax indices; see ``maxPooling(_:geometry:work:)``.
package struct PreparedMaxPooling: SingleInputOperation {
  /// Windows and stride.
  package let geometry: PoolingGeometry

  package init(geometry: PoolingGeometry) { self.geometry = geometry }

  package var kernelName: String { "max-pooling" }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { 0 }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { geometry.output(input) }

  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    geometry.inputPlanes(for: planes, inputDepth: inputDepth)
  }

  package func operationCount(input: Extent3, channels: Int) -> Double { Double(channels * input.product) }
  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }

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
      let firstZ = (planes.lowerBound + plane) * geometry.stride.d
      let target = output.start(sample: sample, channel: channel) + plane * output.planeStride
      for y in 0..<pooled.h {
        let firstY = y * geometry.stride.h
        var row = pooling_row(
          channel: input.start(sample: sample, channel: channel), plane: input.planeStride, row: extent.w,
          first_z: Int32(firstZ - input.planes.lowerBound), first_y: Int32(firstY),
          rows_z: Int32(min(geometry.kernel.d, extent.d - firstZ)),
          rows_y: Int32(min(geometry.kernel.h, extent.h - firstY)), columns: Int32(geometry.kernel.w),
          step: Int32(geometry.stride.w), input_width: Int32(extent.w), width: Int32(pooled.w),
          takes_minimum: 0
        )
        pooling_maxima(level, &row, target + y * pooled.w, nil)
      }
    }
  }
}

extension PoolingGeometry {
  /// Whether windows are 2x2x2 voxels that do not overlap and partial windows are dropped: the pooling that
  /// convolutions can fuse.
  var is2x2x2: Bool { self == PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: false) }

  /// Planes of an input of `inputDepth` planes that the maxima in `planes` are taken from.
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    let first = min(planes.lowerBound * stride.d, inputDepth)
    guard !planes.isEmpty else { return first..<first }
    return first..<min((planes.upperBound - 1) * stride.d + kernel.d, inputDepth)
  }
}
