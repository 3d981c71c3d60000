extension ReviewState {
  /// Accepts or rejects the version shown, or flags the case.
  mutating func judge(_ kind: Verdict) {
    if kind == .flagged { return flagCase() }
    guard let shown = shownVersion else {
      message = Message("no version to judge: open a mask, or run a network (m)", .warning)
      return
    }
    if let live = shownLive, live.whole?.part.labels != shown.labels {
      message = Message("what you see is no version yet: Enter keeps it as one", .warning)
      return
    }
    let (id, name) = (shown.id, cleaned(shown.name))
    let before = decisions.verdicts
    switch kind {
    case .flagged: break
    case .accepted where before[id] == .accepted:
      // A reviewer may press again to answer an expected question; that must not withdraw the acceptance.
      message = Message("\(name) is accepted already; z undoes, e rejects it, E exports it")
    case .rejected where before[id] == .rejected:
      decide("take back rejected") { $0.verdicts.rejected.remove(id) }
      message = Message("\(name) is no longer rejected")
    case .accepted:
      decide("accept \(name)") {
        $0.verdicts.accepted = id
        $0.verdicts.rejected.remove(id)
      }
      var text = "accepted \(name)"
      if before[id] == .rejected { text += ", no longer rejected" }
      if let other = before.accepted.flatMap({ version($0) }) {
        text += ", instead of \(cleaned(other.name))"
      }
      message = Message(text + "; E exports it")
    case .rejected:
      decide("reject \(name)") {
        $0.verdicts.rejected.insert(id)
        if $0.verdicts.accepted == id { $0.verdicts.accepted = nil }
      }
      message = Message("rejected \(name)" + (before.accepted == id ? "; it is no longer accepted" : ""))
    }
  }

  /// Flags the case, with or without versions, or removes the flag.
  private mutating func flagCase() {
    let wasFlagged = decisions.verdicts.isFlagged
    decide(wasFlagged ? "take back the flag" : "flag the case") { $0.verdicts.isFlagged.toggle() }
    message = Message(wasFlagged ? "the case is no longer flagged" : "flagged the case")
  }
}
