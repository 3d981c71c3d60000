/// The product of the strides from the image to a layer's output along one axis, as a reduced fraction.
///
/// One voxel of the output spans `numerator / denominator` voxels of the image: 4 after two poolings of stride 2, 1/2
/// after one transposed convolution of stride 2. One voxel for the whole image, whatever its extents, spans 1/0 of them,
/// which strides do not change.
package struct CumulativeStride: Hashable, Sendable {
  /// The maximum total stride or upsampling that a graph may have.
  package static let maximum = 4096

  /// One voxel for the whole image, as after global pooling.
  package static let wholeImage = CumulativeStride(numerator: 1, denominator: 0)

  /// Product of the strides of convolutions and poolings, reduced by the denominator.
  package let numerator: Int
  /// Product of the strides of transposed convolutions, reduced by the numerator.
  package let denominator: Int

  /// The stride of the image itself: 1.
  package init() { self.init(numerator: 1, denominator: 1) }

  private init(numerator: Int, denominator: Int) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// "4", or "1/2".
  var text: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }

  /// The cumulative stride after a layer of stride `stride`; nil beyond ``maximum``.
  package func strided(_ stride: Int) -> CumulativeStride? { reduced(numerator * stride, denominator) }

  /// The cumulative stride after a layer that upsamples by `stride`; nil beyond ``maximum``.
  package func upsampled(_ stride: Int) -> CumulativeStride? { reduced(numerator, denominator * stride) }

  private func reduced(_ numerator: Int, _ denominator: Int) -> CumulativeStride? {
    let divisor = greatestCommonDivisor(numerator, denominator)
    let cumulative = CumulativeStride(numerator: numerator / divisor, denominator: denominator / divisor)
    return cumulative.numerator <= Self.maximum && cumulative.denominator <= Self.maximum ? cumulative : nil
  }
}
