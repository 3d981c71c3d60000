extension ReviewState {
  /// Undoes one step of the history.
  mutating func undo() -> [ReviewEffect] {
    guard history.position > 0 else {
      message = Message("nothing to undo")
      return []
    }
    let name = history.steps[history.position].name
    return move(to: history.position - 1, "undid: \(name)")
  }

  /// Redoes one step of the history.
  mutating func redo() -> [ReviewEffect] {
    guard history.position < history.steps.count - 1 else {
      message = Message("nothing to redo")
      return []
    }
    return move(to: history.position + 1, "redid: \(history.steps[history.position + 1].name)")
  }

  /// Goes to any step of the history.
  mutating func goTo(step: Int) -> [ReviewEffect] {
    let step = min(max(0, step), history.steps.count - 1)
    return move(to: step, "went to: \(history.steps[step].name)")
  }

  /// The side of A and B that shows a version or, where it is neither, the version that it was made from; A where that is
  /// neither, too.
  private func side(showing wanted: Version?) -> Decisions.Side {
    var wanted = wanted
    // As many steps as there are versions: a damaged journal may name versions as bases of each other.
    for _ in decisions.versions {
      guard let version = wanted else { break }
      if decisions.a == version.id { return .a }
      if decisions.b == version.id { return .b }
      switch version.origin {
      case .edit(let base), .refinement(let base, _, _): wanted = self.version(base)
      case .mask, .network: wanted = nil
      }
    }
    return .a
  }

  /// Restores the decisions after a step of the history.
  private mutating func move(to step: Int, _ text: String) -> [ReviewEffect] {
    let (before, shown) = (decisions, shownVersion)
    let isForward = step > history.position
    decisions = history.move(to: step, from: decisions)
    if (decisions.a, decisions.b) != (before.a, before.b) {
      // The side that is shown is not part of a step.
      let entered = [decisions.b, decisions.a].compactMap(\.self).first {
        ![before.a, before.b].contains($0)
      }
      decisions.shownSide = side(showing: isForward ? entered.flatMap { version($0) } ?? shown : shown)
    }
    // Undoing a pairing also removes the stored one; the question about it is not asked again.
    for pairing in before.pairings
    where decisions.pairings.last(of: pairing.older, pairing.newer) == nil
      && automaticPairings.contains(pairing)
    {
      automaticPairings.removeAll { $0 == pairing }
      askedPairings.insert([pairing.older, pairing.newer])
    }
    identifyStructures()
    if let selected = selectedVersion, !presentVersions.contains(where: { $0.id == selected }) {
      selectedVersion = shownVersion?.id
    }
    message = Message(text)
    let edited = decisions.versions.filter { version in
      before.versions.contains { $0.id == version.id && $0.labels != version.labels }
    }
    for version in edited { forget(what: version.id) }
    return compareIfNeeded() + rememberPairings(since: before.pairings)
      + (before.knobs != decisions.knobs ? previewIfLive() : [])
  }
}
