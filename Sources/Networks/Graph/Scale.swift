import Tensors

/// Image voxels per voxel of a layer's output along one axis, as a reduced fraction.
struct Scale: Hashable {
  /// Largest total stride or upsampling that a graph may have.
  static let limit = 4096

  private(set) var numerator = 1
  private(set) var denominator = 1

  /// The scale behind a layer that takes `stride` steps, or nil beyond ``limit``.
  func strided(_ stride: Int) -> Scale? { reduced(numerator * stride, denominator) }

  /// The scale behind a layer that upsamples by `stride`, or nil beyond ``limit``.
  func upsampled(_ stride: Int) -> Scale? { reduced(numerator, denominator * stride) }

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
enum Axis: CaseIterable {
  case d, h, w

  /// The extent along this axis.
  func callAsFunction(_ extent: Extent3) -> Int {
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

extension Layer.Kind {
  /// The scale along `axis` behind this layer, or nil beyond the limit.
  func scale(_ scale: Scale, _ axis: Axis) -> Scale? {
    switch self {
    case .convolution(let geometry, _, _): scale.strided(axis(geometry.stride))
    case .maxPooling(let geometry): scale.strided(axis(geometry.stride))
    case .transposedConvolution(let geometry, _, _): scale.upsampled(axis(geometry.stride))
    case .batchNormalisation, .rectifier: scale
    }
  }

  /// The indices along `axis` that enter into the outputs `range`, on an unbounded grid.
  func inputs(of range: ClosedRange<Int>, _ axis: Axis) -> ClosedRange<Int> {
    let first = range.lowerBound
    let last = range.upperBound
    switch self {
    case .convolution(let geometry, _, _):
      let stride = axis(geometry.stride)
      let padding = axis(geometry.padding)
      let reach = axis(geometry.dilation) * (axis(geometry.kernel) - 1)
      return (first * stride - padding)...(last * stride - padding + reach)
    case .maxPooling(let geometry):
      let stride = axis(geometry.stride)
      return (first * stride)...(last * stride + axis(geometry.kernel) - 1)
    case .transposedConvolution(let geometry, _, _):
      let stride = axis(geometry.stride)
      let padding = axis(geometry.padding)
      let lower = -floorDivide(axis(geometry.kernel) - 1 - first - padding, stride)
      return lower...max(lower, floorDivide(last + padding, stride))
    case .batchNormalisation, .rectifier:
      return range
    }
  }
}

/// The quotient rounded towards minus infinity.
private func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((-a + b - 1) / b) }
