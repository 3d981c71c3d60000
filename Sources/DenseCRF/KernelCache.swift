import CKernels
import Synchronization
import Volumes
import Work

/// The filters of the kernel widths used last.
final class KernelCache: Sendable {
  private struct AppearanceKey: Hashable {
    var thetaAlpha: Spacing
    var thetaBeta: Double
    var exponent: Double
  }
  private struct SmoothnessKey: Hashable {
    var thetaGamma: Spacing
    var normalisation: RefinementSettings.Normalisation
  }
  private struct Entries {
    var appearance: [(key: AppearanceKey, filter: AppearanceFilter)] = []
    var smoothness: [(key: SmoothnessKey, filter: SmoothnessFilter)] = []
  }
  /// A and B of a comparison.
  private static let capacity = 2
  private let entries = Mutex(Entries())

  /// The filters that `settings` need; those of weight 0 are nil.
  func filters(
    for settings: RefinementSettings, of crf: DenseCRF, work: WorkContext
  ) throws -> (appearance: AppearanceFilter?, smoothness: SmoothnessFilter?) {
    (
      settings.appearanceWeight > 0 ? try appearance(settings, crf, work) : nil,
      settings.smoothnessWeight > 0 ? smoothness(settings, crf) : nil
    )
  }

  private func appearance(
    _ settings: RefinementSettings, _ crf: DenseCRF, _ work: WorkContext
  ) throws -> AppearanceFilter {
    let exponents = settings.normalisation.exponents
    let key = AppearanceKey(
      thetaAlpha: settings.thetaAlphaMillimetres, thetaBeta: settings.thetaBeta,
      exponent: min(exponents.before, exponents.after))
    let known = entries.withLock { $0.appearance.first { $0.key == key }?.filter }
    if let known { return known }
    let range = try RangeKernel(
      thetaBeta: settings.thetaBeta, range: crf.intensityRange, isWhole: crf.imageIsWhole)
    let sigmas = crf.voxels(settings.thetaAlphaMillimetres)
    let axes = (0..<3).map { GaussianAxis(count: crf.size[$0], sigma: sigmas[$0]) }
    let plain = AppearanceFilter(codes: try crf.codes(range, work: work.silent), range: range, axes: axes)
    let factors = try plain.rowSumFactors(
      size: crf.size, exponent: min(exponents.before, exponents.after), level: crf.level, work: work)
    let filter = AppearanceFilter(plain, factors: factors)
    entries.withLock {
      $0.appearance.insert((key, filter), at: 0)
      if $0.appearance.count > Self.capacity { $0.appearance.removeLast() }
    }
    return filter
  }

  private func smoothness(_ settings: RefinementSettings, _ crf: DenseCRF) -> SmoothnessFilter {
    let key = SmoothnessKey(
      thetaGamma: settings.thetaGammaMillimetres, normalisation: settings.normalisation)
    let known = entries.withLock { $0.smoothness.first { $0.key == key }?.filter }
    if let known { return known }
    let filter = SmoothnessFilter(
      size: crf.size, sigmas: crf.voxels(settings.thetaGammaMillimetres),
      normalisation: settings.normalisation)
    entries.withLock {
      $0.smoothness.insert((key, filter), at: 0)
      if $0.smoothness.count > Self.capacity { $0.smoothness.removeLast() }
    }
    return filter
  }
}

extension DenseCRF {
  /// Each voxel's level in the table of `range`.
  func codes(_ range: RangeKernel, work: WorkContext) throws(Cancelled) -> AlignedStorage<UInt16> {
    let codes = AlignedStorage<UInt16>(count: image.count)
    let level = self.level
    let chunk = 65_536
    try image.withUnsafeBufferPointer { voxels throws(Cancelled) in
      let voxels = SharedBuffer(voxels)
      try work.forEach(count: (voxels.count + chunk - 1) / chunk) { index, _ in
        let start = index * chunk
        dense_crf_kernels_for(level).pointee.encode(
          codes.start + start, voxels.start + start, range.lower, range.upper, range.levelsPerUnit,
          min(chunk, voxels.count - start))
      }
    }
    return codes
  }
}
