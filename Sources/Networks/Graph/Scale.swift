import Tensors

/// Image voxels per voxel of a layer's output along one axis, as a reduced fraction.
package struct Scale: Hashable, Sendable {
  /// Largest total stride or upsampling that a graph may have.
  package static let limit = 4096

  package private(set) var numerator = 1
  package private(set) var denominator = 1

  /// The scale behind a layer that takes `stride` steps, or nil beyond ``limit``.
  package func strided(_ stride: Int) -> Scale? { reduced(numerator * stride, denominator) }

  /// The scale behind a layer that upsamples by `stride`, or nil beyond ``limit``.
  package func upsampled(_ stride: Int) -> Scale? { reduced(numerator, denominator * stride) }

  private func reduced(_ numerator: Int, _ denominator: Int) -> Scale? {
    let divisor = greatestCommonDivisor(numerator, denominator)
    var scale = Scale()
    scale.numerator = numerator / divisor
    scale.denominator = denominator / divisor
    return scale.numerator <= Self.limit && scale.denominator <= Self.limit ? scale : nil
  }
}

/// The largest number that divides both; both are positive.
func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

/// One of the three spatial axes.
package enum Axis: CaseIterable, Sendable {
  case d, h, w

  /// The extent along this axis.
  package func callAsFunction(_ extent: Extent3) -> Int {
    switch self {
    case .d: extent.d
    case .h: extent.h
    case .w: extent.w
    }
  }
}

extension Extent3 {
  /// The extents that `value` gives along each axis.
  init(along value: (Axis) -> Int) { self.init(value(.d), value(.h), value(.w)) }
}

/// The quotient rounded towards minus infinity.
func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((-a + b - 1) / b) }
