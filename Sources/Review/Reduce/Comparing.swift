import Volumes
import Work

extension ReviewState {
  /// Which of two versions can have labels beyond their tables.
  func openLabels(_ a: Version, _ b: Version) -> OpenLabels {
    func isOpen(_ version: Version) -> Bool {
      if case .network = self.version(version.family)?.origin { false } else { true }
    }
    return OpenLabels(a: isOpen(a), b: isOpen(b))
  }

  /// Shows the other of A and B, and ends a difference view, which shows neither.
  mutating func flip() {
    guard decisions.a != nil, decisions.b != nil else {
      message = Message("nothing to flip to: run a network (m) or the CRF (t) first", .warning)
      return
    }
    decisions.shownSide = decisions.shownSide == .a ? .b : .a
    if view.comparison == .difference { view.comparison = .off }
  }

  /// The one of A and B that is not shown; nil where there are not two.
  var otherVersion: Version? {
    guard decisions.a != nil, decisions.b != nil else { return nil }
    return (decisions.shownSide == .a ? decisions.b : decisions.a).flatMap { version($0) }
  }

  /// Shows the other one of A and B, and goes to one of its labels.
  mutating func jumpInOther(to label: Label) {
    flip()
    jump(to: label)
    message = Message(
      "\(cleaned(label.name)) is in \(decisions.shownSide == .a ? "A" : "B"), which is shown now")
  }

  /// Chooses the view that shows A and B together.
  mutating func compare(_ comparison: ComparisonView) {
    guard comparison == .off || comparedLabels != nil else {
      message = Message("nothing to compare: run a network (m) or the CRF (t) first", .warning)
      return
    }
    view.comparison = comparison
    if comparison != .off {
      // Settings that would hide the comparison are reset.
      view.overlay.isShown = true
      if comparison == .difference { showsLabelsBeforeRefinement = false }
    }
    scrollToCrosshair()
  }

  /// Chooses the view that shows A and B together, with a message about its content.
  mutating func compareWithMessage(_ comparison: ComparisonView) {
    compare(comparison)
    guard view.comparison == comparison, message?.kind != .warning else { return }
    message = Message(
      comparison == .off
        ? "one version; Tab flips"
        : "\(comparison.title): \(comparisonText(comparison)); D is the next view, Esc ends it")
  }

  /// Ends the comparison view after the compared versions changed: a difference always, the other views only where
  /// there are no two versions any more.
  mutating func endOutdatedComparison() {
    let hasPair = decisions.a != nil && decisions.b != nil
    if view.comparison == .difference || !hasPair && focus != .refinement { view.comparison = .off }
  }

  /// The letters of the two compared versions, or words for the labels before and after refinement.
  var comparedLetters: (shown: String, other: String) {
    let letters = focus == .refinement ? ("before", "refined") : ("A", "B")
    return shownSide == .a ? letters : (letters.1, letters.0)
  }

  /// A short text about where a comparison view shows which version.
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
  /// The name in the header and in messages.
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
