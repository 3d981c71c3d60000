/// What the panes compare when they show a difference.
enum ShownDifference {
  /// A and B.
  case pair(Version, Version)
  /// A version and what the CRF makes of it now.
  case refinement(Version, LiveRefinement)
}

/// What a difference view is about: it ends when this changes.
enum ComparedVersions: Hashable {
  case pair(Set<VersionID?>)
  /// What the CRF's panel makes of a version.
  case refinement(VersionID?)
}

extension ReviewState {
  /// What a difference view is about now.
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
