import Worklist

// Synchronises this reader's decisions between the cases in memory and the worklist's records.

extension SessionState {
  /// The longest time between two keys that counts, in seconds.
  ///
  /// The reviewer is away during the rest of a longer pause.
  private static let longestPause = 60.0

  /// The longest time in seconds from a record to the journal's entry about the same decision.
  package static let journalDelaySeconds = 2.0

  /// Counts the time since the last key for the case on the screen.
  mutating func passTime(to seconds: Double) {
    let passed = min(max(0, seconds - clock), SessionState.longestPause)
    clock = seconds
    if review.phase == .reviewing { secondsSpent[current, default: 0] += passed }
  }

  /// Applies this reader's decisions in the worklist to cases that have just been opened, and records later decisions
  /// in the worklist.
  mutating func recordNewDecisions() -> [SessionEffect] {
    guard !worklist.isAbsent else { return [] }
    var effects: [SessionEffect] = []
    for id in cases.keys.sorted() where !reconciled.contains(id) && isReady(id) {
      reconciled.insert(id)
      let record = worklist.review(of: id)?.entries[worklist.reader]?.last
      // What this session decided before the case was closed counts, also where it could not be written anywhere.
      let decided = recorded[id]
      if decided == nil, isNewer(cases[id]?.journalDecisionSeconds, than: record) { unrecorded.insert(id) }
      guard let known = decided ?? record?.decision else { continue }
      secondsSpent[id] = max(known.seconds, secondsSpent[id] ?? 0)
      if unrecorded.contains(id) { continue }
      effects += reduceCase(id, .recorded(known))
    }
    // A case that was only opened ahead was not read in this session.
    if review.phase == .reviewing { shown.insert(current) }
    for id in cases.keys.sorted()
    where reconciled.contains(id) && (shown.contains(id) || unrecorded.contains(id)) {
      let decision = decision(of: id)
      let earlier = recorded[id] ?? worklist.ownDecision(of: id) ?? CaseDecision()
      if !decision.isSame(as: earlier) || differs(decision.version, from: earlier.version) {
        effects.append(.record(id, .decided, decision))
      } else if id == current, onRecord != id {
        effects.append(.record(id, .opened, decision))
      }
      recorded[id] = decision
    }
    if reconciled.contains(current) { onRecord = current }
    return effects
  }

  /// Whether another version is accepted, or the same version with other labels.
  ///
  /// Records of earlier programs have no fingerprint of the labels, nor have masks whose labels were joined on reading.
  private func differs(_ version: CaseDecision.Version?, from earlier: CaseDecision.Version?) -> Bool {
    var (version, earlier) = (version, earlier)
    if earlier?.fingerprint == nil { version?.fingerprint = nil }
    if version?.fingerprint == nil { earlier?.fingerprint = nil }
    return version != earlier
  }

  /// Whether the journal's last decision is newer than the last record, or there is none, because the record of it could
  /// not be written.
  private func isNewer(_ journalSeconds: Double?, than record: CaseRecord?) -> Bool {
    guard let journalSeconds else { return false }
    guard let record else { return true }
    guard let recordSeconds = record.secondsSince1970 else { return false }
    return journalSeconds > recordSeconds + Self.journalDelaySeconds
  }

  /// Records the time that the reviewer spent on the case that leaves the screen.
  mutating func recordClosing() -> [SessionEffect] {
    guard onRecord == current else { return [] }
    let effects = recordNewDecisions()
    onRecord = nil
    return effects + [.record(current, .closed, decision(of: current))]
  }

  /// Records what was decided about cases whose journal is still being opened when the session ends.
  func recordEarlyDecisions() -> [SessionEffect] {
    guard !worklist.isAbsent else { return [] }
    return cases.keys.sorted().filter { !reconciled.contains($0) && shown.contains($0) }.compactMap { id in
      guard let state = cases[id], state.unwrittenJournalReason != nil else { return nil }
      let known = worklist.ownDecision(of: id) ?? CaseDecision()
      return .record(id, .decided, known.joined(with: decision(of: id), decidedAs: state.decisions.verdicts))
    }
  }

  /// Whether all decisions about a case are known, because its journal was read.
  private func isReady(_ id: CaseID) -> Bool {
    cases[id].map { $0.phase != .opening && $0.journal != .opening } ?? false
  }

  private func decision(of id: CaseID) -> CaseDecision {
    cases[id]?.decision(seconds: secondsSpent[id] ?? 0) ?? CaseDecision()
  }

  /// Updates the readers' decisions, and shows a message about those of others on the case on the screen.
  mutating func update(_ reviews: [String: CaseReview]) {
    let name = worklist.cases[current.position].name
    let before = worklist.reviews[name]
    worklist.update(reviews)
    if let review = reviews[name], cases[current]?.phase == .reviewing {
      for reader in review.readers where reader != worklist.reader {
        guard let decision = review.decisions[reader], decision.isAssessed,
          before?.decisions[reader]?.summary != decision.summary
        else { continue }
        cases[current]?.appendMessage("\(reader): \(decision.summary)")
      }
    }
  }

  /// Adopts decisions that this reader made in another process.
  mutating func adopt(_ decisions: [String: CaseDecision]) -> [SessionEffect] {
    var effects: [SessionEffect] = []
    for (position, item) in worklist.cases.enumerated() {
      guard let decision = decisions[item.name] else { continue }
      let id = CaseID(position)
      guard reconciled.contains(id) else {
        // A case that is opened later adopts the decision then.
        recorded[id] = decision
        continue
      }
      let before = self.decision(of: id)
      guard !before.isSame(as: decision) else { continue }
      effects += reduceCase(id, .decidedElsewhere(decision))
      recorded[id] = self.decision(of: id)
      if id == current, before.summary != decision.summary {
        cases[id]?.appendMessage("you, in another segdeck: \(decision.summary)")
      }
    }
    return effects
  }

  /// Tells the list what was decided in this session and could not be written yet.
  mutating func listUnwrittenDecisions() {
    guard worklist.recordFailure != nil || !worklist.unwritten.isEmpty else { return }
    var unwritten: [String: CaseDecision] = [:]
    for (id, decision) in recorded where worklist.recordFailure != nil {
      let name = worklist.cases[id.position].name
      let written = worklist.reviews[name]?.decisions[worklist.reader] ?? CaseDecision()
      if !decision.isSame(as: written) { unwritten[name] = decision }
    }
    worklist.setUnwritten(unwritten)
  }

  /// Shows a message when verdicts cannot be written, and when they can be written again.
  /// - Parameter line: The reason in one line; nil when they can be written.
  mutating func noteRecordFailure(_ line: String?) {
    worklist.recordFailure = line
    for id in cases.keys { cases[id]?.unwrittenVerdictsReason = line }
    cases[current]?.message =
      line.map { Message("verdicts are not written: \($0); retrying", .error) }
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
