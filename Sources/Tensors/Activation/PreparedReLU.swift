import CKernels
import Work

/// ReLU, max(x, 0), of every voxel; NaN stays.
package struct PreparedReLU: SingleInputOperation {
  package init() {}

  package var kernelName: String { "relu" }
  package var worksInPlace: Bool { true }
  package var weightBytes: Int { 0 }
  package func outputChannels(_ channels: Int) -> Int { channels }
  package func outputExtent(_ input: Extent3) -> Extent3? { input }
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> { planes }
  package func operationCount(input: Extent3, channels: Int) -> Double { Double(channels * input.product) }
  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let level = KernelLevel.current
    try work.forEachChunk(of: output, reading: input) { _, _, range, source, target in
      if source != UnsafePointer(target) { target.update(from: source, count: range.count) }
      pointwise_relu(level, target, range.count)
    }
  }
}
