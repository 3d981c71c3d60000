import Work

/// The greatest value in every window, and which voxel it came from.
///
/// Among equal values the first in memory wins; NaN wins over numbers, as in PyTorch.
///
/// - Parameter input: [N, C, D, H, W].
/// - Returns: The pooled values, [N, C, D', H', W'], and for each the flat index of its voxel inside the
///   channel's D·H·W voxels, for ``maxPoolingInputGradient(_:winners:inputExtent:work:)``.
/// - Throws: `Cancelled`.
package func maxPooling(
  _ input: Tensor, geometry: PoolingGeometry, work: WorkContext
) throws(Cancelled) -> (output: Tensor, winners: [Int32]) {
  try work.checkCancellation()
  let (output, winners) = maxPoolingReference(ReferenceTensor(input), geometry: geometry)
  return (output.rounded, winners)
}

/// The gradient of a loss with respect to a max-pooling's input: each output's goes to its winner.
///
/// - Parameters:
///   - outputGradient: [N, C, D', H', W'].
///   - winners: As ``maxPooling(_:geometry:work:)`` returned them.
///   - inputExtent: Extents of the pooling's input.
/// - Returns: [N, C, D, H, W].
/// - Throws: `Cancelled`.
package func maxPoolingInputGradient(
  _ outputGradient: Tensor, winners: [Int32], inputExtent: Extent3, work: WorkContext
) throws(Cancelled) -> Tensor {
  try work.checkCancellation()
  return maxPoolingInputGradientReference(
    ReferenceTensor(outputGradient), winners: winners, inputExtent: inputExtent
  ).rounded
}
