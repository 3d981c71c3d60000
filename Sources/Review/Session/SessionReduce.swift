import Screen
import Work
import Worklist

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
        .picture, ["Y"], .worklist(.giveVerdict(.accepted)), "accept the version shown, and next case",
        bar: "and next", rank: 4),
      KeyTable.bind(
        .picture, ["R"], .worklist(.giveVerdict(.rejected)), "reject the version shown, and next case"),
      KeyTable.bind(
        .picture, ["S"], .worklist(.giveVerdict(.needsWork)), "the case needs work, and next case"),
      KeyTable.bind(.picture, ["F"], .worklist(.giveVerdict(.flagged)), "flag the case, and next case"),
    ]
  }
}

/// Changes the state of a session by an event: the whole behaviour of a session, pure, synchronous and total.
///
/// - Returns: The effects that the caller performs, in this order.
package func reduce(_ session: inout SessionState, _ event: SessionEvent) -> [SessionEffect] {
  guard session.end == nil else { return [] }
  var effects: [SessionEffect]
  switch event {
  case .terminal(let input): effects = session.handleInput(input)
  case .review(let id, let event): effects = session.reduceCase(id, event)
  case .clock(let seconds):
    session.passTime(to: seconds)
    effects = []
  case .drawn(let seconds):
    session.noteDrawn(at: seconds)
    effects = []
  case .reviews(let reviews):
    session.update(reviews)
    effects = []
  case .decidedElsewhere(let decisions): effects = session.adopt(decisions)
  case .noted(let line):
    session.pendingNotes.append(line)
    effects = []
  case .measured(let measures):
    session.worklist.update(measures)
    effects = []
  case .unmeasured(let cases):
    session.worklist.unmeasured = cases
    effects = []
  case .uncertainties(let uncertainties):
    session.worklist.update(uncertainties)
    effects = []
  case .recordsFailed(let line):
    session.noteRecordFailure(line)
    effects = []
  }
  effects += session.openRequestedImage()
  effects += session.endWithCase()
  if session.end == nil { effects += session.keepInMemory() }
  effects += session.noteUncertainties()
  session.showPendingNotes()
  session.advanceTour()
  session.updatePositions()
  guard session.end == nil else { return effects }
  effects += session.recordNewDecisions()
  session.listUnwrittenDecisions()
  return effects
}

extension SessionState {
  /// The effects at the start of the session.
  package mutating func begin() -> [SessionEffect] { open(current) }

  fileprivate mutating func handleInput(_ input: TerminalEvent) -> [SessionEffect] {
    if ScreenLayout.isTooSmall(screen), !input.isUsableUnseen { return [] }
    // A key that stops a cine has no other effect.
    if review.cine != nil, worklist.list == nil {
      switch input {
      case .key, .paste, .mouse: return reduceCase(current, .terminal(input))
      case .resize, .capabilities, .shown, .end: break
      }
    }
    switch input {
    case .resize(let rows, let columns): return resize(to: ScreenSize(rows: rows, columns: columns))
    case .capabilities(let capabilities): return showAll(with: capabilities)
    case .shown: return []
    case .end: return leaveAll()
    case .mouse where tourStep != nil, .paste where tourStep != nil: return []
    case .key(let key) where isListShown: return handleListKey(key)
    case .paste(let text) where isListShown:
      pasteIntoList(text)
      return []
    case .mouse(let event) where isListShown: return handleListMouse(event)
    case .key(let key):
      if let effects = takeTourKey(key) { return effects }
      if review.ignoresKey(key) {
        guard case .ended = review.phase else { return reduceCase(current, .terminal(input)) }
        if key == .enter || key == .escape { cases[current]?.endIgnoring() }
        return []
      }
      if let effects = editUnopenedComment(key) { return effects }
      if let step = worklistStep(key) { return perform(step) }
      if isTooEarly(key) { return [] }
      if review.phase == .opening, [.character("q"), .control("c")].contains(key),
        let effects = askBeforeLeaving()
      {
        return effects
      }
      if case .ended = review.phase {
        if [.character("q"), .control("c")].contains(key) || key == .escape && worklist.isAbsent {
          return askBeforeLeaving() ?? leaveAll()
        }
        if let effects = decideUnopened(key) { return effects }
      }
      if review.phase == .opening, pictureVerdict(key) != nil {
        noteStillOpening()
        return []
      }
      return reduceCase(current, .terminal(input))
    case .mouse where unopenedComment != nil: return []
    case .mouse(let event):
      if event.action == .press, event.button == 1, let key = clickedKey(at: event.cell) {
        // While a case is being opened, or could not be, there is nothing else to click.
        if review.phase != .reviewing { return handleInput(.key(key)) }
        if let step = worklistStep(key) { return perform(step) }
      }
      return reduceCase(current, .terminal(input))
    case .paste(let text):
      if pasteIntoUnopenedComment(text) { return [] }
      return reduceCase(current, .terminal(input))
    }
  }

