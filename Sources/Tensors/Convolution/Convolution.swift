import Work

/// The convolution of `input` with `weight` plus `bias`: cross-correlation, as in PyTorch.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - weight: [out, in / groups, z, y, x], the last three as in `geometry.kernel`.
///   - bias: [out], or nil for none.
///   - activation: Applied to the results.
/// - Returns: [N, out, D', H', W'].
/// - Throws: `Cancelled`.
package func convolution(
  _ input: Tensor, weight: Tensor, bias: Tensor? = nil, geometry: ConvolutionGeometry,
  activation: PiecewiseLinear = .identity, work: WorkContext
) throws(Cancelled) -> Tensor {
  try PreparedConvolution(weight: weight, geometry: geometry, inputExtent: input.extent, work: work)
    .apply(input, bias: bias, activation: activation, work: work)
}

/// The gradient of a loss with respect to a convolution's input.
///
/// - Parameters:
///   - outputGradient: The gradient with respect to the output, [N, out, D', H', W'].
///   - weight: [out, in / groups, z, y, x].
///   - inputExtent: Extents of the input; with a stride the output does not determine them.
/// - Returns: [N, in, D, H, W].
/// - Throws: `Cancelled`.
package func convolutionInputGradient(
  _ outputGradient: Tensor, weight: Tensor, inputExtent: Extent3, geometry: ConvolutionGeometry,
  work: WorkContext
) throws(Cancelled) -> Tensor {
  try convolutionInputGradient(
    outputGradient, weight: weight, inputExtent: inputExtent, geometry: geometry,
    method: .best(for: .init(geometry: geometry, weightShape: weight.shape, inputExtent: inputExtent)),
    work: work)
}

/// The input gradient by the given method; see
/// ``convolutionInputGradient(_:weight:inputExtent:geometry:work:)``.
package func convolutionInputGradient(
  _ outputGradient: Tensor, weight: Tensor, inputExtent: Extent3, geometry: ConvolutionGeometry,
  method: ConvolutionMethod, work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(
    outputGradient.channels == weight.shape[0] && geometry.output(inputExtent) == outputGradient.extent,
    "gradient \(outputGradient.shape) for weights \(weight.shape) and an input of \(inputExtent)")
  switch geometry.groups == 1 || method == .reference ? method : .implicitProduct {
  case .pointwise:
    return try PointwiseConvolution(weight: weight, transposes: true)(outputGradient, work: work)
  case .winograd:
    return try WinogradConvolution(adjointOf: geometry, weight: weight, work: work)
      .apply(outputGradient, extent: inputExtent, work: work)
  case .fourier:
    return try FFTConvolution(weight: weight, geometry: geometry, inputExtent: inputExtent, work: work)
      .inputGradient(outputGradient, inputExtent: inputExtent, work: work)
  case .implicitProduct:
    return try ImplicitAdjoint(weight: weight, geometry: geometry, work: work)
      .apply(outputGradient, extent: inputExtent, work: work)
  case .reference:
    return convolutionInputGradientReference(
      ReferenceTensor(outputGradient), weight: ReferenceTensor(weight), inputExtent: inputExtent,
      geometry: geometry
    ).rounded
  }
}

/// The gradient of a loss with respect to a convolution's weights; the bias's is
/// ``channelSums(_:work:)`` of `outputGradient`.
///
/// - Parameters:
///   - input: [N, in, D, H, W].
///   - outputGradient: [N, out, D', H', W'].
/// - Returns: [out, in / groups, z, y, x].
/// - Throws: `Cancelled`.
package func convolutionWeightGradient(
  input: Tensor, outputGradient: Tensor, geometry: ConvolutionGeometry, work: WorkContext
) throws(Cancelled) -> Tensor {
  precondition(
    input.batch == outputGradient.batch && geometry.output(input.extent) == outputGradient.extent,
    "gradient \(outputGradient.shape) for an input of \(input.shape)")
  let shape = [outputGradient.channels, input.channels / geometry.groups]
  let method = ConvolutionMethod.best(
    for: .init(geometry: geometry, weightShape: shape, inputExtent: input.extent))
  switch geometry.groups == 1 ? method : .implicitProduct {
  case .winograd:
    return try WinogradConvolution.weightGradient(
      input: input, outputGradient: outputGradient, geometry: geometry, work: work)
  case .fourier:
    return try FFTConvolution.weightGradient(
      input: input, outputGradient: outputGradient, geometry: geometry, work: work)
  case .pointwise, .implicitProduct:
    return try implicitWeightGradient(
      input: input, outputGradient: outputGradient, geometry: geometry, work: work)
  case .reference:
    return convolutionWeightGradientReference(
      input: ReferenceTensor(input), outputGradient: ReferenceTensor(outputGradient), geometry: geometry
    ).rounded
  }
}

/// The output extents of an input that is large enough.
func outputExtent(of geometry: ConvolutionGeometry, input: Extent3) -> Extent3 {
  guard let extent = geometry.output(input) else {
    preconditionFailure("an input of \(input) is smaller than the dilated kernel of \(geometry)")
  }
  return extent
}
