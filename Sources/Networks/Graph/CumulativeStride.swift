/// The product of the strides from the image to a layer's output along one axis, as a reduced fraction.
///
/// One voxel of the output spans `numerator / denominator` voxels of the image: 4 after two poolings of stride 2, 1/2
/// after one transposed convolution of stride 2.
package struct CumulativeStride: Hashable, Sendable {
  /// The maximum total stride or upsampling that a graph may have.
  package static let maximum = 4096

  /// Product of the strides of convolutions and poolings, reduced by the denominator.
  package private(set) var numerator = 1
  /// Product of the strides of transposed convolutions, reduced by the numerator.
  package private(set) var denominator = 1

  /// "4", or "1/2".
  var text: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }

  /// The cumulative stride after a layer of stride `stride`; nil beyond ``maximum``.
  package func strided(_ stride: Int) -> CumulativeStride? { reduced(numerator * stride, denominator) }

  /// The cumulative stride after a layer that upsamples by `stride`; nil beyond ``maximum``.
  package func upsampled(_ stride: Int) -> CumulativeStride? { reduced(numerator, denominator * stride) }

  private func reduced(_ numerator: Int, _ denominator: Int) -> CumulativeStride? {
    let divisor = greatestCommonDivisor(numerator, denominator)
    var cumulative = CumulativeStride()
    cumulative.numerator = numerator / divisor
    cumulative.denominator = denominator / divisor
    return cumulative.numerator <= Self.maximum && cumulative.denominator <= Self.maximum ? cumulative : nil
  }
}
