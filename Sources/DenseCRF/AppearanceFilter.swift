import CKernels
import Volumes
import Work

/// The appearance kernel of one image at one pair of widths: codes, features, axes and row sums.
///
/// Nothing in it depends on weights, unaries or iterations, which is why it is kept between refinements.
final class AppearanceFilter: Sendable {
  /// Intensity level of each voxel.
  let codes: AlignedStorage<UInt16>
  let range: RangeKernel
  /// i, j, k.
  let axes: [GaussianAxis]
  /// Per voxel of a row: where its cells begin in floats, and its weight in each of the three.
  private let cellOffsets: AlignedStorage<Int32>
  private let weights: [AlignedStorage<Float>]
  /// Row sums D of the kernel, turned into D^-1/2 or D^-1; nil without normalisation.
  let factors: AlignedStorage<Float>?

  /// Floats of one plane of cells.
  var planeCount: Int { axes[0].cells * axes[1].cells * range.rank }

  /// A filter without factors.
  init(codes: AlignedStorage<UInt16>, range: RangeKernel, axes: [GaussianAxis]) {
    self.codes = codes
    self.range = range
    self.axes = axes
    let axis = axes[0]
    cellOffsets = AlignedStorage((0..<axis.count).map { Int32(axis.cell($0) * range.rank) })
    weights = (0..<3).map { k in
      AlignedStorage((0..<axis.count).map { axis.weights.start[$0 % axis.step * 3 + k] })
    }
    factors = nil
  }

  /// `plain` with factors.
  init(_ plain: AppearanceFilter, factors: AlignedStorage<Float>?) {
    codes = plain.codes
    range = plain.range
    axes = plain.axes
    cellOffsets = plain.cellOffsets
    weights = plain.weights
    self.factors = factors
  }

  /// What the row kernels need to know about rows of voxels; `codes` is that of voxel 0.
  var row: dense_crf_row {
    dense_crf_row(
      codes: codes.start, features: range.features.start, ranks: range.rank, count: axes[0].count,
      step: axes[0].step, cells: axes[0].cells, cell_offsets: cellOffsets.start,
      weights: (
        UnsafePointer(weights[0].start), UnsafePointer(weights[1].start), UnsafePointer(weights[2].start)
      ))
  }
}

/// The smoothness kernel at one width, separable as its row sums are.
final class SmoothnessFilter: Sendable {
  /// i, j, k; i is filtered at full resolution, so that rows stay whole.
  let axes: [GaussianAxis]
  /// Per axis: the factor of each position in the product that multiplies a message, before and after the sum.
  let before, after: [AlignedStorage<Float>]

  /// Floats from one row of the grid to the next.
  var rowStride: Int { axes[0].count.roundedUp(toMultipleOf: 16) }
  /// Floats of one plane of rows.
  var planeCount: Int { rowStride * axes[1].cells }

  init(size: GridSize, sigmas: [Double], normalisation: RefinementSettings.Normalisation) {
    let axes = (0..<3).map { GaussianAxis(count: size[$0], sigma: sigmas[$0], decimates: $0 > 0) }
    func factors(_ exponent: Double) -> [AlignedStorage<Float>] {
      axes.map { axis in AlignedStorage(axis.rowSums().map { Float(power($0, exponent)) }) }
    }
    self.axes = axes
    before = factors(normalisation.exponents.before)
    after = factors(normalisation.exponents.after)
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
}
