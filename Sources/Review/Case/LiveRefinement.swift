/// The CRF's result while knobs turn: a box around the crosshair at once, all of the image when they rest.
package struct LiveRefinement: Equatable, Sendable {
  /// A part and the knobs that it was made with.
  package struct Result: Equatable, Sendable {
    /// The knobs.
    package var knobs: KnobSettings
    /// What they did.
    package var part: RefinedPart

    /// A result.
    package init(knobs: KnobSettings, part: RefinedPart) {
      self.knobs = knobs
      self.part = part
    }
  }

  /// The version that was refined.
  package var base: VersionID
  /// The box around the crosshair, as long as it is newer than ``whole``.
  package var region: Result?
  /// All of the image, perhaps with knobs that have turned since.
  package var whole: Result? {
    didSet { isLossSaid = false }
  }
  /// Whether the reviewer was told that leaving drops ``whole``.
  package var isLossSaid = false
  /// Whether all of the image does not follow the knobs, because that takes too much memory.
  package var isOnlyRegion = false

  /// Nothing yet.
  package init(base: VersionID) { self.base = base }

  /// The newest result.
  package var latest: Result? { region ?? whole }
}
