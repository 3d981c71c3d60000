/// A dense array of doubles, for the reference implementations.
///
/// References are simple loops in double precision, the definition that each fast kernel is compared with and
/// that finite differences check the gradients of.
package struct ReferenceTensor: Equatable, Sendable {
  /// Extents, slowest first, as in ``Tensor``.
  package let shape: [Int]
  package var elements: [Double]

  /// An array of the given values.
  package init(shape: [Int], elements: [Double]) {
    precondition(
      elements.count == shape.reduce(1, *), "\(elements.count) elements for a tensor of shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// An array of zeros.
  package init(shape: [Int]) {
    self.init(shape: shape, elements: [Double](repeating: 0, count: shape.reduce(1, *)))
  }

  /// The values of `tensor`, exactly.
  package init(_ tensor: Tensor) {
    self.init(shape: tensor.shape, elements: tensor.elements.map(Double.init))
  }

  /// The values rounded to single precision.
  package var rounded: Tensor { Tensor(shape: shape, elements: elements.map { Float($0) }) }

  /// Batch size of an activation [N, C, D, H, W].
  package var batch: Int { shape[0] }
  /// Channels of an activation [N, C, D, H, W].
  package var channels: Int { shape[1] }
  /// The last three dimensions.
  package var extent: Extent3 {
    Extent3(shape[shape.count - 3], shape[shape.count - 2], shape[shape.count - 1])
  }
}
