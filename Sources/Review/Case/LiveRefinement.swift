/// The CRF's results while knobs change: a box around the crosshair at once, the whole image once they stop.
package struct LiveRefinement: Equatable, Sendable {
  /// A part and the knobs that produced it.
  package struct Result: Equatable, Sendable {
    package var knobs: KnobSettings
    /// The refined part of the image.
    package var part: RefinedPart

    package init(knobs: KnobSettings, part: RefinedPart) {
      self.knobs = knobs
      self.part = part
    }
  }

  /// The version that was refined.
  package var base: VersionID
  /// The result for the box around the crosshair; nil unless it is newer than ``whole``.
  package var region: Result?
  /// The result for the whole image, which may be of earlier knobs.
  package var whole: Result? {
    didSet { hasWarnedOfLoss = false }
  }
  /// Whether the warning that leaving discards ``whole`` was shown.
  package var hasWarnedOfLoss = false
  /// Whether only the box is refined, because the whole image needs too much memory.
  package var isOnlyRegion = false

  /// A refinement of `base` without results.
  package init(base: VersionID) { self.base = base }

  /// The newest result.
  package var latest: Result? { region ?? whole }
}
