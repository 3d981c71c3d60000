import Screen
import Worklist

// Decisions about cases that cannot be opened. There is no version to accept and no journal; they go to the worklist's
// records at once.

extension SessionState {
  /// What this reader decided about the case on the screen, which cannot be opened.
  var unopenedDecision: CaseDecision {
    recorded[current] ?? worklist.ownDecision(of: current) ?? CaseDecision()
  }

  /// The comment on a case that cannot be opened, while it is being typed; nil for none.
  var unopenedComment: TextEntry? {
    guard case .ended = review.phase, case .comment(let entry) = review.dialog else { return nil }
    return entry
  }

  /// Does what a key of the picture does, as far as it is possible without an image; nil for keys that decide nothing.
  mutating func decideUnopened(_ key: Key) -> [SessionEffect]? {
    guard !worklist.isAbsent else { return nil }
    switch KeyTable.action(key, in: .picture) {
    case .verdict(.give(let verdict)): return isSeen() ? giveVerdictUnopened(verdict) : []
    case .verdict(.comment):
      let entry = TextEntry(unopenedDecision.comment)
      cases[current]?.dialog = .comment(entry)
    case .verdict(.score): noteFewVerdicts()
    case .session(.undo): return undoUnopened()
    default:
      // What is typed for a command must not decide.
      guard review.asksForLine(key) else { return nil }
      cases[current]?.ignoreTyping(Self.fewVerdicts)
    }
    return []
  }

  /// Rejects or flags a case that cannot be opened, or marks it as needing work.
  mutating func giveVerdictUnopened(_ verdict: Verdict) -> [SessionEffect] {
    var decision = unopenedDecision
    guard verdict != .accepted else {
      noteFewVerdicts()
      return []
    }
    guard !decision.has(verdict) else {
      cases[current]?.message = Message(
        "the case is \(decision.summary) already; z takes back the last decision")
      return []
    }
    switch verdict {
    case .flagged: decision.isFlagged = true
    case .needsWork: (decision.verdict, decision.version) = (.needsWork, nil)
    case .rejected, .accepted: (decision.verdict, decision.version) = (.rejected, nil)
    }
    return decideUnopened(decision)
  }

  private mutating func decideUnopened(_ decision: CaseDecision, undoing: Bool = false) -> [SessionEffect] {
    if !undoing { decisionsBefore[current, default: []].append(unopenedDecision) }
    recorded[current] = decision
    let comment = decision.comment.isEmpty ? "" : ", with a comment"
    cases[current]?.message = Message(
      (undoing ? "undone: now " : "") + decision.summary + comment + "; in the records of the worklist")
    return [.record(current, .decided, decision)]
  }

  /// Takes back the last decision of this session about a case that cannot be opened.
  private mutating func undoUnopened() -> [SessionEffect] {
    guard var before = decisionsBefore[current]?.popLast() else {
      cases[current]?.message = Message(
        "nothing was decided in this session about this case: nothing to undo")
      return []
    }
    before.seconds = unopenedDecision.seconds
    return decideUnopened(before, undoing: true)
  }

  // MARK: The comment

  /// Handles a key while a comment is being typed; nil where none is.
  mutating func editUnopenedComment(_ key: Key) -> [SessionEffect]? {
    guard var entry = unopenedComment else { return nil }
    switch KeyTable.action(key, in: .text) {
    case .answer(let answer):
      cases[current]?.dialog = nil
      guard answer == .accept else { return [] }
      var decision = unopenedDecision
      let text = cleaned(entry.text).trimmingSpaces
      guard text != decision.comment else { return [] }
      decision.comment = text
      return decideUnopened(decision)
    case .text(let edit): entry.edit(edit)
    default: if case .character(let character) = key { entry.insert(String(character)) }
    }
    cases[current]?.dialog = .comment(entry)
    return []
  }

  /// Inserts pasted text into the comment; false where none is being typed.
  mutating func pasteIntoUnopenedComment(_ text: String) -> Bool {
    guard var entry = unopenedComment else { return false }
    entry.insert(text)
    cases[current]?.dialog = .comment(entry)
    return true
  }

  // MARK: Messages

  private static let fewVerdicts =
    "a case that cannot be opened can only be rejected (e), flagged (f), commented (\") or need work (A)"

  /// Says which decisions are possible about a case that cannot be opened.
  mutating func noteFewVerdicts() {
    cases[current]?.message = Message(Self.fewVerdicts, .warning)
  }
}

extension CaseDecision {
  /// Whether the case has a verdict, or is flagged.
  func has(_ verdict: Review.Verdict) -> Bool {
    switch verdict {
    case .flagged: isFlagged
    case .accepted: self.verdict == .accepted
    case .rejected: self.verdict == .rejected
    case .needsWork: self.verdict == .needsWork
    }
  }
}
