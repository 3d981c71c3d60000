import Worklist

// What the worklist's records hold of this reader, and how it gets there.

extension SessionState {
  /// A pause between two keys that is longer does not count in full: the reviewer is away.
  private static let longestPause = 60.0

  /// Counts the time since the last key for the case on the screen.
  mutating func passTime(to seconds: Double) {
    let passed = min(max(0, seconds - clock), SessionState.longestPause)
    clock = seconds
    if review.phase == .reviewing { secondsSpent[current, default: 0] += passed }
  }

  /// Takes what the worklist holds of this reader into cases that have just been opened, and gives it what was decided
  /// since.
  mutating func recordNewDecisions() -> [SessionEffect] {
    guard !worklist.isAbsent else { return [] }
    var effects: [SessionEffect] = []
    for id in cases.keys.sorted() where !reconciled.contains(id) && isReady(id) {
      reconciled.insert(id)
      guard let own = worklist.ownDecision(of: id) else { continue }
      secondsSpent[id] = max(own.seconds, secondsSpent[id] ?? 0)
      effects += reduceCase(id, .recorded(own))
    }
    // A case that was only opened ahead was not read.
    if review.phase == .reviewing { shown.insert(current) }
    for id in cases.keys.sorted() where reconciled.contains(id) && shown.contains(id) {
      let decision = decision(of: id)
      let earlier = recorded[id] ?? worklist.ownDecision(of: id) ?? CaseDecision()
      if !decision.isSame(as: earlier) || decision.version != earlier.version {
        effects.append(.record(id, .decided, decision))
      } else if id == current, onRecord != id {
        effects.append(.record(id, .opened, decision))
      }
      recorded[id] = decision
    }
    if reconciled.contains(current) { onRecord = current }
    return effects
  }

  /// Gives the worklist how long the reviewer spent on the case that is about to leave the screen.
  mutating func recordClosing() -> [SessionEffect] {
    guard onRecord == current else { return [] }
    let effects = recordNewDecisions()
    onRecord = nil
    return effects + [.record(current, .closed, decision(of: current))]
  }

  /// Whether everything that was decided about a case is known: its journal was read.
  private func isReady(_ id: CaseID) -> Bool {
    cases[id].map { $0.phase == .reviewing && $0.journal != .opening } ?? false
  }

  private func decision(of id: CaseID) -> CaseDecision {
    cases[id]?.decision(seconds: secondsSpent[id] ?? 0) ?? CaseDecision()
  }

  /// Takes what readers decided, and says what others decided about the case on the screen.
  mutating func take(_ reviews: [String: CaseReview]) {
    let name = worklist.cases[current.position].name
    let before = worklist.reviews[name]
    worklist.reviews.merge(reviews) { $1 }
    if let review = reviews[name], cases[current]?.phase == .reviewing {
      for reader in review.readers where reader != worklist.reader {
        guard let decision = review.decisions[reader], decision.isDecided,
          before?.decisions[reader]?.isSame(as: decision) != true
        else { continue }
        cases[current]?.appendMessage("\(reader): \(decision.summary)")
      }
    }
    worklist.arrange()
  }

  /// Says that verdicts cannot be written, or that they can again.
  mutating func noteRecordFailure(_ line: String?) {
    worklist.recordFailure = line
    cases[current]?.message =
      line.map { Message("verdicts are not written: \($0); it is tried again", .error) }
      ?? Message("verdicts are written again")
  }
}

extension CaseDecision {
  /// "accepted, flagged, score 4"; "read" where nothing was decided.
  var summary: String {
    var facts = [verdict?.rawValue, isFlagged ? "flagged" : nil].compactMap(\.self)
    if let score { facts.append("score \(score)") }
    return facts.isEmpty ? "read" : facts.joined(separator: ", ")
  }
}
