import Volumes
import Work

extension ReviewState {
  /// What the journal does not know yet, in the order in which it must be kept; it counts as known from now on.
  mutating func journalNews() -> [ReviewEffect] {
    switch journal {
    case .writing, .failing: break
    case .opening, .absent: return []
    }
    guard phase != .opening else { return [] }
    var news: [JournalEntry] = []
    for version in decisions.versions {
      let known = journalled.tables.updateValue(version.tables, forKey: version.id)
      if known == nil {
        let made = asMade(version)
        news.append(.version(made))
        if made.tables != version.tables { news.append(.labels(of: version.id, version.tables)) }
      } else if known != version.tables {
        news.append(.labels(of: version.id, version.tables))
      }
    }
    let decided = decisions.withoutVersions
    if history.steps.count > 1 || decided != Decisions() { news += stepNews() }
    if (history.number, decided) != (journalled.step, journalled.decisions) {
      (journalled.step, journalled.decisions) = (history.number, decided)
      news.append(.stands(step: history.number, decided))
    }
    let exported = exported
    for version in decisions.versions where journalled.exported[version.id] != exported[version.id] {
      journalled.exported[version.id] = exported[version.id]
      news.append(.exported(version.id, path: exported[version.id]))
    }
    if view != journalled.view {
      journalled.view = view
      news.append(.looked(view))
    }
    return news.map { .note($0) }
  }

  /// A version that the journal does not hold, with the voxels that it had before the steps that the journal does not hold
  /// either.
  private func asMade(_ version: Version) -> Version {
    let last = journalled.lastStep?.number ?? -1
    let known = max(0, (history.steps.firstIndex { $0.number > last } ?? history.steps.count) - 1)
    guard known < history.position else { return version }
    return history.decisions(at: known, from: decisions).versions.first { $0.id == version.id } ?? version
  }

  /// Steps that the journal does not hold, or holds otherwise: turns of one knob are one step.
  private mutating func stepNews() -> [JournalEntry] {
    var news: [JournalEntry] = []
    let last = journalled.lastStep
    for (position, step) in history.steps.enumerated()
    where step.number > last?.number ?? -1 || step.number == last?.number && step != last {
      let state = history.decisions(at: position, from: decisions)
      let edits = step.change.edits.compactMap { edit in
        state.versions.first { $0.id == edit.version }.map {
          JournalStep.Edit(version: edit.version, change: edit.change, labels: $0.labels)
        }
      }
      let decided = state.withoutVersions
      news.append(
        .step(
          JournalStep(
            number: step.number, name: step.name, decisions: decided,
            relabellings: step.change.relabellings, edits: edits, returnsTo: step.returnsTo)))
      (journalled.lastStep, journalled.step, journalled.decisions) = (step, step.number, decided)
    }
    return news
  }

  /// Says that the journal cannot be written, or that it can again.
  mutating func noteJournalFailure(_ line: String?) {
    if let line {
      journal = .failing(line)
      message = Message("not journalled: \(line); work goes on in memory", .error)
    } else {
      journal = .writing
      message = Message("the journal is written again")
    }
  }

  /// Takes what the journal held: versions join those at hand; decisions and view come back where the reviewer has not
  /// decided or moved in the meantime.
  mutating func takeJournal(_ opened: OpenedJournal) -> [ReviewEffect] {
    journal = opened.status
    let isUndecided = history.steps.count == 1
    let hasNewMask = opened.knownMasks.count < content.masks.count
    let openedCount = min(content.masks.count, decisions.versions.count)
    for position in 0..<openedCount {
      guard let id = opened.knownMasks[position] else { continue }
      renumbered[decisions.versions[position].id] = id
    }
    join(opened.versions)
    if let standing = opened.decisions ?? opened.steps.last?.decisions {
      let earlier = restoredHistory(opened)
      var restored = standing.limited(to: decisions.versions)
      // What was decided about versions that are lost stays in the journal until something else is decided.
      journalled.decisions = restored
      restored.versions = decisions.versions
      // What was accepted is not what is left.
      restored.verdicts.withdrawAcceptance(of: opened.incompleteVersions)
      if isUndecided {
        if hasNewMask || restored.a == nil && restored.b == nil {
          (restored.a, restored.b, restored.shownSide) = (decisions.a, decisions.b, decisions.shownSide)
        }
        decisions = restored
        history = earlier
      } else {
        repeatOwnSteps(behind: earlier, restored)
      }
      (journalled.lastStep, journalled.step) = (earlier.steps.last, earlier.number)
    }
    identifyStructures()
    for version in opened.versions {
      journalled.tables[version.id] = self.version(version.id).map {
        LabelTables(own: version.ownTable, shown: $0.table)
      }
    }
    for (id, path) in opened.exported where !opened.incompleteVersions.contains(id) && files[id] == nil {
      files[id] = version(id).map { WrittenVersion(path: path, version: $0) }
    }
    journalled.exported = opened.exported
    var effects: [ReviewEffect] = []
    if let restored = opened.view {
      journalled.view = restored
      if view == viewAtOpening { effects += look(as: restored) }
    }
    let text = restorationText(opened)
    let readsFrame = effects.contains {
      if case .start(_, let job) = $0 { job.kind == .frame } else { false }
    }
    if opened.warning != nil || readsFrame || message == nil || message?.kind == .note {
      if let text { message = Message(text, opened.warning == nil ? .note : .warning) }
    } else if let text, let earlier = message {
      message = Message(text + "; " + earlier.text, earlier.kind)
    }
    return effects + compareIfNeeded()
  }

