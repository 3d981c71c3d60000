import Screen

extension Action {
  /// Steps from case to case; `giveVerdict` gives a verdict and goes on to the next case.
  package enum WorklistStep: ActionGroup {
    case next, previous, nextUnread, giveVerdict(Verdict), showList

    static let bindings: [KeyBinding] = [
      KeyTable.bind(.picture, ["C"], .worklist(.showList), "the list of cases", bar: "cases", rank: 2),
      KeyTable.bind(
        .picture, [.control("n")], .worklist(.next), "next case", bar: "case",
        barKeys: [.control("n"), .control("p")], rank: 2),
      KeyTable.bind(.picture, [.control("p")], .worklist(.previous), "previous case"),
      KeyTable.bind(.picture, [.control("u")], .worklist(.nextUnread), "next unread case"),
      KeyTable.bind(
        .picture, ["Y"], .worklist(.giveVerdict(.accepted)), "accept the version shown, and next case"),
      KeyTable.bind(
        .picture, ["R"], .worklist(.giveVerdict(.rejected)), "reject the version shown, and next case"),
      KeyTable.bind(
        .picture, ["S"], .worklist(.giveVerdict(.needsWork)), "the case needs work, and next case"),
      KeyTable.bind(.picture, ["F"], .worklist(.giveVerdict(.flagged)), "flag the case, and next case"),
    ]
  }
}

/// The whole behaviour of a session: pure, synchronous, total.
///
/// - Returns: what has to happen outside, in this order.
package func reduce(_ session: inout SessionState, _ event: SessionEvent) -> [SessionEffect] {
  guard session.end == nil else { return [] }
  var effects: [SessionEffect]
  switch event {
  case .terminal(let input): effects = session.takeInput(input)
  case .review(let id, let event): effects = session.reduceCase(id, event)
  case .clock(let seconds):
    session.passTime(to: seconds)
    effects = []
  case .reviews(let reviews):
    session.take(reviews)
    effects = []
  case .measured(let measures):
    session.worklist.take(measures)
    effects = []
  case .recordsFailed(let line):
    session.noteRecordFailure(line)
    effects = []
  }
  effects += session.endWithCase()
  if session.end == nil { effects += session.keepInMemory() }
  session.showPendingNotes()
  session.updatePositions()
  return session.end == nil ? effects + session.recordNewDecisions() : effects
}

extension SessionState {
  /// The effects at the start of the session.
  package mutating func begin() -> [SessionEffect] { open(current) }

  fileprivate mutating func takeInput(_ input: TerminalEvent) -> [SessionEffect] {
    switch input {
    case .resize(let rows, let columns): return resize(to: ScreenSize(rows: rows, columns: columns))
    case .end: return leaveAll()
    case .key(let key) where worklist.list != nil: return takeListKey(key)
    case .paste(let text) where worklist.list != nil:
      pasteIntoList(text)
      return []
    case .mouse(let event) where worklist.list != nil: return takeListMouse(event)
    case .key(let key):
      if let step = worklistStep(key) { return take(step) }
      if case .ended = review.phase, [.character("q"), .escape, .control("c")].contains(key) {
        return leaveAll()
      }
      return reduceCase(current, .terminal(input))
    case .paste, .mouse: return reduceCase(current, .terminal(input))
    }
  }

  /// The action of the session, rather than of the case, that a key is bound to; also while the case is being opened,
  /// or could not be.
  private func worklistStep(_ key: Key) -> Action.WorklistStep? {
    let context = review.phase == .reviewing ? review.keyContext : .picture
    guard !worklist.isAbsent, case .worklist(let step) = KeyTable.action(key, in: context) else { return nil }
    return step
  }

  private mutating func take(_ step: Action.WorklistStep) -> [SessionEffect] {
    switch step {
    case .next:
      return move(to: worklist.neighbour(of: current, by: 1), otherwise: "this is the last case of the list")
    case .previous:
      return move(
        to: worklist.neighbour(of: current, by: -1), otherwise: "this is the first case of the list")
    case .nextUnread:
      return move(to: worklist.nextUnread(after: current), otherwise: "every case of the list was read")
    case .giveVerdict(let verdict): return giveVerdict(verdict)
    case .showList: return showList()
    }
  }

