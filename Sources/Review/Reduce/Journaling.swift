import Volumes
import Work

extension ReviewState {
  /// The entries that the journal lacks, in the order in which they must be written.
  ///
  /// The state then counts them as written.
  mutating func newJournalEntries() -> [ReviewEffect] {
    switch journal {
    case .writing, .failing: break
    case .opening, .absent: return []
    }
    guard phase != .opening, !isOnlyAhead else { return [] }
    var entries: [JournalEntry] = []
    for version in decisions.versions {
      let known = writtenJournal.tables.updateValue(version.tables, forKey: version.id)
      if known == nil {
        let original = original(of: version)
        entries.append(.version(original))
        if original.tables != version.tables { entries.append(.labels(of: version.id, version.tables)) }
      } else if known != version.tables {
        entries.append(.labels(of: version.id, version.tables))
      }
    }
    let decided = decisions.withoutVersions
    if hasSteps || decided != Decisions() { entries += newStepEntries() }
    if (history.number, decided) != (writtenJournal.step, writtenJournal.decisions) {
      (writtenJournal.step, writtenJournal.decisions) = (history.number, decided)
      entries.append(.position(step: history.number, decided))
    }
    let exported = exported
    for version in decisions.versions where writtenJournal.exported[version.id] != exported[version.id] {
      writtenJournal.exported[version.id] = exported[version.id]
      entries.append(.exported(version.id, path: exported[version.id]))
    }
    if view != writtenJournal.view {
      writtenJournal.view = view
      entries.append(.view(view))
    }
    return entries.map { .note($0) }
  }

  /// A new version with the voxels that it had before the steps that the journal lacks.
  private func original(of version: Version) -> Version {
    let last = writtenJournal.lastStep?.number ?? -1
    let known = max(0, (history.steps.firstIndex { $0.number > last } ?? history.steps.count) - 1)
    guard known < history.position else { return version }
    return history.decisions(at: known, from: decisions).versions.first { $0.id == version.id } ?? version
  }

  /// Steps that the journal lacks or has in an earlier form: consecutive changes of one knob are one step.
  private mutating func newStepEntries() -> [JournalEntry] {
    var entries: [JournalEntry] = []
    let last = writtenJournal.lastStep
    for (position, step) in history.steps.enumerated()
    where step.number > last?.number ?? -1 || step.number == last?.number && step != last {
      let state = history.decisions(at: position, from: decisions)
      let edits = step.change.edits.compactMap { edit in
        state.versions.first { $0.id == edit.version }.map {
          JournalStep.Edit(version: edit.version, change: edit.change, labels: $0.labels)
        }
      }
      let decided = state.withoutVersions
      entries.append(
        .step(
          JournalStep(
            number: step.number, name: step.name, decisions: decided,
            relabellings: step.change.relabellings, edits: edits, returnsTo: step.returnsTo)))
      (writtenJournal.lastStep, writtenJournal.step, writtenJournal.decisions) = (step, step.number, decided)
    }
    return entries
  }

  /// Shows a message when the journal cannot be written, and when it can be written again.
  /// - Parameter line: The reason in one line; nil when it can be written.
  mutating func noteJournalFailure(_ line: String?) {
    if let line {
      journal = .failing(line)
      message = Message("not journalled: \(line); the review continues without it", .error)
    } else {
      journal = .writing
      message = Message("the journal is written again")
    }
  }

