import Work

extension ReviewState {
  /// Shows the other of A and B; a difference, which has no side, ends.
  mutating func flip() {
    guard decisions.a != nil, decisions.b != nil else {
      message = Message("nothing to flip to: run a network (m) or the CRF (t) first", .warning)
      return
    }
    decisions.shownSide = decisions.shownSide == .a ? .b : .a
    if view.comparison == .difference { view.comparison = .off }
  }

  /// Shows two versions together in another way.
  mutating func compare(_ comparison: ComparisonView) {
    guard comparison == .off || comparedLabels != nil else {
      message = Message("nothing to compare: run a network (m) or the CRF (t) first", .warning)
      return
    }
    view.comparison = comparison
    if comparison != .off {
      // The comparison replaces everything that would hide it.
      view.overlay.isShown = true
      if comparison == .difference { showsLabelsBeforeRefinement = false }
    }
    scrollToCrosshair()
  }

  /// The same, and says what is to be seen.
  mutating func compareAndSay(_ comparison: ComparisonView) {
    compare(comparison)
    guard view.comparison == comparison, message?.kind != .warning else { return }
    message = Message(
      comparison == .off
        ? "one version; Tab flips"
        : "\(comparison.title): \(comparisonText(comparison)); D is the next view, Esc ends it")
  }

  /// Ends a difference of other versions than those that are compared now, and every comparison where there is nothing
  /// to compare.
  mutating func endComparisonOfOthers() {
    let hasPair = decisions.a != nil && decisions.b != nil
    if view.comparison == .difference || !hasPair && focus != .refinement { view.comparison = .off }
  }

  /// What the letters of the two versions are: the one shown first.
  var comparedLetters: (shown: String, other: String) {
    let letters = focus == .refinement ? ("before", "refined") : ("A", "B")
    return shownSide == .a ? letters : (letters.1, letters.0)
  }

  /// What stands where in a comparison view, in a few words.
  func comparisonText(_ comparison: ComparisonView) -> String {
    let (shown, other) = comparedLetters
    switch comparison {
    case .off: return shown
    case .difference:
      return focus == .refinement ? "what refinement changed" : "where A and B differ"
    case .sideBySide: return focus == .refinement ? "before left, refined right" : "A left, B right"
    case .versions:
      return focus == .refinement
        ? "before left, refined right" : counted(versionsInGrid.count, "version") + " of one plane"
    case .contours: return "\(shown) filled, \(other) outlined"
    case .checkerboard: return "\(shown), and \(other) on the darker squares"
    case .spyglass: return "\(shown), and \(other) in the circle"
    }
  }
}

extension ComparisonView {
  /// What the header and messages call it.
  var title: String {
    switch self {
    case .off: "one version"
    case .difference: "difference"
    case .sideBySide: "side by side"
    case .versions: "versions"
    case .contours: "contours"
    case .checkerboard: "checkerboard"
    case .spyglass: "spyglass"
    }
  }
}
