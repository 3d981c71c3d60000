import Volumes
import Work

/// A cache of the kernels of the widths used last.
///
/// Each part is cached under the settings that it depends on: a new θα keeps the intensity levels, new weights or
/// iterations keep everything.
final class KernelCache: Sendable {
  private struct AppearanceKey: Hashable {
    var thetaAlpha: Spacing
    var thetaBetas: [Double]
    var exponent: Double
  }
  private struct SmoothnessKey: Hashable {
    var thetaGamma: Spacing
    var normalisation: RefinementSettings.Normalisation
  }
  /// Two, for the A and B of a comparison.
  private static let capacity = 2
  /// nil where the range kernel has no low rank.
  private let codes = RecentValues<[Double], RangeCodes?>(capacity: KernelCache.capacity)
  private let appearances = RecentValues<AppearanceKey, AppearanceMethod>(capacity: KernelCache.capacity)
  private let smoothnesses = RecentValues<SmoothnessKey, SmoothnessKernel>(capacity: KernelCache.capacity)

  /// The appearance kernel that `settings` need.
  func appearance(
    _ settings: RefinementSettings, of crf: DenseCRF, work: WorkContext
  ) throws(Cancelled) -> AppearanceMethod {
    let exponent = settings.normalisation.exponent
    let key = AppearanceKey(
      thetaAlpha: settings.thetaAlphaMillimetres, thetaBetas: settings.thetaBetas, exponent: exponent)
    return try appearances.value(key) { () throws(Cancelled) in
      let codes = try codes.value(settings.thetaBetas) { () throws(Cancelled) -> RangeCodes? in
        guard
          let range = try RangeKernel(
            thetaBetas: settings.thetaBetas, images: crf.images, accuracy: crf.accuracy,
            work: work.withoutProgress)
        else { return nil }
        return try RangeCodes(
          range, images: crf.images.map(\.voxels), level: crf.level, work: work.withoutProgress)
      }
      let axes = crf.axes(settings.thetaAlphaMillimetres)
      guard let codes, AppearanceMethod.gridIsSmall(axes, rank: codes.range.rank, size: crf.size) else {
        return .lattice(try LatticeKernel(settings, of: crf, work: work))
      }
      return .lowRank(
        try AppearanceKernel(
          codes, axes: axes, size: crf.size, exponent: exponent, level: crf.level, work: work))
    }
  }

  /// The smoothness kernel that `settings` need.
  func smoothness(_ settings: RefinementSettings, of crf: DenseCRF) -> SmoothnessKernel {
    let key = SmoothnessKey(thetaGamma: settings.thetaGammaMillimetres, normalisation: settings.normalisation)
    return smoothnesses.value(key) {
      SmoothnessKernel(axes: crf.axes(settings.thetaGammaMillimetres), normalisation: settings.normalisation)
    }
  }
}