  /// Restores the contents of the journal.
  ///
  /// Its versions are added to the present ones. Decisions are joined with those that were made since the case was
  /// opened, and the view is restored unless it was changed.
  mutating func restoreJournal(_ opened: OpenedJournal) -> [ReviewEffect] {
    journal = opened.status
    journalDecisionSeconds = opened.decisionSeconds
    let hasEarlySteps = hasSteps
    noteEarlyVerdicts()
    let hasNewMask = opened.knownMasks.count < content.masks.count
    let openedCount = min(content.masks.count, decisions.versions.count)
    for position in 0..<openedCount {
      guard let id = opened.knownMasks[position] else { continue }
      renumbered[decisions.versions[position].id] = id
    }
    join(opened.versions, known: Set(opened.knownMasks.values))
    if let standing = opened.decisions ?? opened.steps.last?.decisions {
      let earlier = restoredHistory(opened)
      var restored = standing.limited(to: decisions.versions)
      // Decisions about lost versions stay in the journal until the next decision.
      writtenJournal.decisions = restored
      restored.versions = decisions.versions
      // An incomplete version is not the one that was accepted.
      restored.verdicts.withdrawAcceptance(of: opened.incompleteVersions)
      // Other masks were asked for than those between which the earlier session chose.
      let asked = history.decisions(at: 0, from: decisions)
      if asked.a != nil, hasNewMask || !opened.isOfTheseMasks || restored.a == nil && restored.b == nil {
        (restored.a, restored.b, restored.shownSide) = (asked.a, asked.b, decisions.shownSide)
      }
      if !hasEarlySteps {
        decisions = restored
        history = earlier
      } else {
        repeatOwnSteps(after: earlier, restored)
      }
      (writtenJournal.lastStep, writtenJournal.step) = (earlier.steps.last, earlier.number)
    }
    identifyStructures()
    for version in opened.versions {
      writtenJournal.tables[version.id] = self.version(version.id).map {
        LabelTables(own: version.ownTable, shown: $0.table)
      }
    }
    for (id, path) in opened.exported where !opened.incompleteVersions.contains(id) && files[id] == nil {
      files[id] = version(id).map { WrittenVersion(path: path, version: $0) }
    }
    writtenJournal.exported = opened.exported
    for version in opened.versions where !opened.incompleteVersions.contains(version.id) {
      restoredVersions[version.id] = self.version(version.id)
    }
    var effects: [ReviewEffect] = []
    if let restored = opened.view {
      writtenJournal.view = restored
      if view == viewAtOpening { effects += restore(restored) }
    }
    let announced = announcement
    endAnnouncement()
    let text = restorationText(opened)
    let readsFrame = effects.contains {
      if case .start(_, let job) = $0 { job.kind == .frame } else { false }
    }
    if opened.warning != nil || readsFrame || message == nil || message?.kind == .note {
      if let text { message = Message(text, opened.warning == nil ? .note : .warning) }
    } else if let text, let earlier = message {
      message = Message(text + "; " + earlier.text, earlier.kind)
    }
    if let announced { announce(announced.text, announced.kind) }
    return effects + compareIfNeeded()
  }

  /// Whether anything was decided in this session or restored, so that the history has more than its first state.
  private var hasSteps: Bool { history.steps.count > 1 }

  /// Remembers what was decided before the journal was read, which is later than all that is stored about the case.
  mutating func noteEarlyVerdicts() {
    if hasSteps { earlyVerdicts = decisions.verdicts }
  }

  /// Sets restored decisions and their history, then repeats the steps of this session that were decided before.
  private mutating func repeatOwnSteps(after earlier: UndoHistory, _ restored: Decisions) {
    let own = history
    let states = own.steps.indices.map { own.decisions(at: $0, from: decisions) }
    history = earlier
    decisions = restored
    decisions.versions = states[0].versions
    for (step, state) in zip(own.steps, states).dropFirst() {
      var next = state.joined(with: restored, since: states[0])
      next.versions = decisions.versions
      var change = DecisionChange(from: decisions, to: next)
      for edit in step.change.edits { change.add(edit.change, of: edit.version) }
      for relabelling in step.change.relabellings {
        let owner = decisions.versions.first { $0.family == relabelling.family }
        guard let before = owner?.ownTable[relabelling.before.value] else { continue }
        change.add(
          DecisionChange.Relabelling(family: relabelling.family, before: before, after: relabelling.after))
      }
      history.record(step.name, change, from: decisions)
      change.apply(to: &decisions)
    }
    decisions = history.move(to: history.steps.count - own.steps.count + own.position, from: decisions)
    // The side that is shown is not part of a step.
    decisions.shownSide = states[own.position].joined(with: restored, since: states[0]).shownSide
  }

  /// Earlier decisions as steps of this session, without those that concern only lost versions.
  private func restoredHistory(_ opened: OpenedJournal) -> UndoHistory {
    var steps: [UndoHistory.Step] = []
    var known: Decisions?
    var position: Int?
    for step in opened.steps {
      var decided = step.decisions.limited(to: decisions.versions)
      decided.versions = decisions.versions
      var change = known.map { DecisionChange(from: $0, to: decided) } ?? DecisionChange()
      for relabelling in step.relabellings { change.add(relabelling) }
      for edit in step.edits where version(edit.version) != nil { change.add(edit.change, of: edit.version) }
      if known == nil || !change.isEmpty {
        steps.append(
          UndoHistory.Step(name: step.name, change: change, number: step.number, returnsTo: step.returnsTo))
      }
      if step.number == opened.step { position = steps.count - 1 }
      known = decided
    }
    guard !steps.isEmpty else { return UndoHistory() }
    return UndoHistory(steps: steps, position: position, lastNumber: opened.steps.last?.number)
  }