  // MARK: Moving on

  /// Gives a verdict on the case on the screen and goes on to the next, unless the verdict could not be given.
  private mutating func giveVerdict(_ verdict: Verdict) -> [SessionEffect] {
    let effects = reduceCase(current, .verdictGiven(verdict))
    guard review.hasVerdict(verdict) else { return effects }
    return effects
      + move(to: worklist.neighbour(of: current, by: 1), otherwise: "that was the last case of the list")
  }

  /// Goes to a case; says why there is none to go to.
  private mutating func move(to next: CaseID?, otherwise text: String) -> [SessionEffect] {
    guard let next, next != current else {
      cases[current]?.message = Message(text)
      return []
    }
    return move(to: next)
  }

  /// Puts a case on the screen, and opens it where it is not open yet.
  mutating func move(to next: CaseID) -> [SessionEffect] {
    guard review.phase != .reviewing || cases[current]?.mayBeLeft() != false else { return [] }
    if review.phase == .reviewing { shown.insert(current) }
    let habits = review.phase == .reviewing ? review.habits : nil
    var effects = recordClosing()
    (previous, current) = (current, next)
    if cases[next] == nil { effects += open(next) }
    if let habits { cases[next]?.look(as: habits) }
    return effects
  }

  private mutating func open(_ id: CaseID) -> [SessionEffect] {
    var state = newReview(id)
    let effects = state.begin()
    cases[id] = state
    return effects.map { .review(id, $0) }
  }

  /// Opens the next case ahead once the one on the screen is there, and closes those that are neither.
  fileprivate mutating func keepInMemory() -> [SessionEffect] {
    guard review.phase == .reviewing, review.journal != .opening else { return [] }
    let next = worklist.neighbour(of: current, by: 1)
    var effects: [SessionEffect] = []
    for id in cases.keys.sorted() where ![current, previous, next].contains(id) {
      // What was decided while its journal was still being opened must reach it first.
      if let state = cases[id], state.phase == .reviewing, state.unwrittenJournalReason != nil,
        state.journal == .opening
      {
        continue
      }
      effects += close(id)
    }
    if let next, cases[next] == nil { effects += open(next) }
    return effects
  }

  private mutating func close(_ id: CaseID) -> [SessionEffect] {
    cases[id] = nil
    reconciled.remove(id)
    return [.close(id)]
  }

  /// Tells the cases in memory where they stand in the list now.
  fileprivate mutating func updatePositions() {
    guard !worklist.isAbsent else { return }
    for id in cases.keys { cases[id]?.position = worklist.place(of: id) }
  }

  /// Says once what was not used of the worklist.
  fileprivate mutating func showPendingNotes() {
    guard !pendingNotes.isEmpty, review.phase == .reviewing else { return }
    for note in pendingNotes { cases[current]?.messageLog.add(Message(note, .warning)) }
    cases[current]?.appendMessage(
      pendingNotes.count == 1 ? pendingNotes[0] : "\(pendingNotes[0]) (M: all \(pendingNotes.count))")
    pendingNotes = []
  }

  // MARK: The end

  /// Ends the session when the case on the screen was left for good.
  fileprivate mutating func endWithCase() -> [SessionEffect] {
    guard case .ended(let failure) = review.phase, cases[current] != nil else { return [] }
    // What was decided about a case that was just left must reach its journal and the records first.
    if failure == nil, cases.contains(where: { $0.key != current && $0.value.awaitsJournal }) { return [] }
    if let failure {
      // The others can still be reviewed.
      guard worklist.isAbsent else { return [] }
      end = .failed(failure)
    } else {
      end = .left
    }
    return end == nil ? [] : leaveAll()
  }

  mutating func leaveAll() -> [SessionEffect] {
    end = end ?? .left
    return recordClosing() + cases.keys.sorted().flatMap { reduceCase($0, .terminal(.end)) }
  }
}

extension SessionState {
  /// Whether a case has decisions that its journal, which is still being opened, has to take.
  var awaitsJournal: Bool {
    cases.values.contains { $0.awaitsJournal }
  }
}

extension ReviewState {
  /// Whether there are decisions that the journal, which is still being opened, has to take.
  var awaitsJournal: Bool { journal == .opening && unwrittenJournalReason != nil }
}
