import CKernels
import Work

/// An ``Activation`` of every voxel; NaN stays.
package struct PreparedActivation: SingleInputOperation, VoxelwiseOperation {
  private let name: String
  private let functions: [Activation]

  /// - Parameters:
  ///   - name: As plans print it.
  ///   - functions: One for each channel, or one for all of them.
  package init(name: String, _ functions: [Activation]) {
    self.name = name
    self.functions = functions
  }

  package var kernelName: String { name }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: Int) -> Int { channels }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      functions.count == 1 || functions.count == output.channels,
      "\(functions.count) functions for \(output.channels) channels")
    let level = KernelLevel.current
    let kernels = functions.map(\.kernel)
    try work.forEachChunk(of: output, reading: input) { _, channel, range, source, target in
      activation_apply(level, kernels[channel % kernels.count], source, target, range.count)
    }
  }
}
