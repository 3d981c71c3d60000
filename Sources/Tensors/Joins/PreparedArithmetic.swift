import Work

/// The sum of its inputs voxel by voxel, with an activation that is fused.
///
/// An input has the output's channels or one that counts for all, and the output's extents or one voxel that counts for
/// all. The output may be one of the inputs of its shape.
package struct PreparedAdd: VoxelwiseOperation {
  /// Of the sums.
  let activation: PiecewiseLinear

  package init(activation: PiecewiseLinear = .identity) { self.activation = activation }

  package var kernelName: String { "add" + activation.nameAfterOperation }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: [Int]) -> Int { channels.max() ?? 0 }

  package func run(
    _ inputs: [ActivationWindow], into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    try work.join(inputs, by: .sum, into: output, activation: activation)
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
