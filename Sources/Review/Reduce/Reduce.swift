import Screen

/// Changes the state of a case by an event: the whole behaviour of a review, pure, synchronous and total.
///
/// - Returns: The effects, which the caller performs in this order.
package func reduce(_ state: inout ReviewState, _ event: ReviewEvent) -> [ReviewEffect] {
  if case .ended = state.phase {
    // The journal for which quitting waited may have been read together with the records.
    guard case .recorded(let decision) = event else { return [] }
    state.adopt(decision, keepingEarlyVerdicts: true)
    return state.newJournalEntries()
  }
  let list = state.pointedList?.name
  // A difference view that the journal restores must not count as outdated.
  let compared = state.view.comparison == .off ? nil : state.comparedVersions
  let base = state.refinementBase?.id
  var effects: [ReviewEffect]
  switch event {
  case .terminal(let input): effects = state.handleInput(input)
  case .cineAdvanced:
    effects = state.refiningAroundCrosshair {
      $0.advanceCine()
      return []
    }
  case .jobProgressed(let id, let fraction, let elapsedSeconds):
    state.noteProgress(id, fraction: fraction, elapsedSeconds: elapsedSeconds)
    effects = []
  case .jobEnded(let id, let outcome): effects = state.end(id, outcome)
  case .imageRead(let id, let opened):
    state.showImage(opened, of: id)
    effects = []
  case .verdictGiven(let verdict):
    if !state.hasVerdict(verdict) { state.giveVerdict(verdict) }
    effects = []
  case .recorded(let decision): effects = state.adopting(decision, keepingEarlyVerdicts: true)
  case .decidedElsewhere(let decision): effects = state.adopting(decision, keepingEarlyVerdicts: false)
  case .journalFailed(let line):
    state.noteJournalFailure(line)
    effects = []
  }
  if state.quitsWhenJournalIsWritten, state.journal != .opening {
    state.quitsWhenJournalIsWritten = false
    effects += state.unwrittenJournalReason == nil ? state.end() : state.quit()
  }
  // The question about quitting always lists the current losses.
  if case .question(.quit(let losing)) = state.dialog, losing != state.losses {
    state.dialog = state.losses.isEmpty ? nil : .question(.quit(losing: state.losses))
  }
  // A search ends when its list no longer receives keys, a difference view when other versions are compared.
  if state.search != nil, state.pointedList?.name != list { state.search = nil }
  if let compared, state.comparedVersions != compared { state.endOutdatedComparison() }
  return effects + state.restartRefinementIfVersionChanged(from: base) + state.findIslandsIfNeeded()
    + state.measureSurfacesIfNeeded() + state.fetchProbabilities()
    + state.measureComponentProbabilitiesIfNeeded() + state.computeUncertaintyIfNeeded()
    + state.readCandidatesIfNeeded()
    + state.newJournalEntries()
}

extension TerminalEvent {
  /// Whether a key, a button or the wheel was used.
  fileprivate var isPress: Bool {
    switch self {
    case .key, .paste: true
    case .mouse(let event): event.action != .release
    case .resize, .capabilities, .shown, .end: false
    }
  }
}

extension ReviewState {
  /// The effects at the start of a session.
  /// - Parameter isAhead: Whether the case is opened before the reviewer goes to it.
  package mutating func begin(isAhead: Bool = false) -> [ReviewEffect] {
    isOnlyAhead = isAhead
    return [start(OpeningJob(request, isAhead: isAhead))]
  }

  package var keyContext: KeyContext {
    if search?.isTyping == true { return .text }
    switch dialog {
    case .help, .messages: return .reading
    case .windows, .models, .presets, .colours, .history: return .list
    case .pairing: return .pairing
    case .command: return .command
    case .label, .comment: return .text
    case .question: return .question
    case nil: break
    }
    switch focus {
    case .section(let id): return .section(id)
    case .picture: return view.isPanning ? .pan : .picture
    }
  }

  fileprivate mutating func handleInput(_ input: TerminalEvent) -> [ReviewEffect] {
    if input.isPress, stopCine() { return [] }
    switch input {
    case .resize(let rows, let columns):
      screen = ScreenSize(rows: rows, columns: columns)
      scrollToCrosshair()
      return []
    case .capabilities(let capabilities):
      change(capabilities)
      return []
    case .shown: return []
    case .end: return end()
    case .key(let key): return handleKey(key)
    case .paste(let text):
      type(text)
      return []
    case .mouse(let event):
      guard phase == .reviewing else {
        // While masks are being read, only the panes answer.
        return isImageShownEarly && layout.pane(at: event.cell)?.title.contains(event.cell) == false
          ? handleMouse(event) : []
      }
      guard dialog == nil else {
        // The wheel over a list moves the list's pointer.
        if event.action == .wheelUp { movePointer(.entries(-1)) }
        if event.action == .wheelDown { movePointer(.entries(1)) }
        return event.action == .press && event.button == 1 ? click(event.cell) : []
      }
      if event.action == .press, event.button == 1 {
        let pane = layout.pane(at: event.cell)
        if pane.map({ $0.title.contains(event.cell) && titleKey($0) != nil }) ?? true {
          return click(event.cell)
        }
      }
      return refiningAroundCrosshair { $0.handleMouse(event) }
    }
  }

