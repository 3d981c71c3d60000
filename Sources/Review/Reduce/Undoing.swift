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

  /// Restores the decisions after a step of the history.
  private mutating func move(to step: Int, _ text: String) -> [ReviewEffect] {
    let before = decisions
    history.move(to: step, &decisions)
    // Undoing a pairing also removes the stored one; the question about it is not asked again.
    for pairing in before.pairings
    where decisions.pairings.last(of: pairing.older, pairing.newer) == nil
      && settledPairings.contains(pairing)
    {
      settledPairings.removeAll { $0 == pairing }
      askedPairings.insert([pairing.older, pairing.newer])
    }
    identifyStructures()
    message = Message(text)
    let edited = decisions.versions.filter { version in
      before.versions.contains { $0.id == version.id && $0.labels != version.labels }
    }
    for version in edited { forget(what: version.id) }
    return compareIfNeeded() + rememberPairings(since: before.pairings)
      + (before.knobs != decisions.knobs ? previewIfLive() : [])
  }
}
