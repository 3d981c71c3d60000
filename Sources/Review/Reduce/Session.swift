import Volumes

extension ReviewState {
  /// Models, verdicts, export, undo, frames, panels, and quitting.
  mutating func performStep(_ step: Action.SessionStep) -> [ReviewEffect] {
    switch step {
    case .changeFrame(let count): return changeFrame(by: count)
    case .chooseModel: return chooseModel()
    case .focus(let focus): return moveFocus(to: focus)
    case .verdict(let kind): giveVerdict(kind)
    case .score(let score): giveScore(score)
    case .export: return export(to: nil, version: nil)
    case .undo: return undo()
    case .redo: return redo()
    case .chooseStep: dialog = .history(selected: history.position)
    case .back: return back()
    case .close: return close()
    case .interrupt: return interrupt()
    case .quit: return quit()
    }
    return []
  }

  private mutating func chooseModel() -> [ReviewEffect] {
    dialog = .models(selected: 0)
    guard models == nil else { return [] }
    message = Message("looking at the models…")
    guard jobs[.models] == nil else { return [] }
    return [start(ModelsJob(image: content.image))]
  }

  /// Moves the focus to the picture or a section of the panel.
  private mutating func moveFocus(to focus: Focus) -> [ReviewEffect] {
    let stopped = leave(for: focus)
    guard self.focus == focus else { return stopped }
    return stopped + (focus.panelSection?.begin(&self) ?? [])
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

  /// Leaves the panel, or else the difference.
  private mutating func close() -> [ReviewEffect] {
    if view.isPanning {
      view.isPanning = false
    } else if focus != .picture {
      return leave(for: .picture)
    } else if view.showsDifference {
      view.showsDifference = false
    }
    return []
  }

  /// Moves the focus to the picture or another section.
  ///
  /// If that would drop a result of the CRF, the first attempt only warns.
  private mutating func leave(for next: Focus) -> [ReviewEffect] {
    let isLeavingRefinement = focus == .refinement && next != .refinement
    if isLeavingRefinement, live?.hasWarnedOfLoss == false, hasUnkeptRefinement {
      live?.hasWarnedOfLoss = true
      message = Message(ReviewState.unkeptWarning, .warning)
      return []
    }
    focus = next
    view.isPanning = false
    if isLeavingRefinement { knobEntry = nil }
    return isLeavingRefinement ? stopLive() : []
  }

  /// Whether the CRF panel shows a refinement of all of the image that changes voxels and is no version.
  private var hasUnkeptRefinement: Bool {
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

  /// Whether the case may be left for another one; says first, once, that it would drop a refinement.
  mutating func mayBeLeft() -> Bool {
    guard hasUnkeptRefinement, live?.hasWarnedOfLoss == false else { return true }
    live?.hasWarnedOfLoss = true
    message = Message(ReviewState.unkeptWarning, .warning)
    return false
  }

  private static let unkeptWarning =
    "the refined image is not kept: Enter keeps it as a version, once more drops it"

  /// The losses of quitting now.
  var losses: [Loss] {
    var losses: [Loss] = []
    // A worklist keeps the verdict; masks of many cases are exported together later.
    if let accepted = decisions.verdicts.accepted, exported[accepted] == nil, position == nil {
      losses.append(.acceptedVersion(accepted))
    }
    if let job = longJob { losses.append(.job(title: job.title)) }
    if hasUnkeptRefinement, live?.hasWarnedOfLoss == false { losses.append(.refinement) }
    // A journal that is still being opened is waited for, and lost by quitting only in the meantime.
    if let reason = unwrittenJournalReason, journal != .opening || quitsWhenJournalIsWritten {
      losses.append(.unwrittenJournal(reason))
    }
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