  mutating func handleKey(_ key: Key) -> [ReviewEffect] {
    if ignoresKey(key) {
      if key == .enter || key == .escape { endIgnoring() }
      return []
    }
    ignoresTyping = false
    guard phase == .reviewing else {
      if asksForLine(key) {
        ignoreTyping("\(caseName.map { cleaned($0) } ?? "the image") is still being opened")
        return []
      }
      // Esc leads back from something; where there are other cases, or a picture already, it does not end them.
      let isQuitting = key == .escape && position == nil && !isImageShownEarly
      if isQuitting || [.character("q"), .control("c")].contains(key) { return end() }
      if isImageShownEarly { lookAtImage(key) }
      return []
    }
    let context = keyContext
    if case .models = dialog, models == nil, key != .control("c"),
      KeyTable.action(key, in: context) != .answer(.dismiss)
    {
      queuedKeys.append(key)
      return []
    }
    if key == .escape, dialog == nil, focus != .picture, message?.kind == .error {
      // Escape dismisses the error, not the panel.
      message = nil
      knobEntry = nil
      return []
    }
    if let action = KeyTable.action(key, in: context) {
      // Moves do not clear an error, so that it is seen; any other action clears or replaces it.
      if !context.isTyping || action == .answer(.accept), message?.kind != .error || !action.isMove {
        message = nil
      }
      let effects = refiningAroundCrosshair { $0.perform(action, key) }
      openPendingPairing()
      return effects
    }
    if context.isTyping, case .character(let character) = key {
      type(String(character))
    } else if key == .control("c") {
      return interrupt()
    } else if asksForLine(key) || isTypedIntoQuestion(key) {
      ignoreTyping(
        dialog == nil
          ? "/ searches in lists, such as the labels (b)" : "no line can be typed before this is closed")
    } else if leavesQuestion(key) {
      message = Message("the question comes first: nothing else is done before it is answered", .warning)
    }
    return []
  }

  /// Performs the action that a key has in the picture, whatever has the focus.
  mutating func pressInPicture(_ key: Key) -> [ReviewEffect] {
    guard let action = KeyTable.action(key, in: .picture), dialog == nil else { return [] }
    if message?.kind != .error || !action.isMove { message = nil }
    let effects = refiningAroundCrosshair { $0.perform(action, key) }
    openPendingPairing()
    return effects
  }

  /// Inserts text into the line that is being typed, if there is one.
  private mutating func type(_ text: String) {
    if search?.isTyping == true { return typeIntoSearch(text) }
    guard var entry = dialog?.entry else { return }
    entry.insert(text)
    dialog = dialog?.with(entry)
  }

  private mutating func perform(_ action: Action, _ key: Key) -> [ReviewEffect] {
    switch action {
    case .move(let move): self.move(move)
    case .frame(let step): return stepFrames(step)
    case .picture(let change): return changePicture(change)
    case .overlay(let change): return changeOverlay(change)
    case .visibility(let change): changeVisibility(change)
    case .label(let part): editLabel(part)
    case .jump(let step): jump(step)
    case .component(let step): return editComponents(step)
    case .version(let role): return useVersion(as: role)
    case .refinement(let step): return refine(step, key)
    case .network(let step): return runNetwork(step)
    case .focus(let step): return moveFocus(step)
    case .verdict(let step): changeVerdict(step)
    case .session(let step): return performStep(step)
    case .worklist, .caseList:
      message = Message("one case is open; segdeck review FOLDER opens many", .warning)
    case .pointer(let move): movePointer(move)
    case .search(let step): searchList(step)
    case .answer(let answer):
      guard search?.isTyping == true else { return self.answer(answer) }
      endTypingSearch(answer)
    case .commandLine(let step): changeLine(step)
    case .text(let edit): search?.isTyping == true ? editSearch(edit) : editEntry(edit)
    }
    return []
  }

  mutating func end(failure: String? = nil) -> [ReviewEffect] {
    let effects = JobKind.allCases.flatMap { cancel($0) }
    phase = .ended(failure: failure)
    return effects
  }

  /// Changes decisions as a step that can be undone; nothing is recorded when nothing changed.
  mutating func decide(_ name: String, joins: Bool = false, _ change: (inout Decisions) -> Void) {
    var changed = decisions
    change(&changed)
    guard changed != decisions else { return }
    let needsIdentities = changed.versions != decisions.versions || changed.pairings != decisions.pairings
    let before = decisions
    decisions = changed
    if needsIdentities { identifyStructures() }
    history.record(name, from: before, to: decisions, joins: joins)
  }

  /// Updates which labels of different versions are one structure; the selected label stays selected.
  mutating func identifyStructures() {
    let renamed = decisions.identifyStructures(automatic: automaticPairings)
    selectedLabel = selectedLabel.map { renamed[$0] ?? $0 }
  }
}
