import CKernels
import Work

/// What is taken of all voxels of a channel.
package enum GlobalStatistic: String, Hashable, Sendable {
  case average, maximum
}

/// The mean or the maximum over all voxels of each channel, [N, C, 1, 1, 1]; of NaN and numbers NaN is the maximum.
package struct PreparedGlobalPooling: SingleInputOperation {
  /// What is taken of each channel.
  package let statistic: GlobalStatistic

  package init(_ statistic: GlobalStatistic) { self.statistic = statistic }

  package var kernelName: String { "global \(statistic)" }
  package var worksInPlace: Bool { false }
  package var weightBytes: Int { 0 }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { Extent3(1) }
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> {
    planes.isEmpty ? 0..<0 : 0..<inputDepth
  }
  package func operationCount(input: Extent3, channels: Int) -> Double { Double(channels * input.product) }
  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let values: [Float]
    switch statistic {
    case .average:
      let count = Double(input.extent.product)
      values = try voxelSums(of: input, work: work).map { Float($0 / count) }
    case .maximum: values = try voxelMaxima(of: input, work: work)
    }
    for (plane, value) in values.enumerated() {
      output.start(sample: plane / output.channels, channel: plane % output.channels)[0] = value
    }
  }
}

/// The maximum over the voxels of each channel of each sample.
private func voxelMaxima(of input: ActivationWindow, work: WorkContext) throws(Cancelled) -> [Float] {
  let level = KernelLevel.current
  let count = input.planes.count * input.planeStride
  var maxima = [Float](repeating: 0, count: input.batch * input.channels)
  try maxima.withDisjointBuffer { maxima throws(Cancelled) in
    try work.forEach(count: maxima.count) { plane, _ in
      maxima[plane] = elementwise_maximum(
        level, input.start(sample: plane / input.channels, channel: plane % input.channels), count)
    }
  }
  return maxima
}

/// The gradient with respect to the input of a global pooling, given that of its output, [N, C, 1, 1, 1]: for a mean
/// the same at all voxels of a channel, for a maximum at its first voxel alone.
/// - Throws: `Cancelled`.
package func globalPoolingGradient(
  _ gradient: Tensor, _ statistic: GlobalStatistic, input: Tensor, output: Tensor, work: WorkContext
) throws(Cancelled) -> Tensor {
  let count = input.extent.product
  return try input.withWindow { input throws(Cancelled) in
    let shape = [input.batch, input.channels, input.extent.d, input.extent.h, input.extent.w]
    return try Tensor(shape: shape) { result throws(Cancelled) in
      try work.forEach(count: input.batch * input.channels) { plane, _ in
        let (sample, channel) = (plane / input.channels, plane % input.channels)
        let target = result.start(sample: sample, channel: channel)
        switch statistic {
        case .average:
          target.update(repeating: gradient.elements[plane] / Float(count), count: count)
        case .maximum:
          target.update(repeating: 0, count: count)
          let values = UnsafeBufferPointer(start: input.start(sample: sample, channel: channel), count: count)
          let maximum = output.elements[plane]
          if let first = values.firstIndex(where: { $0 == maximum || $0.isNaN }) {
            target[first] = gradient.elements[plane]
          }
        }
      }
    }
  }
}
