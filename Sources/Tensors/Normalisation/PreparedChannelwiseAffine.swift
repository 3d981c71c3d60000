import CKernels
import Work

/// factor x + offset of every voxel, one pair per channel: what a batch normalisation is at inference.
package struct PreparedChannelwiseAffine: PreparedOperation {
  private let factors: [Float]
  private let offsets: [Float]

  /// The operation with one factor and one offset per channel.
  package init(factors: [Float], offsets: [Float]) {
    precondition(
      factors.count == offsets.count, "\(factors.count) factors and \(offsets.count) offsets")
    self.factors = factors
    self.offsets = offsets
  }

  package var kernelName: String { "scale and shift" }
  package var worksInPlace: Bool { true }
  package var weightBytes: Int { 2 * factors.count * MemoryLayout<Float>.stride }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { input }
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> { planes }
  package func operationCount(input: Extent3, channels: Int) -> Double {
    2 * Double(channels * input.product)
  }
  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      output.channels == factors.count, "\(output.channels) channels, expected \(factors.count)")
    let level = KernelLevel.current
    try work.forEachStretch(of: output, reading: input) { channel, source, target, count in
      pointwise_affine(level, source, target, count, factors[channel], offsets[channel])
    }
  }
}
