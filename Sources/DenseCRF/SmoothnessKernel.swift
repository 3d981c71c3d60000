import Volumes

/// The smoothness kernel of one width; the kernel and its row sums are separable.
final class SmoothnessKernel: Sendable {
  /// The Gaussians along i, j, k.
  let axes: [GaussianAxis]
  /// Per axis: the factor of each position in the product that multiplies a message, before and after the sum.
  let before, after: [AlignedStorage<Float>]

  init(axes: [GaussianAxis], normalisation: RefinementSettings.Normalisation) {
    func factors(_ exponent: Double) -> [AlignedStorage<Float>] {
      axes.map { axis in AlignedStorage(axis.rowSums().map { Float(power($0, exponent)) }) }
    }
    self.axes = axes
    before = factors(normalisation.exponents.before)
    after = factors(normalisation.exponents.after)
  }

  /// The kernel on a part of `size` voxels that begins at a block along every axis, with the factors of the whole.
  init(_ whole: SmoothnessKernel, size: GridSize) {
    axes = (0..<3).map { GaussianAxis(whole.axes[$0], count: size[$0]) }
    before = whole.before
    after = whole.after
  }

  /// Floats between the rows of two channels.
  var stride: Int { (axes[0].cells + 15).roundedUp(toMultipleOf: 16) }

  /// The grid for a number of channels: rows [channel][cell].
  func shape(channels: Int) -> GridShape {
    GridShape(axes: axes, cellFloats: 1, rowFloats: channels * stride, slack: 32)
  }
}

/// D to the power 0, -1/2 or -1.
func power(_ sum: Double, _ exponent: Double) -> Double {
  exponent == 0 ? 1 : exponent == -1 ? 1 / sum : 1 / sum.squareRoot()
}

extension RefinementSettings.Normalisation {
  /// Powers of the row sums that multiply what a voxel sends and what it receives.
  var exponents: (before: Double, after: Double) {
    switch self {
    case .symmetric: (-0.5, -0.5)
    case .after: (0, -1)
    case .before: (-1, 0)
    case .none: (0, 0)
    }
  }

  /// The power that is not 0; 0 where both are.
  var exponent: Double { min(exponents.before, exponents.after) }
}