  /// Inserts restored versions before those of this session, without opened masks that are among them.
  ///
  /// A name is that of the file that has it now: an earlier mask with the name of an opened one is listed as "NAME as
  /// reviewed".
  /// - Parameter opened: The restored versions that are opened masks.
  private mutating func join(_ restored: [Version], known opened: Set<VersionID>) {
    let known = Set(restored.map(\.id))
    let names = renumbered
    var restored = restored
    var used = Set(restored.map(\.name))
    let current = Set(
      restored.filter { opened.contains($0.id) }.map(\.name)
        + decisions.versions.prefix(content.masks.count).filter { names[$0.id] == nil }.map(\.name))
    for position in restored.indices where current.contains(restored[position].name) {
      guard case .mask = restored[position].origin, !opened.contains(restored[position].id) else { continue }
      let name = restored[position].name
      let reviewed = name + " as reviewed"
      restored[position].name =
        used.contains(reviewed)
        ? (2...).lazy.map { "\(reviewed) \($0)" }.first { !used.contains($0) } ?? reviewed : reviewed
      used.insert(restored[position].name)
      // The records have the version under its name.
      recordedNames[restored[position].id] = name
    }
    used = Set(restored.map(\.name))
    var refinements = restored.count { if case .refinement = $0.origin { true } else { false } }
    let own = decisions.versions.filter { names[$0.id] == nil && !known.contains($0.id) }.map { version in
      var version = version
      // It was created before the journal was read, so its number follows the restored ones.
      if case .refinement = version.origin {
        refinements += 1
        if used.contains(version.name) { version.name = "CRF \(refinements)" }
      }
      if used.contains(version.name) {
        version.name =
          (2...).lazy.map { "\(version.name) \($0)" }.first { !used.contains($0) } ?? version.name
      }
      used.insert(version.name)
      version.family = names[version.family] ?? version.family
      if case .refinement(let base, let settings, let confidence) = version.origin, let id = names[base] {
        version.origin = .refinement(of: id, settings: settings, maskConfidence: confidence)
      }
      if case .edit(let base) = version.origin, let id = names[base] { version.origin = .edit(of: id) }
      return version
    }
    let versions = restored + own
    let steps = history.steps.indices.map { history.decisions(at: $0, from: decisions).renumbered(names) }
    decisions = decisions.renumbered(names)
    decisions.versions = versions
    history = UndoHistory(
      steps: zip(history.steps, steps).enumerated().map { position, step in
        var (before, after) = (steps[max(0, position - 1)], step.1)
        (before.versions, after.versions) = (versions, versions)
        var change = DecisionChange(from: before, to: after)
        for edit in step.0.change.edits { change.add(edit.change, of: names[edit.version] ?? edit.version) }
        for var relabelling in step.0.change.relabellings {
          relabelling.family = names[relabelling.family] ?? relabelling.family
          change.add(relabelling)
        }
        return UndoHistory.Step(name: step.0.name, change: change, number: step.0.number)
      }, position: history.position)
    selectedVersion = selectedVersion.map { names[$0] ?? $0 }
    files = Dictionary(files.map { (names[$0] ?? $0, $1) }) { first, _ in first }
    automaticPairings = automaticPairings.map { $0.renumbered(names) }
    askedPairings = Set(askedPairings.map { Set($0.map { names[$0] ?? $0 }) })
    refinementCount = max(refinementCount, refinements)
    nextVersionNumber = max(nextVersionNumber, (known.map(\.number).max() ?? 0) + 1)
  }

  /// Restores the view of an earlier session, limited to this image and screen.
  private mutating func restore(_ earlier: ViewState) -> [ReviewEffect] {
    view = earlier
    isOverlayStyleChosen = true
    view.frame = content.frame
    view.isPanning = false
    if !(view.zoom.isFinite && (1...40).contains(view.zoom)) { view.zoom = 1 }
    if !(0.1...1).contains(view.overlay.opacity) { view.overlay.opacity = ViewState().overlay.opacity }
    for axis in 0..<3 {
      let centre = view.centre[axis].isFinite ? view.centre[axis] : 0
      view.centre[axis] = min(max(0, centre), Double(grid.size[axis] - 1))
    }
    moveCrosshair(to: earlier.crosshair)
    return (0..<content.frameCount).contains(earlier.frame) && content.frameCount > 1
      ? goTo(frame: earlier.frame) : []
  }

