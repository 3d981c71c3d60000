import CKernels

/// A function that operations apply to results as they store them.
///
/// It is x, times a slope where x is negative, then no less than a lower and no more than an upper bound. NaN stays.
package struct PiecewiseLinear: Hashable, Sendable {
  /// Of negative numbers: one for each channel, or one for all of them; empty for 1.
  private(set) var slopes: [Float]
  private let lower, upper: Float

  private init(slopes: [Float] = [], lower: Float = -.infinity, upper: Float = .infinity) {
    (self.slopes, self.lower, self.upper) = (slopes, lower, upper)
  }

  package static let identity = PiecewiseLinear()

  /// max(x, 0).
  package static let relu = PiecewiseLinear(lower: 0)

  /// x where it is not negative, else x times a slope: one for each channel, or one for all of them.
  package static func leakyReLU(slopes: [Float]) -> PiecewiseLinear {
    precondition(!slopes.isEmpty, "a leaky ReLU without slopes")
    return PiecewiseLinear(slopes: slopes)
  }

  /// x, but `lower` below it and `upper` above it.
  package static func clip(lower: Float, upper: Float) -> PiecewiseLinear {
    PiecewiseLinear(lower: lower, upper: upper)
  }

  /// The slope of the leaky ReLU of all channels that this is, 0 for a ReLU and 1 for the identity; nil for others.
  package var slopeOfLeakyReLU: Float? {
    guard upper == .infinity else { return nil }
    if self == .relu { return 0 }
    return lower == -.infinity && slopes.count <= 1 ? slopes.first ?? 1 : nil
  }

  /// As plans print it after the name of the operation that applies it.
  var nameAfterOperation: String {
    switch self {
    case .identity: ""
    case .relu: ", relu"
    default: slopes.isEmpty ? ", clip" : ", leaky relu"
    }
  }

  /// The function of one of `count` equal parts of the channels.
  func part(_ index: Int, of count: Int) -> PiecewiseLinear {
    guard slopes.count > 1 else { return self }
    let length = slopes.count / count
    var part = self
    part.slopes = Array(slopes[(index * length)..<((index + 1) * length)])
    return part
  }

  /// The same function with a slope for each of `channels`, which lie in `groups`, each padded to `paddedLength` slopes;
  /// without slopes where they are 1.
  func padded(channels: Int, groups: Int = 1, paddedLength: Int) -> PiecewiseLinear {
    guard !slopes.isEmpty else { return self }
    precondition(
      slopes.count == 1 || slopes.count == channels, "\(slopes.count) slopes for \(channels) channels")
    let all = slopes.count == 1 ? [Float](repeating: slopes[0], count: channels) : slopes
    let length = channels / groups
    let padding = [Float](repeating: 1, count: paddedLength - length)
    var padded = self
    padded.slopes = (0..<groups).flatMap { all[($0 * length)..<(($0 + 1) * length)] + padding }
    return padded
  }

  /// The description that kernels take, for results of the channels from `channel` on.
  /// - Parameter slopes: The address of ``slopes``.
  func kernel(_ slopes: UnsafePointer<Float>?, from channel: Int = 0) -> piecewise_linear {
    piecewise_linear(
      slopes: self.slopes.isEmpty ? nil : slopes.map { $0 + channel }, lower: lower, upper: upper)
  }

  /// The function's value at `x` in a channel, in double precision: the definition.
  package func value(at x: Double, channel: Int) -> Double {
    let slope = slopes.isEmpty ? 1 : slopes[slopes.count == 1 ? 0 : channel]
    let value = x < 0 ? Double(slope) * x : x
    return value < Double(lower) ? Double(lower) : value > Double(upper) ? Double(upper) : value
  }
}

/// The definition of a function of every element of [N, C, D, H, W], in double precision.
package func piecewiseLinearReference(
  _ tensor: ReferenceTensor, _ activation: PiecewiseLinear
) -> ReferenceTensor {
  var result = tensor
  let (channels, voxels) = (tensor.channels, tensor.extent.product)
  for index in result.elements.indices {
    result.elements[index] = activation.value(at: tensor.elements[index], channel: index / voxels % channels)
  }
  return result
}
