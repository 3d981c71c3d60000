import Screen
import Volumes

extension Action {
  /// Export, undo, typed commands, messages, and quitting.
  package enum SessionStep: ActionGroup {
    case export, undo, redo, chooseStep
    case typeCommand, showMessages, showHelp
    case back, interrupt, quit

    static let bindings: [KeyBinding] = [
      KeyTable.bind(
        .picture, ["E", .control("s")], .session(.export), "export the accepted version", bar: "export"),
      KeyTable.bind(.picture, ["z"], .session(.undo), "undo; says what"),
      KeyTable.bind(.picture, ["Z", .control("r")], .session(.redo), "redo; says what"),
      KeyTable.bind(
        .picture, ["U"], .session(.chooseStep), "all decisions so far, undone ones too: go back to any"),
      KeyTable.bind(.picture, [":"], .session(.typeCommand), "type a command"),
      KeyTable.bind(.picture, ["M", "i"], .session(.showMessages), "every message of the session, whole"),
      KeyTable.bind(.picture, ["?", .function(1)], .session(.showHelp), "this key reference", bar: "help"),
      KeyTable.bind(.picture, [.escape], .session(.back), "cancel the running job; close what is open"),
      KeyTable.bind(
        .picture, [.control("c")], .session(.interrupt), "cancel the running job; without one, quit"),
      KeyTable.bind(.picture, ["q"], .session(.quit), "quit; asks when something would be lost", bar: "quit"),
      KeyTable.bind(
        .pan, [.escape, "P", .enter, "q"], .session(.back), "back to the crosshair", bar: "done"),
    ]
  }
}

extension ReviewState {
  /// Export, undo, typed commands, messages, and quitting.
  mutating func performStep(_ step: Action.SessionStep) -> [ReviewEffect] {
    switch step {
    case .export: return export(to: nil, version: nil)
    case .undo: return undo()
    case .redo: return redo()
    case .chooseStep: dialog = .history(selected: history.position)
    case .back: return back()
    case .typeCommand: return openLine(.command)
    case .showMessages: openMessages()
    case .showHelp: dialog = .help(line: 0)
    case .interrupt: return interrupt()
    case .quit: return quit()
    }
    return []
  }

  /// Escape: closes the innermost dialog, panel or mode.
  private mutating func back() -> [ReviewEffect] {
    if knobEntry != nil {
      knobEntry = nil
      return []
    }
    if quitsWhenJournalIsWritten {
      quitsWhenJournalIsWritten = false
      return []
    }
    return cancelLongJob() ?? close()
  }

  /// Whether the CRF panel shows a refinement of all of the image that changes voxels and is not a version.
  var hasUnkeptRefinement: Bool {
    guard let live, let whole = live.whole, whole.part.changedVoxels > 0, let base = version(live.base) else {
      return false
    }
    return !decisions.versions.contains { $0.origin == refinementOrigin(base, whole.knobs) }
  }

  /// Cancels the running job that the message line shows; nil for none.
  private mutating func cancelLongJob() -> [ReviewEffect]? {
    guard let job = longJob?.job.job else { return nil }
    message = Message(job.base.stoppedText)
    return cancel(job.kind)
  }

  /// Ctrl-C: cancels the running job; without one, quits.
  mutating func interrupt() -> [ReviewEffect] {
    if let effects = cancelLongJob() { return effects }
    guard jobs[.backgroundRefinement] != nil else { return quit() }
    message = Message("stopped refining the whole image; changing a knob starts it again")
    return cancel(.backgroundRefinement)
  }

  /// Whether the case may be left for another one.
  ///
  /// The first attempt that would drop a refinement is refused with a warning; the next one is allowed.
  mutating func mayBeLeft() -> Bool {
    guard hasUnkeptRefinement, live?.hasWarnedOfLoss == false else { return true }
    live?.hasWarnedOfLoss = true
    message = Message(ReviewState.unkeptWarning, .warning)
    return false
  }

  static let unkeptWarning =
    "the refined image is not kept: Enter keeps it as a version, once more drops it"

  /// What would be lost by quitting now.
  var losses: [Loss] {
    var losses: [Loss] = []
    // A worklist keeps the verdict; masks of many cases are exported together later.
    if let accepted = decisions.verdicts.accepted, exported[accepted] == nil, position == nil {
      losses.append(.acceptedVersion(accepted))
    }
    if let job = longJob { losses.append(.job(title: job.title)) }
    if hasUnkeptRefinement, live?.hasWarnedOfLoss == false { losses.append(.refinement) }
    // Quitting waits for a journal that is still being opened; only quitting again while it waits would lose changes.
    if let reason = unwrittenJournalReason, journal != .opening || quitsWhenJournalIsWritten {
      losses.append(.unwrittenJournal(reason))
    }
    if !unkeptElsewhere.isEmpty { losses.append(.unkeptVersions(ofCases: unkeptElsewhere)) }
    if let reason = unwrittenVerdictsReason { losses.append(.unwrittenVerdicts(reason)) }
    return losses
  }

  /// Ends the session, after a question where something would be lost.
  mutating func quit(isForced: Bool = false) -> [ReviewEffect] {
    if isForced { return end() }
    let losses = losses
    if losses.isEmpty { return quitWhenJournalIsWritten() }
    dialog = .question(.quit(losing: losses))
    return []
  }

  /// Ends the session now, or once a journal that is still being opened has recorded the decisions.
  mutating func quitWhenJournalIsWritten() -> [ReviewEffect] {
    guard journal == .opening, unwrittenJournalReason != nil else { return end() }
    quitsWhenJournalIsWritten = true
    return []
  }
}