  /// "restored 3 versions from 14:46; WARNING"; nil when there is nothing to say.
  private func restorationText(_ opened: OpenedJournal) -> String? {
    var parts: [String] = []
    let count = opened.versions.count - opened.knownMasks.count
    let time = opened.time.map { " from \($0)" } ?? ""
    if count > 0 {
      parts.append("restored \(counted(count, "version"))\(time)")
    } else if opened.steps.count > 1 {
      parts.append("restored what was decided\(time)")
    } else if let earlier = opened.view, earlier != viewAtOpening {
      parts.append("restored the view\(time)")
    }
    if let warning = opened.warning { parts.append(warning) }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// The edited versions, and the accepted one, that neither the journal nor a file holds, because nothing can be written
  /// to the journal.
  ///
  /// Where writing fails, versions that were written before count too.
  var unkeptVersions: [Version] {
    switch journal {
    case .opening, .writing: return []
    case .failing, .absent: break
    }
    return presentVersions.filter { version in
      switch version.origin {
      case .mask: return false
      case .edit: break
      case .network, .refinement: if decisions.verdicts.accepted != version.id { return false }
      }
      let isRestored = restoredVersions[version.id].map { version.isWritten(like: $0) } ?? false
      return !isRestored && exported[version.id] == nil
    }
  }

  /// The reason why changes are not in the journal on disk; nil when all changes are, or there are none.
  var unwrittenJournalReason: String? {
    let hasChanges = hasSteps || decisions.versions.count > content.masks.count
    switch journal {
    case .writing: return nil
    case .failing(let reason), .absent(let reason): return hasChanges ? reason : nil
    case .opening: return hasChanges ? "the journal is still being opened" : nil
    }
  }
}

extension Decisions {
  fileprivate var withoutVersions: Decisions {
    var alone = self
    alone.versions = []
    return alone
  }

  /// The decisions with version numbers replaced; numbers without an entry stay.
  package func renumbered(_ numbers: [VersionID: VersionID]) -> Decisions {
    var own = self
    own.a = a.map { numbers[$0] ?? $0 }
    own.b = b.map { numbers[$0] ?? $0 }
    own.pairings = pairings.map { $0.renumbered(numbers) }
    own.verdicts.accepted = verdicts.accepted.map { numbers[$0] ?? $0 }
    own.verdicts.rejected = Set(verdicts.rejected.map { numbers[$0] ?? $0 })
    return own
  }

  /// These decisions joined with those of the journal, field by field: a field that this session changed since
  /// `opening` is kept, any other is taken from `restored`.
  package func joined(with restored: Decisions, since opening: Decisions) -> Decisions {
    var joined = self
    func keepRestored<Value: Equatable>(_ field: WritableKeyPath<Decisions, Value>) {
      if self[keyPath: field] == opening[keyPath: field] { joined[keyPath: field] = restored[keyPath: field] }
    }
    if a == opening.a, b == opening.b, restored.a != nil {
      (joined.a, joined.b, joined.shownSide) = (restored.a, restored.b, restored.shownSide)
    }
    keepRestored(\.pairings)
    keepRestored(\.hiddenLabels)
    keepRestored(\.soloLabel)
    keepRestored(\.knobs)
    keepRestored(\.verdicts.accepted)
    keepRestored(\.verdicts.rejected)
    keepRestored(\.verdicts.isCaseRejected)
    keepRestored(\.verdicts.isFlagged)
    keepRestored(\.verdicts.needsWork)
    keepRestored(\.verdicts.score)
    keepRestored(\.verdicts.comment)
    keepRestored(\.verdicts.tags)
    if let accepted = joined.verdicts.accepted, joined.verdicts.rejected.contains(accepted) {
      // The later of the two decisions counts.
      if verdicts.accepted == accepted {
        joined.verdicts.rejected.remove(accepted)
      } else {
        joined.verdicts.accepted = nil
      }
    }
    joined.verdicts.settle(own: verdicts)
    return joined
  }

  /// The decisions without those about versions that are not among `versions`.
  package func limited(to versions: [Version]) -> Decisions {
    let known = Set(versions.map(\.id))
    var own = self
    own.a = a.flatMap { known.contains($0) ? $0 : nil }
    own.b = b.flatMap { known.contains($0) ? $0 : nil }
    if own.a == nil { (own.a, own.b) = (own.b, nil) }
    if own.b == nil { own.shownSide = .a }
    // The version that was shown is lost, so the newest remaining one is shown.
    if own.a == nil, a ?? b != nil { own.a = versions.last?.id }
    own.pairings = pairings.filter { known.contains($0.older) && known.contains($0.newer) }
    own.verdicts.accepted = verdicts.accepted.flatMap { known.contains($0) ? $0 : nil }
    own.verdicts.rejected.formIntersection(known)
    return own
  }
}

extension LabelPairing {
  /// The pairing with family numbers replaced; numbers without an entry stay.
  fileprivate func renumbered(_ numbers: [VersionID: VersionID]) -> LabelPairing {
    LabelPairing(
      numbers[older] ?? older, numbers[newer] ?? newer, partners: partners, isConfirmed: isConfirmed)
  }
}
