import Work

/// The sum of its inputs voxel by voxel, and max(sum, 0) where a ReLU is fused.
///
/// An input has the output's channels or one that counts for all, and the output's extents or one voxel that counts for
/// all. The output may be one of the inputs of its shape.
package struct PreparedAdd: VoxelwiseOperation {
  /// Whether a ReLU is applied to the sums; NaN stays.
  let appliesReLU: Bool

  package init(appliesReLU: Bool = false) { self.appliesReLU = appliesReLU }

  package var kernelName: String { appliesReLU ? "add, relu" : "add" }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: [Int]) -> Int { channels.max() ?? 0 }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    try work.join(inputs, by: .sum, into: output, appliesReLU: appliesReLU)
  }
}

/// The product of its inputs voxel by voxel, with inputs as those of ``PreparedAdd``: gates of channels or of voxels.
package struct PreparedMultiply: VoxelwiseOperation {
  package init() {}

  package var kernelName: String { "multiply" }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: [Int]) -> Int { channels.max() ?? 0 }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    try work.join(inputs, by: .product, into: output)
  }
}
