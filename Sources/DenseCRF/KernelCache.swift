import Synchronization
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
  /// nil where the range kernel has no low rank.
  private let codes = RecentValues<[Double], RangeCodes?>()
  private let appearances = RecentValues<AppearanceKey, AppearanceMethod>()
  private let smoothnesses = RecentValues<SmoothnessKey, SmoothnessKernel>()

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

/// The two values used last by key (LRU), for the A and B of a comparison.
private final class RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let entries = Mutex<[(key: Key, value: Value)]>([])
  private let capacity = 2

  /// The value of `key`; `make` computes it where it is not cached.
  func value<Failure: Error>(_ key: Key, make: () throws(Failure) -> Value) throws(Failure) -> Value {
    let known = entries.withLock { entries in
      entries.firstIndex { $0.key == key }.map { index in
        entries.insert(entries.remove(at: index), at: 0)
        return entries[0].value
      }
    }
    if let known { return known }
    let made = try make()
    entries.withLock { $0 = [(key, made)] + $0.prefix(capacity - 1) }
    return made
  }
}
