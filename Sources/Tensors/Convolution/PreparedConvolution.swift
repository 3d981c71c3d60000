import Work

/// A convolution whose weights were brought into the form of its method once, to be applied many times.
package struct PreparedConvolution: Sendable {
  /// The spatial rule.
  package let geometry: ConvolutionGeometry
  private let weightShape: [Int]
  private let prepared: Prepared

  private enum Prepared: Sendable {
    case pointwise(Tensor)
    case implicitProduct(ImplicitConvolution)
    case reference(Tensor)
  }

  /// Prepares `weight`, [out, in, z, y, x], for the best method or the given one.
  /// - Throws: `Cancelled`.
  package init(
    weight: Tensor, geometry: ConvolutionGeometry, method: ConvolutionMethod? = nil, work: WorkContext
  ) throws(Cancelled) {
    precondition(
      weight.extent == geometry.kernel, "weights \(weight.shape) for a kernel of \(geometry.kernel)")
    self.geometry = geometry
    weightShape = weight.shape
    switch method ?? .best(for: .init(geometry: geometry, weightShape: weight.shape)) {
    case .pointwise: prepared = .pointwise(weight)
    case .implicitProduct:
      prepared = .implicitProduct(try ImplicitConvolution(weight: weight, geometry: geometry, work: work))
    case .reference: prepared = .reference(weight)
    }
  }

  /// The same as ``convolution(_:weight:bias:geometry:rectifies:work:)`` with the prepared weights.
  /// - Throws: `Cancelled`.
  package func apply(
    _ input: Tensor, bias: Tensor? = nil, rectifies: Bool = false, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      input.channels == weightShape[1] && (bias.map { $0.elements.count == weightShape[0] } ?? true),
      "input \(input.shape), bias \(bias?.shape ?? []) for weights \(weightShape)")
    switch prepared {
    case .pointwise(let weight):
      return try PointwiseConvolution.apply(
        input, weight: weight, transposes: false, bias: bias, rectifies: rectifies, work: work)
    case .implicitProduct(let convolution):
      return try convolution.apply(input, bias: bias, rectifies: rectifies, work: work)
    case .reference(let weight):
      let output = convolutionReference(
        ReferenceTensor(input), weight: ReferenceTensor(weight), bias: bias.map { ReferenceTensor($0) },
        geometry: geometry)
      return (rectifies ? rectifyReference(output) : output).rounded
    }
  }
}
