import Work

/// Upsamples `input`: the adjoint of a strided convolution with the same weights.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - weight: [in, out, z, y, x].
///   - bias: [out], or nil for none.
/// - Returns: [N, out, D', H', W'].
/// - Throws: `Cancelled`.
package func transposedConvolution(
  _ input: Tensor, weight: Tensor, bias: Tensor? = nil, geometry: TransposedConvolutionGeometry,
  work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(
    input.channels == weight.shape[0] && weight.extent == geometry.kernel,
    "input \(input.shape) for weights \(weight.shape) and a kernel of \(geometry.kernel)")
  return try PreparedTransposedConvolution(weight: weight, bias: bias, geometry: geometry, work: work)(
    input, work: work)
}

/// The gradient of a loss with respect to a transposed convolution's input.
///
/// - Parameters:
///   - outputGradient: [N, out, D', H', W'].
///   - weight: [in, out, z, y, x].
/// - Returns: [N, in, D, H, W].
/// - Throws: `Cancelled`.
package func transposedConvolutionInputGradient(
  _ outputGradient: Tensor, weight: Tensor, geometry: TransposedConvolutionGeometry, work: WorkContext
) throws(Cancelled) -> Tensor {
  try convolution(outputGradient, weight: weight, geometry: geometry.adjoint, work: work)
}

/// The gradient of a loss with respect to a transposed convolution's weights; the bias's is
/// ``channelSums(_:work:)`` of `outputGradient`.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - outputGradient: [N, out, D', H', W'].
/// - Returns: [in, out, z, y, x].
/// - Throws: `Cancelled`.
package func transposedConvolutionWeightGradient(
  input: Tensor, outputGradient: Tensor, geometry: TransposedConvolutionGeometry, work: WorkContext
) throws(Cancelled) -> Tensor {
  try convolutionWeightGradient(
    input: outputGradient, outputGradient: input, geometry: geometry.adjoint, work: work)
}

extension TransposedConvolutionGeometry {
  /// The strided convolution that this one is the transpose of; it maps output grids to input grids.
  package var adjoint: ConvolutionGeometry {
    ConvolutionGeometry(kernel: kernel, stride: stride, padding: padding)
  }
}
