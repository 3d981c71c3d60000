package import Volumes
package import Work

/// The intensities that black and white stand for.
package struct IntensityWindow: Hashable, Sendable {
  /// Shown black, shown white; `lower < upper`.
  package var lower, upper: Double

  /// A window; bounds that do not ascend are moved apart by the smallest step that shows.
  package init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = max(upper, lower + max(1e-6, abs(lower) * 1e-6))
  }

  /// A window as radiologists name it.
  package init(centre: Double, width: Double) {
    self.init(lower: centre - width / 2, upper: centre + width / 2)
  }

  /// Middle and extent.
  package var centre: Double { (lower + upper) / 2 }
  /// Extent.
  package var width: Double { upper - lower }
}

/// What the intensities of an image look like.
package struct IntensitySummary: Equatable, Sendable {
  /// The shares whose percentiles are kept.
  private static let shares = [0, 0.005, 0.02, 0.05, 0.95, 0.98, 0.995, 1]
  /// One value per share.
  private var values: [Double]

  /// The summary of an image that is nothing but `value`.
  package init(constant value: Double) { values = IntensitySummary.shares.map { _ in value } }

  /// The summary of an image; one without any finite value counts as 0 everywhere.
  /// - Throws: `Cancelled`.
  package init(_ image: ScalarVolume, _ work: WorkContext) throws(Cancelled) {
    let percentiles = try image.percentiles(IntensitySummary.shares, work: work)
    values = percentiles?.map(Double.init) ?? IntensitySummary.shares.map { _ in 0 }
  }

  /// Whether the range is that of Hounsfield units: air or fat well below zero and tissue above.
  package var looksLikeCT: Bool { values[1] <= -90 && values[6] >= 60 }

  /// Windows for this image: percentiles, and for CT the usual ones (centre, width in HU).
  package var presets: [WindowPreset] {
    func between(_ low: Int, _ high: Int) -> IntensityWindow {
      IntensityWindow(lower: values[low], upper: values[high])
    }
    var presets = [
      WindowPreset(name: "auto 0.5-99.5 %", window: between(1, 6)),
      WindowPreset(name: "percentiles 2-98 %", window: between(2, 5)),
      WindowPreset(name: "percentiles 5-95 %", window: between(3, 4)),
      WindowPreset(name: "full range", window: between(0, 7)),
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

  /// The window that an image opens with.
  package var automaticWindow: IntensityWindow { presets[0].window }
}

/// A window with a name.
package struct WindowPreset: Equatable, Sendable {
  /// What the list calls it.
  package var name: String
  /// The window.
  package var window: IntensityWindow

  /// A preset.
  package init(name: String, window: IntensityWindow) {
    self.name = name
    self.window = window
  }
}
