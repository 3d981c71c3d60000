import CKernels
import Work

/// scale x + shift of every voxel, one pair per channel: a batch normalisation at inference.
package struct PreparedChannelwiseAffine: SingleInputOperation, VoxelwiseOperation {
  private let scales: [Float]
  private let shifts: [Float]

  /// The operation with one scale and one shift per channel.
  package init(scales: [Float], shifts: [Float]) {
    precondition(scales.count == shifts.count, "\(scales.count) scales and \(shifts.count) shifts")
    self.scales = scales
    self.shifts = shifts
  }

  package var kernelName: String { "scale and shift" }
  package var worksInPlace: Bool { true }
  package var weightBytes: Int { 2 * scales.count * MemoryLayout<Float>.stride }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func operationCount(input: Extent3, channels: Int) -> Double {
    2 * Double(channels * input.product)
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      output.channels == scales.count, "\(output.channels) channels, expected \(scales.count)")
    let level = KernelLevel.current
    try work.forEachChunk(of: output, reading: input) { _, channel, range, source, target in
      pointwise_affine(level, source, target, range.count, scales[channel], shifts[channel])
    }
  }
}