  /// The key that the screen shows at a cell beside the panes; nil for none.
  private func clickedKey(at cell: ScreenCell) -> Key? {
    guard review.layout.pane(at: cell) == nil || review.phase != .reviewing,
      case .key(let key) = review.clickTarget(at: cell)
    else { return nil }
    return key
  }

  /// The action of the session, rather than of the case, that a key is bound to; also while the case is being opened,
  /// or could not be.
  private func worklistStep(_ key: Key) -> Action.WorklistStep? {
    let context = review.phase == .reviewing ? review.keyContext : .picture
    guard !worklist.isAbsent, case .worklist(let step) = KeyTable.action(key, in: context) else { return nil }
    return step
  }

  private mutating func perform(_ step: Action.WorklistStep) -> [SessionEffect] {
    switch step {
    case .next:
      return moveOn(
        to: worklist.neighbour(of: current, by: 1),
        otherwise: "this is the last case of the list\(filterNote)")
    case .previous:
      return move(to: caseBefore, otherwise: "this is the first case of the list\(filterNote)")
    case .nextUnread:
      return moveOn(
        to: worklist.nextUnread(after: current), isNeighbour: false,
        otherwise: "every case of the list was read\(filterNote)")
    case .giveVerdict(let verdict): return giveVerdict(verdict)
    case .showList: return showList()
    }
  }

  // MARK: Moving on

  /// Goes forward to a case, from which ``caseBefore`` leads back.
  /// - Parameter isNeighbour: Whether it is the next one in the list.
  private mutating func moveOn(
    to next: CaseID?, isNeighbour: Bool = true, otherwise text: String
  ) -> [SessionEffect] {
    let (from, arrangement) = (current, worklist.arrangementText)
    let effects = move(to: next, otherwise: text)
    guard current != from else { return effects }
    if cameFromArrangement != arrangement { (cameFrom, cameFromArrangement) = ([:], arrangement) }
    // Of cases that were skipped, the one before comes first, unless the filter leaves out where one came from.
    cameFrom[current] = isNeighbour || !worklist.filter.isEmpty ? from : nil
    return effects
  }

  /// The case from which the reader went forward to this one, although it may have left the list since; else the one before it
  /// in the list.
  private var caseBefore: CaseID? {
    let known = cameFromArrangement == worklist.arrangementText ? cameFrom[current] : nil
    return known ?? worklist.neighbour(of: current, by: -1)
  }

  /// Gives a verdict on the case on the screen and goes on to the next, unless the verdict could not be given.
  private mutating func giveVerdict(_ verdict: Verdict) -> [SessionEffect] {
    let decided = current
    let isNew: Bool
    var effects: [SessionEffect]
    switch review.phase {
    case .opening:
      // Its masks are not on the screen yet.
      noteStillOpening()
      return []
    case .reviewing:
      guard isSeen() else { return [] }
      isNew = !review.hasVerdict(verdict)
      effects = reduceCase(current, .verdictGiven(verdict))
      guard review.hasVerdict(verdict) else { return effects }
    case .ended:
      guard isSeen() else { return [] }
      guard verdict != .accepted else {
        noteFewVerdicts()
        return []
      }
      isNew = !unopenedDecision.has(verdict)
      effects = giveVerdictUnopened(verdict)
    }
    let text = "\(cleaned(worklist.cases[decided.position].name)) \(verdict.rawValue)"
    effects += moveOn(
      to: worklist.neighbour(of: current, by: 1),
      otherwise: "\(text); that was the last case of the list\(filterNote)")
    guard current != decided else { return effects }
    cases[current]?.announce(text + (isNew ? "; Ctrl-P z takes it back" : ""))
    return effects
  }