  /// Takes restored decisions and their history, and behind them, step by step, what was decided before they were there.
  private mutating func repeatOwnSteps(behind earlier: UndoHistory, _ restored: Decisions) {
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
    history.move(to: history.steps.count - own.steps.count + own.position, &decisions)
    // Which side is looked at is no part of a step.
    decisions.shownSide = states[own.position].joined(with: restored, since: states[0]).shownSide
  }

  /// Earlier decisions as steps of this session; those that changed nothing that is left are none.
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

  /// Puts restored versions before those that this session made; masks that are among them are not doubled.
  private mutating func join(_ restored: [Version]) {
    let known = Set(restored.map(\.id))
    let names = renumbered
    var taken = Set(restored.map(\.name))
    var refinements = restored.count { if case .refinement = $0.origin { true } else { false } }
    let own = decisions.versions.filter { names[$0.id] == nil && !known.contains($0.id) }.map { version in
      var version = version
      // Made before the journal was read: it counts on from the restored ones.
      if case .refinement = version.origin {
        refinements += 1
        if taken.contains(version.name) { version.name = "CRF \(refinements)" }
      }
      if taken.contains(version.name) {
        version.name =
          (2...).lazy.map { "\(version.name) \($0)" }.first { !taken.contains($0) } ?? version.name
      }
      taken.insert(version.name)
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
    settledPairings = settledPairings.map { $0.renumbered(names) }
    askedPairings = Set(askedPairings.map { Set($0.map { names[$0] ?? $0 }) })
    refinementCount = max(refinementCount, refinements)
    nextVersionNumber = max(nextVersionNumber, (known.map(\.number).max() ?? 0) + 1)
  }

  /// Looks as in an earlier session, as far as this image and screen allow.
  private mutating func look(as earlier: ViewState) -> [ReviewEffect] {
    view = earlier
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

  /// Why something that happened is not on the disk; nil when everything is, or nothing happened.
  var unjournalledReason: String? {
    let hasNews = history.steps.count > 1 || decisions.versions.count > content.masks.count
    switch journal {
    case .writing: return nil
    case .failing(let reason), .absent(let reason): return hasNews ? reason : nil
    case .opening: return hasNews ? "the journal is still being opened" : nil
    }
  }
}

extension Decisions {
  /// The same without versions.
  fileprivate var withoutVersions: Decisions {
    var alone = self
    alone.versions = []
    return alone
  }

  /// The same about versions under other numbers.
  fileprivate func renumbered(_ numbers: [VersionID: VersionID]) -> Decisions {
    var own = self
    own.a = a.map { numbers[$0] ?? $0 }
    own.b = b.map { numbers[$0] ?? $0 }
    own.pairings = pairings.map { $0.renumbered(numbers) }
    own.verdicts.accepted = verdicts.accepted.map { numbers[$0] ?? $0 }
    own.verdicts.rejected = Set(verdicts.rejected.map { numbers[$0] ?? $0 })
    return own
  }

  /// These decisions where they differ from those at the `opening`, else the `restored` ones.
  fileprivate func joined(with restored: Decisions, since opening: Decisions) -> Decisions {
    var joined = self
    func take<Value: Equatable>(_ field: WritableKeyPath<Decisions, Value>) {
      if self[keyPath: field] == opening[keyPath: field] { joined[keyPath: field] = restored[keyPath: field] }
    }
    if a == opening.a, b == opening.b, restored.a != nil {
      (joined.a, joined.b, joined.shownSide) = (restored.a, restored.b, restored.shownSide)
    }
    take(\.pairings)
    take(\.hiddenLabels)
    take(\.soloLabel)
    take(\.knobs)
    take(\.verdicts.accepted)
    take(\.verdicts.rejected)
    take(\.verdicts.isFlagged)
    take(\.verdicts.needsWork)
    take(\.verdicts.score)
    take(\.verdicts.comment)
    take(\.verdicts.tags)
    if let accepted = joined.verdicts.accepted, joined.verdicts.rejected.contains(accepted) {
      // Which of the two was said last.
      if verdicts.accepted == accepted {
        joined.verdicts.rejected.remove(accepted)
      } else {
        joined.verdicts.accepted = nil
      }
    }
    if joined.verdicts.accepted != nil, joined.verdicts.needsWork {
      if verdicts.needsWork {
        joined.verdicts.accepted = nil
      } else {
        joined.verdicts.needsWork = false
      }
    }
    return joined
  }

  /// The same about those versions that there are.
  fileprivate func limited(to versions: [Version]) -> Decisions {
    let known = Set(versions.map(\.id))
    var own = self
    own.a = a.flatMap { known.contains($0) ? $0 : nil }
    own.b = b.flatMap { known.contains($0) ? $0 : nil }
    if own.a == nil { (own.a, own.b) = (own.b, nil) }
    if own.b == nil { own.shownSide = .a }
    // What was shown is lost: the newest that is left is better than nothing.
    if own.a == nil, a ?? b != nil { own.a = versions.last?.id }
    own.pairings = pairings.filter { known.contains($0.older) && known.contains($0.newer) }
    own.verdicts.accepted = verdicts.accepted.flatMap { known.contains($0) ? $0 : nil }
    own.verdicts.rejected.formIntersection(known)
    return own
  }
}

extension LabelPairing {
  /// The same about families under other numbers.
  fileprivate func renumbered(_ numbers: [VersionID: VersionID]) -> LabelPairing {
    LabelPairing(numbers[older] ?? older, numbers[newer] ?? newer, partners: partners)
  }
}
