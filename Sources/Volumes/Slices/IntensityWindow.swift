import Foundation
import Work

/// The intensities that are shown black and white.
package struct IntensityWindow: Hashable, Sendable, Codable {
  /// Shown black, shown white; `lower < upper`.
  package var lower, upper: Double

  /// A window.
  ///
  /// Bounds that do not ascend are moved apart by the smallest visible step, and bounds beyond
  /// ``UsableRange/intensity`` become its ends.
  package init(lower: Double, upper: Double) {
    let range = UsableRange.intensity
    self.lower = min(max(lower, range.lowerBound), range.upperBound)
    self.upper = max(min(upper, range.upperBound), self.lower + max(1e-6, abs(self.lower) * 1e-6))
  }

  /// A window as radiologists name it.
  package init(centre: Double, width: Double) {
    self.init(lower: centre - width / 2, upper: centre + width / 2)
  }

  /// The middle of the window.
  package var centre: Double { (lower + upper) / 2 }
  package var width: Double { upper - lower }

  /// "40/400", centre and width with as many decimals as tell windows of this width apart; numbers of more than 12
  /// characters as in "1e+38".
  package var text: String {
    let decimalPlaces = width < 10 ? Int(saturating: min(6, max(2, 1 - log10(width).rounded(.down)))) : 0
    func text(_ value: Double) -> String {
      let text = decimals(value, decimalPlaces)
      return text.count <= 12 ? text : significant(value)
    }
    return "\(text(centre))/\(text(width))"
  }
}

/// Order statistics of an image's intensities, from a regular sample of its voxels.
package struct IntensitySummary: Equatable, Sendable {
  /// Sampled values in ascending order; at least one, all finite.
  private let sorted: [Float]

  /// The summary of an image that is nothing but `value`.
  package init(constant value: Float) { sorted = [value] }

  /// Samples about 262 144 voxels, evenly spaced in memory; an image without any finite value counts as 0.
  ///
  /// Windows need no exact percentiles, and a pass over every voxel of a large CT would delay its first picture.
  package init(_ image: ScalarVolume) {
    // An odd step visits every column of the usual even row lengths.
    let step = max(1, image.voxels.count / 262_144) | 1
    let finite = image.voxels.sampled(every: step).filter(\.isFinite)
    sorted = finite.isEmpty ? [0] : IntensityKey.sorted(finite)
  }

  /// The value below which `percent` of the sample lies.
  private func percentile(_ percent: Double) -> Double {
    let position = Int(saturating: (percent / 100 * Double(sorted.count - 1)).rounded())
    return Double(sorted[min(max(0, position), sorted.count - 1)])
  }

  /// The one value of an image that has no other.
  package var onlyValue: Float? { sorted.first == sorted.last ? sorted.first : nil }

  /// Whether the image is assumed to be CT, by its intensities without outliers.
  package var looksLikeCT: Bool {
    HounsfieldUnits.areLikely(smallest: percentile(0.5), largest: percentile(99.5))
  }

  /// Windows for this image: percentiles, and for CT the usual ones (centre, width in HU).
  package var presets: [WindowPreset] {
    func between(_ low: Double, _ high: Double) -> IntensityWindow {
      IntensityWindow(lower: percentile(low), upper: percentile(high))
    }
    var presets = [
      WindowPreset(name: "auto 0.5-99.5 %", window: between(0.5, 99.5)),
      WindowPreset(name: "percentiles 2-98 %", window: between(2, 98)),
      WindowPreset(name: "percentiles 5-95 %", window: between(5, 95)),
      WindowPreset(name: "full range", window: between(0, 100)),
    ]
    if looksLikeCT {
      presets += [
        WindowPreset(name: "CT soft tissue", window: IntensityWindow(centre: 40, width: 400)),
        WindowPreset(name: "CT liver", window: IntensityWindow(centre: 60, width: 150)),
        WindowPreset(name: "CT mediastinum", window: IntensityWindow(centre: 50, width: 350)),
        WindowPreset(name: "CT lung", window: IntensityWindow(centre: -600, width: 1500)),
        WindowPreset(name: "CT bone", window: IntensityWindow(centre: 300, width: 2000)),
        WindowPreset(name: "CT brain", window: IntensityWindow(centre: 40, width: 80)),
      ]
    }
    return presets
  }

  /// The window that an image opens with: soft tissue for CT, whose air and bone would leave organs alike, else by
  /// percentiles.
  package var openingPreset: WindowPreset { presets.first { $0.name == "CT soft tissue" } ?? presets[0] }
}

/// A window with a name.
package struct WindowPreset: Equatable, Sendable {
  /// The name in the list of windows.
  package var name: String
  package var window: IntensityWindow

  package init(name: String, window: IntensityWindow) {
    self.name = name
    self.window = window
  }
}
