import Work

/// A convolution whose weights were brought into the form of its method once, to be applied many times.
package struct PreparedConvolution: Sendable {
  /// The spatial rule.
  package let geometry: ConvolutionGeometry
  /// How it is computed.
  package let method: ConvolutionMethod
  private let weight: Tensor
  private let prepared: Prepared

  private enum Prepared: Sendable {
    case pointwise
    case fourier(FFTConvolution)
    case implicitProduct(ImplicitConvolution)
    case reference
  }

  /// Prepares `weight`, [out, in, z, y, x].
  ///
  /// - Parameters:
  ///   - inputExtent: The extents that inputs will mostly have; nil for a large volume. Others are convolved
  ///     as correctly.
  ///   - method: How to compute; nil for the best method.
  /// - Throws: `Cancelled`.
  package init(
    weight: Tensor, geometry: ConvolutionGeometry, inputExtent: Extent3? = nil,
    method: ConvolutionMethod? = nil, work: WorkContext
  ) throws(Cancelled) {
    precondition(
      weight.extent == geometry.kernel, "weights \(weight.shape) for a kernel of \(geometry.kernel)")
    self.geometry = geometry
    self.weight = weight
    self.method =
      method
      ?? .best(for: .init(geometry: geometry, weightShape: weight.shape, inputExtent: inputExtent))
    switch self.method {
    case .pointwise: prepared = .pointwise
    case .fourier:
      prepared = .fourier(
        try FFTConvolution(weight: weight, geometry: geometry, inputExtent: inputExtent, work: work))
    case .implicitProduct:
      prepared = .implicitProduct(try ImplicitConvolution(weight: weight, geometry: geometry, work: work))
    case .reference: prepared = .reference
    }
  }

  /// The same as ``convolution(_:weight:bias:geometry:rectifies:work:)`` with the prepared weights.
  /// - Throws: `Cancelled`.
  package func apply(
    _ input: Tensor, bias: Tensor? = nil, rectifies: Bool = false, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      input.channels == weight.shape[1] && (bias.map { $0.elements.count == weight.shape[0] } ?? true),
      "input \(input.shape), bias \(bias?.shape ?? []) for weights \(weight.shape)")
    switch prepared {
    case .pointwise:
      return try PointwiseConvolution.apply(
        input, weight: weight, transposes: false, bias: bias, rectifies: rectifies, work: work)
    case .fourier(let convolution):
      return try convolution.forward(input, bias: bias, rectifies: rectifies, work: work)
    case .implicitProduct(let convolution):
      return try convolution.apply(input, bias: bias, rectifies: rectifies, work: work)
    case .reference:
      let output = convolutionReference(
        ReferenceTensor(input), weight: ReferenceTensor(weight), bias: bias.map { ReferenceTensor($0) },
        geometry: geometry)
      return (rectifies ? rectifyReference(output) : output).rounded
    }
  }

  /// The same as ``convolutionInputGradient(_:weight:inputExtent:geometry:work:)``; where the method is
  /// `fourier` the weights need not be transformed again.
  /// - Throws: `Cancelled`.
  package func inputGradient(
    _ outputGradient: Tensor, inputExtent: Extent3, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      outputGradient.channels == weight.shape[0] && geometry.output(inputExtent) == outputGradient.extent,
      "gradient \(outputGradient.shape) for weights \(weight.shape) and an input of \(inputExtent)")
    if case .fourier(let convolution) = prepared {
      return try convolution.inputGradient(outputGradient, inputExtent: inputExtent, work: work)
    }
    return try convolutionInputGradient(
      outputGradient, weight: weight, inputExtent: inputExtent, geometry: geometry, method: method, work: work
    )
  }
}
