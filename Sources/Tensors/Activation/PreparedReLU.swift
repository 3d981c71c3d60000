import CKernels
import Work

/// ReLU, max(x, 0), of every voxel; NaN stays.
package struct PreparedReLU: SingleInputOperation, VoxelwiseOperation {
  package init() {}

  package var kernelName: String { "relu" }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: Int) -> Int { channels }

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
