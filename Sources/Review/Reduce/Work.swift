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
    case .back: return back()
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
    let stopped = self.focus == .refinement && focus != .refinement ? stopLive() : []
    self.focus = focus
    view.isPanning = false
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

  private mutating func judge(_ kind: Verdict.Kind) {
    guard let shown = shownVersion else {
      message = Message("no version to judge: open a mask, or run a network (m)", .warning)
      return
    }
    if let live = shownLive, live.whole?.part.labels != shown.labels {
      message = Message("what you see is no version yet: Enter keeps it as one", .warning)
      return
    }
    let name = cleaned(shown.name)
    let verdict = Verdict(kind: kind, version: shown.id)
    if decisions.verdict == verdict {
      decide("take back \(kind.rawValue)") { $0.verdict = nil }
      message = Message("\(name) is no longer \(kind.rawValue)")
      return
    }
    decide("\(kind.rawValue) \(name)") { $0.verdict = verdict }
    message = Message(kind == .accepted ? "accepted \(name); E exports it" : "\(kind.rawValue) \(name)")
  }

  /// Writes the accepted version, or `version` where the reviewer named none to accept.
  mutating func export(
    to path: String?, version id: VersionID?, replacesExisting: Bool = false, quitsAfterwards: Bool = false
  ) -> [ReviewEffect] {
    guard jobs[.export] == nil else {
      message = Message("an export is under way", .warning)
      return []
    }
    let accepted = decisions.verdict.flatMap { $0.kind == .accepted ? $0.version : nil }
    guard let version = (id ?? accepted).flatMap({ version($0) }) else {
      message = Message("nothing is accepted yet: y accepts the version shown", .warning)
      return []
    }
    let request = ExportRequest(
      labels: version.labels, table: version.table, imagePath: content.imagePath,
      path: path ?? content.exportPath, replacesExisting: replacesExisting,
      provenance: provenance(of: version))
    let purpose = RunningJob.Purpose.export(version.id, path: request.path, quitsAfterwards: quitsAfterwards)
    return [start(.export(request), for: purpose)]
  }

  /// How a version came to be.
  package func provenance(of version: Version) -> Provenance {
    var steps: [Provenance.Step] = []
    var current: Version? = version
    while let step = current {
      switch step.origin {
      case .mask(let path):
        steps.append(.mask(path: path))
        current = nil
      case .network(let modelID, _):
        steps.append(.network(modelID: modelID))
        current = nil
      case .refinement(let earlier, let settings, let confidence):
        steps.append(.refinement(settings, maskConfidence: confidence))
        current = self.version(earlier)
      }
    }
    let verdict = decisions.verdict.flatMap { $0.version == version.id ? $0.kind.rawValue : nil }
    var merged: [LabelSelection] = []
    if case .mask(let path)? = steps.last {
      merged = content.masks.first { $0.path == path }?.merged ?? []
    }
    return Provenance(
      steps: steps.reversed(), versionName: version.name, verdict: verdict, frame: version.frame,
      merged: merged)
  }

  private mutating func undo() -> [ReviewEffect] {
    guard let step = history.past.popLast() else {
      message = Message("nothing to undo")
      return []
    }
    history.future.append(UndoHistory.Step(name: step.name, decisions: decisions))
    return restore(step.decisions, "undid: \(step.name)")
  }

  private mutating func redo() -> [ReviewEffect] {
    guard let step = history.future.popLast() else {
      message = Message("nothing to redo")
      return []
    }
    history.past.append(UndoHistory.Step(name: step.name, decisions: decisions))
    return restore(step.decisions, "redid: \(step.name)")
  }

  private mutating func restore(_ earlier: Decisions, _ text: String) -> [ReviewEffect] {
    let knobsTurn = earlier.knobs != decisions.knobs
    // Which side is looked at is not a decision.
    let side = decisions.shownSide
    decisions = earlier
    decisions.shownSide = side
    identifyStructures()
    if let base = live?.base, version(base) == nil { live = nil }
    if !decisions.versions.contains(where: { $0.id == selectedVersion }) {
      selectedVersion = decisions.versions.last?.id
    }
    message = Message(text)
    return compareIfNeeded() + (knobsTurn ? previewIfLive() : [])
  }

  /// Escape: the innermost thing first.
  private mutating func back() -> [ReviewEffect] {
    if knobEntry != nil {
      knobEntry = nil
      return []
    }
    for kind in [JobKind.export, .refinement, .segmentation, .frame] {
      guard let job = jobs[kind] else { continue }
      message = Message(job.stoppedText)
      return cancel(kind)
    }
    if view.isPanning {
      view.isPanning = false
    } else if focus != .picture {
      let wasRefining = focus == .refinement
      focus = .picture
      return wasRefining ? stopLive() : []
    } else if view.showsDifference {
      view.showsDifference = false
    }
    return []
  }

  /// Ends the session, after a question where something would be lost.
  mutating func quit(isForced: Bool = false) -> [ReviewEffect] {
    if !isForced {
      if let verdict = decisions.verdict, verdict.kind == .accepted, !exported.contains(verdict.version) {
        dialog = .question(.quitWithoutExport(verdict.version))
        return []
      }
      for kind in [JobKind.export, .refinement, .segmentation] {
        guard let title = jobs[kind]?.title else { continue }
        dialog = .question(.quitDuringJob(title: title))
        return []
      }
    }
    return end()
  }
}
