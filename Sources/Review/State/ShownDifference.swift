/// The labels that a difference view compares.
enum ShownDifference {
  /// A and B.
  case pair(Version, Version)
  /// A version and its live refinement.
  case refinement(Version, LiveRefinement)
}

/// The identity of a difference view, which ends when it changes.
enum ComparedVersions: Hashable {
  case pair(Set<VersionID?>)
  /// A version in the CRF panel.
  case refinement(VersionID?)
}

extension ReviewState {
  /// The current identity of a difference view.
  var comparedVersions: ComparedVersions {
    focus == .refinement ? .refinement(refinementBase?.id) : .pair([decisions.a, decisions.b])
  }

  /// The difference that the panes show; nil when they show labels.
  ///
  /// Header, legend and panes all go by it.
  var shownDifference: ShownDifference? {
    guard view.showsDifference, view.overlay.isShown else { return nil }
    if focus == .refinement, let live, let base = version(live.base) {
      return shownLive.map { .refinement(base, $0) }
    }
    guard let a = decisions.a.flatMap({ version($0) }), let b = decisions.b.flatMap({ version($0) }) else {
      return nil
    }
    return .pair(a, b)
  }
}