  /// Remembers when the case on the screen was drawn for the first time.
  fileprivate mutating func noteDrawn(at seconds: Double) {
    guard worklist.list == nil, review.phase != .opening, !ScreenLayout.isTooSmall(screen) else { return }
    if seenSince == nil { seenSince = seconds }
    if !isAsked { askedSince = nil } else if askedSince == nil { askedSince = seconds }
  }

  /// The shortest time in seconds in which a reader can have looked at a case.
  ///
  /// Two presses of a double tap are closer to each other, and so are the repetitions of a held key.
  private static let shortestLook = 0.3

  /// Whether the program asks about pairs of labels.
  private var isAsked: Bool {
    guard case .pairing(let pairing) = review.dialog else { return false }
    return pairing.isOpenedByProgram
  }

  /// Whether a key answers a question, or decides about a case, that could not be seen before it; a message where it
  /// does.
  private mutating func isTooEarly(_ key: Key) -> Bool {
    guard review.phase == .reviewing, let action = KeyTable.action(key, in: review.keyContext) else {
      return false
    }
    if case .answer = action, isAsked {
      if let askedSince, clock - askedSince >= Self.shortestLook { return false }
      if askedSince != nil { askedSince = clock }
      cases[current]?.message = Message("the question was only just shown: nothing was answered", .warning)
      return true
    }
    if case .verdict(let step) = action, step != .comment { return !worklist.isAbsent && !isSeen() }
    return false
  }

  /// Whether the case on the screen could be seen before the key that is being handled; a message where not.
  mutating func isSeen() -> Bool {
    if let seenSince, clock - seenSince >= Self.shortestLook { return true }
    if seenSince != nil { seenSince = clock }
    let name = cleaned(worklist.cases[current.position].name)
    cases[current]?.message = Message("\(name) was only just shown: nothing was decided", .warning)
    return false
  }

  /// ", filter unread" where a filter is active, else empty.
  private var filterNote: String { worklist.filter.isEmpty ? "" : ", filter \(cleaned(worklist.filter))" }

  /// The verdict that a key gives in the picture; nil for other keys.
  func pictureVerdict(_ key: Key) -> Verdict? {
    guard !worklist.isAbsent, case .verdict(.give(let verdict)) = KeyTable.action(key, in: .picture) else {
      return nil
    }
    return verdict
  }

  private mutating func noteStillOpening() {
    let name = worklist.cases[current.position].name
    cases[current]?.announce("\(name.printableLine) is still being opened: nothing was decided", .warning)
  }

