import Synchronization
import Volumes
import Work

/// The kernels of the widths used last, each part under what it depends on: a new θα keeps the intensity levels,
/// new weights or iterations keep everything.
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
  private let codes = RecentValues<[Double], RangeCodes>()
  private let appearances = RecentValues<AppearanceKey, AppearanceKernel>()
  private let smoothnesses = RecentValues<SmoothnessKey, SmoothnessKernel>()

  /// The appearance kernel that `settings` need.
  func appearance(
    _ settings: RefinementSettings, of crf: DenseCRF, work: WorkContext
  ) throws -> AppearanceKernel {
    let exponent = settings.normalisation.exponent
    let key = AppearanceKey(
      thetaAlpha: settings.thetaAlphaMillimetres, thetaBetas: settings.thetaBetas, exponent: exponent)
    return try appearances.value(key) {
      let codes = try codes.value(settings.thetaBetas) {
        guard let range = RangeKernel(thetaBetas: settings.thetaBetas, images: crf.images) else {
          throw InputError(
            "theta beta", "is too narrow for the intensity range", found: "\(settings.thetaBeta)")
        }
        return try RangeCodes(range, images: crf.images.map(\.voxels), level: crf.level, work: work.silent)
      }
      return try AppearanceKernel(
        codes, axes: crf.axes(settings.thetaAlphaMillimetres), size: crf.size, exponent: exponent,
        level: crf.level,
        work: work)
    }
  }

  /// The smoothness kernel that `settings` need.
  func smoothness(_ settings: RefinementSettings, of crf: DenseCRF) -> SmoothnessKernel {
    let key = SmoothnessKey(thetaGamma: settings.thetaGammaMillimetres, normalisation: settings.normalisation)
    return smoothnesses.value(key) {
      SmoothnessKernel(
        size: crf.size, sigmas: crf.voxels(settings.thetaGammaMillimetres),
        normalisation: settings.normalisation)
    }
  }
}

/// The values made last, A and B of a comparison, under the keys they were made for.
private final class RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let entries = Mutex<[(key: Key, value: Value)]>([])
  private let capacity = 2

  /// The value of `key`, made where it is not kept.
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
