import Work

/// A convolution whose weights were brought into the form of its kernel once, to be applied many times.
package struct PreparedConvolution: Sendable {
  /// The spatial rule.
  package let geometry: ConvolutionGeometry
  private let weight: Tensor

  /// Prepares `weight`, [out, in, z, y, x].
  /// - Throws: `Cancelled`.
  package init(weight: Tensor, geometry: ConvolutionGeometry, work: WorkContext) throws(Cancelled) {
    self.weight = weight
    self.geometry = geometry
  }

  /// The same as ``convolution(_:weight:bias:geometry:rectifies:work:)`` with the prepared weights.
  /// - Throws: `Cancelled`.
  package func apply(
    _ input: Tensor, bias: Tensor? = nil, rectifies: Bool = false, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    try convolution(input, weight: weight, bias: bias, geometry: geometry, rectifies: rectifies, work: work)
  }
}
