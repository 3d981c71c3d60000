import Volumes

extension ReviewState {
  /// Models, verdicts, export, undo, and the way out.
  mutating func work(_ action: Action) -> [ReviewEffect] {
    switch action {
    case .chooseModel: return chooseModel()
    case .focus(let focus): return take(focus)
    case .verdict(let kind): judge(kind)
    case .export: return export(to: nil, version: nil)
    case .undo: return undo()
    case .redo: return redo()
    case .chooseStep: dialog = .history(selected: history.position)
    case .back: return back()
    case .close: return close()
    case .interrupt: return interrupt()
    case .quit: return quit()
    default: break
    }
    return []
  }

  private mutating func chooseModel() -> [ReviewEffect] {
    dialog = .models(selected: 0)
    guard models == nil else { return [] }
    message = Message("looking at the models…")
    guard jobs[.models] == nil else { return [] }
    return [start(.models(content.image), for: .models)]
  }

  private mutating func take(_ focus: Focus) -> [ReviewEffect] {
    let stopped = leave(for: focus)
    guard self.focus == focus else { return stopped }
    switch focus {
    case .labels: if selectedLabel == nil, !shownLabels.isEmpty { selectLabel(1) }
    case .versions: selectedVersion = shownVersion?.id ?? decisions.versions.last?.id
    case .refinement:
      if !Knob.knobs(of: refinementBase).contains(selectedKnob) { selectedKnob = .appearanceWeight }
      noteFrameOfRefinement()
      return beginRefining()
    case .picture: break
    }
    return stopped
  }

  private mutating func judge(_ kind: Verdict) {
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
      // A second press, meant for a question that did not come, must not take the acceptance away.
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

  /// Flags the case, whether it has a version or not, or takes the flag back.
  private mutating func flagCase() {
    let wasFlagged = decisions.verdicts.isFlagged
    decide(wasFlagged ? "take back the flag" : "flag the case") { $0.verdicts.isFlagged.toggle() }
    message = Message(wasFlagged ? "the case is no longer flagged" : "flagged the case")
  }

  /// Writes the accepted version, or `version` where the reviewer named none to accept.
  mutating func export(
    to path: String?, version id: VersionID?, replacesExisting: Bool = false, quitsAfterwards: Bool = false
  ) -> [ReviewEffect] {
    guard jobs[.export] == nil else {
      message = Message("an export is under way", .warning)
      return []
    }
    guard let version = (id ?? decisions.verdicts.accepted).flatMap({ version($0) }) else {
      message = Message("nothing is accepted yet: y accepts the version shown", .warning)
      return []
    }
    let request = ExportRequest(
      labels: version.labels, table: version.table, imagePath: content.imagePath,
      path: path ?? content.exportPath, replacesExisting: replacesExisting,
      provenance: provenance(of: version))
    let purpose = RunningJob.Purpose.export(version, path: request.path, quitsAfterwards: quitsAfterwards)
    return [start(.export(request), for: purpose)]
  }

  /// How a version came to be.
  package func provenance(of version: Version) -> Provenance {
    let (steps, first) = Provenance.steps(to: version.id) {
      self.version($0)?.origin
    } changedVoxels: { id, base in
      guard let own = self.version(id), let base = self.version(base) else { return 0 }
      return own.labels.differingVoxelCount(from: base.labels)
    }
    var merged: [LabelSelection] = []
    if case .mask(let path)? = steps.first {
      merged = content.masks.first { $0.path == path }?.merged ?? []
    }
    return Provenance(
      steps: steps, firstVersion: first, versionName: version.name,
      verdict: decisions.verdicts[version.id]?.rawValue, isCaseFlagged: decisions.verdicts.isFlagged,
      frame: version.frame, merged: merged)
  }

  private mutating func undo() -> [ReviewEffect] {
    guard history.position > 0 else {
      message = Message("nothing to undo")
      return []
    }
    let name = history.steps[history.position].name
    return move(to: history.position - 1, "undid: \(name)")
  }

  private mutating func redo() -> [ReviewEffect] {
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

  /// Takes the decisions of a step of the history.
  private mutating func move(to step: Int, _ text: String) -> [ReviewEffect] {
    let before = decisions
    history.move(to: step, &decisions)
    // What was remembered of a pairing goes with it, and is not asked again.
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

  /// Escape: the innermost thing first.
  private mutating func back() -> [ReviewEffect] {
    if knobEntry != nil {
      knobEntry = nil
      return []
    }
    if endsOnceJournalled {
      endsOnceJournalled = false
      return []
    }
    if let job = longJob {
      message = Message(job.stoppedText)
      return cancel(job.kind)
    }
    return close()
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

  /// Gives the keys to the picture or another panel; says first, once, that leaving the CRF would drop a result.
  private mutating func leave(for next: Focus) -> [ReviewEffect] {
    let isLeavingRefinement = focus == .refinement && next != .refinement
    if isLeavingRefinement, live?.isLossSaid == false, hasUnkeptRefinement {
      live?.isLossSaid = true
      message = Message(
        "the refined image is not kept: Enter keeps it as a version, once more drops it", .warning)
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

  /// The job under way that the reviewer knows of.
  private var longJob: (kind: JobKind, title: String, stoppedText: String)? {
    for kind in [JobKind.export, .refinement, .segmentation, .frame] {
      if let job = jobs[kind], let title = job.title { return (kind, title, job.stoppedText) }
    }
    return nil
  }

  /// Ctrl-C: cancels the running job; without one, quits.
  private mutating func interrupt() -> [ReviewEffect] {
    if let job = longJob {
      message = Message(job.stoppedText)
      return cancel(job.kind)
    }
    guard jobs[.following] != nil else { return quit() }
    message = Message("stopped refining all of the image; a turn of a knob starts again")
    return cancel(.following)
  }

  /// What would be lost by quitting now.
  var losses: [Loss] {
    var losses: [Loss] = []
    if let accepted = decisions.verdicts.accepted, exported[accepted] == nil {
      losses.append(.acceptedVersion(accepted))
    }
    if let job = longJob { losses.append(.job(title: job.title)) }
    if hasUnkeptRefinement, live?.isLossSaid == false { losses.append(.refinement) }
    // A journal that is still being opened is waited for, and lost by quitting only in the meantime.
    if let reason = unjournalledReason, journal != .opening || endsOnceJournalled {
      losses.append(.unjournalled(reason))
    }
    return losses
  }

  /// Ends the session, after a question where something would be lost.
  mutating func quit(isForced: Bool = false) -> [ReviewEffect] {
    if isForced { return end() }
    let losses = losses
    if losses.isEmpty { return endOnceJournalled() }
    dialog = .question(.quit(losing: losses))
    return []
  }

  /// Ends the session now, or as soon as a journal that is still being opened has taken what was decided.
  mutating func endOnceJournalled() -> [ReviewEffect] {
    guard journal == .opening, unjournalledReason != nil else { return end() }
    endsOnceJournalled = true
    return []
  }
}
