import Work

/// The transposed convolution of `input` with `weight` plus `bias`: the adjoint of a strided convolution, as in
/// PyTorch.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - weight: [in, out / groups, z, y, x].
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
///   - weight: [in, out / groups, z, y, x].
/// - Returns: [N, in, D, H, W].
/// - Throws: `Cancelled`.
package func transposedConvolutionInputGradient(
  _ outputGradient: Tensor, weight: Tensor, geometry: TransposedConvolutionGeometry, work: WorkContext
) throws(Cancelled) -> Tensor {
  if usesPolyphase(geometry, weightShape: weight.shape) {
    return try PolyphaseGradients(
      outputGradient: outputGradient, inputChannels: weight.shape[0], geometry: geometry
    ).inputGradientAndSums(weight: weight, input: nil, work: work).inputGradient
  }
  return try convolution(outputGradient, weight: weight, geometry: geometry.adjoint, work: work)
}

/// The gradient of a loss with respect to a transposed convolution's weights; the bias's is
/// ``channelSums(_:work:)`` of `outputGradient`.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - outputGradient: [N, out, D', H', W'].
/// - Returns: [in, out / groups, z, y, x].
/// - Throws: `Cancelled`.
package func transposedConvolutionWeightGradient(
  input: Tensor, outputGradient: Tensor, geometry: TransposedConvolutionGeometry, work: WorkContext
) throws(Cancelled) -> Tensor {
  let kernel = geometry.kernel
  let shape = [input.channels, outputGradient.channels / geometry.groups, kernel.d, kernel.h, kernel.w]
  if usesPolyphase(geometry, weightShape: shape) {
    return Tensor(
      shape: shape,
      elements: try PolyphaseGradients(
        outputGradient: outputGradient, inputChannels: input.channels, geometry: geometry
      ).sums(input: input, work: work).weight)
  }
  return try convolutionWeightGradient(
    input: outputGradient, outputGradient: input, geometry: geometry.adjoint, work: work)
}

/// The gradients of a loss with respect to the weights, the bias and the input of a transposed convolution.
package struct TransposedConvolutionGradients: Sendable {
  /// With respect to the weights, [in, out / groups, z, y, x].
  package var weight: Tensor
  /// With respect to the bias, [out].
  package var bias: Tensor
  /// With respect to the input, [N, in, D, H, W]; nil where it is not needed.
  package var input: Tensor?
}

/// All gradients of a transposed convolution; in polyphase form `outputGradient` is read only once.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - outputGradient: [N, out, D', H', W'].
///   - weight: [in, out / groups, z, y, x].
///   - passesGradient: Whether the input's gradient is needed.
/// - Throws: `Cancelled`.
package func transposedConvolutionGradients(
  input: Tensor, outputGradient: Tensor, weight: Tensor, geometry: TransposedConvolutionGeometry,
  passesGradient: Bool, work: WorkContext
) throws(Cancelled) -> TransposedConvolutionGradients {
  guard passesGradient, usesPolyphase(geometry, weightShape: weight.shape) else {
    return TransposedConvolutionGradients(
      weight: try transposedConvolutionWeightGradient(
        input: input, outputGradient: outputGradient, geometry: geometry, work: work),
      bias: try channelSums(outputGradient, work: work),
      input: passesGradient
        ? try transposedConvolutionInputGradient(
          outputGradient, weight: weight, geometry: geometry, work: work) : nil)
  }
  let (inputGradient, sums) = try PolyphaseGradients(
    outputGradient: outputGradient, inputChannels: input.channels, geometry: geometry
  ).inputGradientAndSums(weight: weight, input: input, work: work)
  return TransposedConvolutionGradients(
    weight: Tensor(shape: weight.shape, elements: sums.weight),
    bias: Tensor(shape: [outputGradient.channels], elements: sums.bias), input: inputGradient)
}

/// Whether the polyphase form is the fastest for weights of shape [in, out, z, y, x].
private func usesPolyphase(_ geometry: TransposedConvolutionGeometry, weightShape shape: [Int]) -> Bool {
  PolyphaseGradients.supports(geometry)
    && PolyphaseGradients.isFaster(inputChannels: shape[0], outputChannels: shape[1])
}

extension TransposedConvolutionGeometry {
  /// The strided convolution whose adjoint this is; it maps output grids to input grids.
  package var adjoint: ConvolutionGeometry {
    ConvolutionGeometry(
      kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }
}