  /// Goes to a case; where there is none, a message says why.
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
    cases[current]?.ignoresTyping = false
    cases[current]?.endAnnouncement()
    // A case that is not open shows nothing, so the settings of the one before it go on.
    if review.phase == .reviewing { displaySettings = review.displaySettings }
    var effects = recordClosing()
    let typedLines = review.commandHistory
    (previous, current) = (current, next)
    (seenSince, askedSince) = (nil, nil)
    if cases[next] == nil { effects += open(next) }
    cases[next]?.isOnlyAhead = false
    effects += (cases[next]?.newJournalEntries() ?? []).map { .review(next, $0) }
    cases[next]?.commandHistory = typedLines
    if let displaySettings { cases[next]?.apply(displaySettings) }
    effects += (cases[next]?.askAgain() ?? []).map { .review(next, $0) }
    return effects
  }

  private mutating func open(_ id: CaseID, isAhead: Bool = false) -> [SessionEffect] {
    worklist.failures[id] = nil
    var state = newReview(id)
    let effects = state.begin(isAhead: isAhead)
    cases[id] = state
    return effects.map { .review(id, $0) }
  }

  /// Opens the next case ahead once the case on the screen is open, and closes all others but the previous one.
  fileprivate mutating func keepInMemory() -> [SessionEffect] {
    guard review.phase == .reviewing, review.journal != .opening else { return [] }
    let next = worklist.neighbour(of: current, by: 1)
    // Without a worklist, no key returns to a case that another image replaced.
    if worklist.isAbsent { previous = nil }
    var effects: [SessionEffect] = []
    for id in cases.keys.sorted() where ![current, previous, next].contains(id) {
      // Decisions that were made while the journal was still being opened must be written first.
      // What nothing else holds stays in memory until the reviewer decides about it at the end.
      if let state = cases[id], state.phase == .reviewing,
        state.awaitsJournal || !worklist.isAbsent && !state.unkeptVersions.isEmpty
      {
        continue
      }
      effects += close(id)
    }
    if let next, cases[next] == nil { effects += open(next, isAhead: true) }
    return effects
  }

  private mutating func close(_ id: CaseID) -> [SessionEffect] {
    if let state = cases.removeValue(forKey: id) { worklist.retireNumbers(of: state) }
    reconciled.remove(id)
    unrecorded.remove(id)
    return [.close(id)]
  }

  /// Updates the list positions that the cases in memory show.
  fileprivate mutating func updatePositions() {
    guard !worklist.isAbsent else { return }
    let filter = worklist.filter.isEmpty ? nil : cleaned(worklist.filter)
    let unkept = casesWithUnkeptVersions
    for id in cases.keys {
      cases[id]?.unkeptElsewhere = unkept.filter { $0 != id }.map {
        cleaned(worklist.cases[$0.position].name)
      }
      cases[id]?.position = worklist.listPosition(of: id)
      cases[id]?.listFilter = filter
      cases[id]?.knownTags = worklist.knownTags
    }
  }

  /// Shows the notes about unused files of the worklist once.
  fileprivate mutating func showPendingNotes() {
    guard !pendingNotes.isEmpty, review.phase == .reviewing else { return }
    cases[current]?.appendMessage(
      pendingNotes.count == 1 ? pendingNotes[0] : "\(pendingNotes[0]) (M: all \(pendingNotes.count))")
    for note in pendingNotes.dropFirst() { cases[current]?.messageLog.add(Message(note, .warning)) }
    pendingNotes = []
  }

  // MARK: The end

  /// Ends the session when the case on the screen has ended.
  fileprivate mutating func endWithCase() -> [SessionEffect] {
    guard end == nil, case .ended(let failure) = review.phase, cases[current] != nil else { return [] }
    // Decisions about a case that was just left must be written to its journal and the records first.
    if failure == nil, cases.contains(where: { $0.key != current && $0.value.awaitsJournal }) { return [] }
    if let failure {
      if let effects = returnToPreviousCase(saying: failure) { return effects }
      // A message about the opening is out of date.
      if worklist.failures[current] == nil { cases[current]?.message = nil }
      worklist.failures[current] = failure
      // The others can still be reviewed.
      guard worklist.isAbsent else { return [] }
      end = .failed(failure)
    } else {
      end = .left
    }
    return end == nil ? [] : leaveAll()
  }

  /// The cases of a worklist with versions that would be lost, in its order.
  private var casesWithUnkeptVersions: [CaseID] {
    guard !worklist.isAbsent else { return [] }
    return cases.filter { $0.value.phase == .reviewing && !$0.value.unkeptVersions.isEmpty }.keys.sorted()
  }

  /// Asks whether to end the session although versions of a case would be lost; the case comes to the screen for it, where
  /// no other is there.
  ///
  /// - Returns: nil where none would be lost.
  mutating func askBeforeLeaving() -> [SessionEffect]? {
    guard let first = casesWithUnkeptVersions.first else { return nil }
    worklist.list = nil
    var effects: [SessionEffect] = []
    if review.phase != .reviewing { effects = move(to: first) }
    return effects + (cases[current]?.quit() ?? []).map { .review(current, $0) }
  }

  mutating func leaveAll() -> [SessionEffect] {
    end = end ?? .left
    return recordNewDecisions() + recordEarlyDecisions() + recordClosing()
      + cases.keys.sorted().flatMap { reduceCase($0, .terminal(.end)) }
  }
}

extension TerminalEvent {
  /// Whether it acts while the screen is too small to show anything: a change of the terminal, the end, and keys that quit.
  fileprivate var isUsableUnseen: Bool {
    switch self {
    case .resize, .capabilities, .shown, .end, .key("q"), .key(.control("c")): true
    case .key, .paste, .mouse: false
    }
  }
}

extension SessionState {
  /// Whether a case has decisions that wait for its journal, which is still being opened.
  var awaitsJournal: Bool {
    cases.values.contains { $0.awaitsJournal }
  }
}

extension ReviewState {
  /// Whether decisions wait for the journal, which is still being opened.
  var awaitsJournal: Bool { journal == .opening && unwrittenJournalReason != nil }
}
