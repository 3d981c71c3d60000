import Foundation
import Journal
import Review
import Volumes

/// Reads the voxels of a journal; each record is checked when it is read.
extension JournalReading {
  /// Versions that may lack edits according to the texts.
  private var versionsInDoubt: Set<VersionID> { Set(versions.filter(\.mayLackEdit).map(\.note.id)) }

  /// Versions whose voxels or edits cannot be read.
  ///
  /// Undone edits are ignored.
  /// - Complexity: O(bytes of all voxels), which are read.
  func damagedVersions(in file: JournalFile) -> Set<VersionID> {
    var known: [VersionID: Bool] = [:]
    return Set(versions.map(\.note.id).filter { !isWhole($0, in: file, &known) })
  }

  /// Whether a version's voxels and edits can be read.
  ///
  /// Reads them and those of the versions that they are differences from.
  func isWhole(_ id: VersionID, in file: JournalFile) -> Bool {
    var known: [VersionID: Bool] = [:]
    return isWhole(id, in: file, &known)
  }

  private func isWhole(_ id: VersionID, in file: JournalFile, _ known: inout [VersionID: Bool]) -> Bool {
    guard let position = position(of: id), !versions[position].mayLackEdit,
      versions[position].rewritten != nil || isOriginalReadable(id, in: file, &known)
    else { return false }
    var walk = KnownVoxels()
    for step in steps where !isUndone(step) {
      if step.edited.contains(id) {
        _ = walk.source(of: id, after: step) { step.entry.flatMap(file.voxels(of:)) != nil }
      }
      walk.end(step)
    }
    return !walk.unknown.contains(id)
  }

  private func isOriginalReadable(
    _ id: VersionID, in file: JournalFile, _ known: inout [VersionID: Bool]
  ) -> Bool {
    if let known = known[id] { return known }
    // A version can only be a difference from an older one. A text with a cycle is wrong.
    known[id] = false
    guard let position = position(of: id) else { return false }
    let version = versions[position]
    let isReadable =
      version.original.flatMap(file.voxels(of:)) != nil
      && version.note.differsFrom.map { isOriginalReadable($0, in: file, &known) } ?? true
    known[id] = isReadable
    return isReadable
  }

  /// Whether a step was undone, and can be redone, at the end of the last session.
  private func isUndone(_ step: StoredStep) -> Bool { presentStep.map { step.number > $0 } ?? false }

  /// The original labels of a version; nil when they, or those that they are differences from, are damaged or do not
  /// fill the grid.
  ///
  /// - Parameter known: Original labels of versions that were read before.
  func originalLabels(
    of id: VersionID, on grid: VolumeGrid, in file: JournalFile,
    known: [VersionID: ChunkedLabels] = [:]
  ) -> ChunkedLabels? {
    if let labels = known[id] { return labels }
    guard let position = position(of: id) else { return nil }
    let version = versions[position]
    guard let earlier = version.note.differsFrom else {
      return labels(version.original, version, on: grid, in: file)
    }
    // A version can only be a difference from an older one, so the recursion ends.
    guard versions[..<position].contains(where: { $0.note.id == earlier }),
      let base = originalLabels(of: earlier, on: grid, in: file, known: known)
    else { return nil }
    return labels(version.original, version, against: base.voxels, on: grid, in: file)
  }

  /// The labels of a version that were written again after edits were lost; nil where there are none.
  func rewrittenLabels(of id: VersionID, on grid: VolumeGrid, in file: JournalFile) -> ChunkedLabels? {
    position(of: id).flatMap { labels(versions[$0].rewritten, versions[$0], on: grid, in: file) }
  }

  private func labels(
    _ entry: JournalFile.Entry?, _ version: StoredVersion, against base: [UInt16]? = nil,
    on grid: VolumeGrid, in file: JournalFile
  ) -> ChunkedLabels? {
    entry.flatMap(file.voxels(of:))
      .flatMap { RunLengthCoding.decode($0, count: grid.size.voxelCount, against: base) }
      .map { ChunkedLabels(LabelVolume(grid: grid, voxels: $0, coding: version.note.coding ?? .identity)) }
  }

  /// The labels of a version at the current step, with those of the versions that it was derived from.
  ///
  /// A version that is damaged is missing.
  func presentLabels(
    of id: VersionID, on grid: VolumeGrid, in file: JournalFile
  ) -> [VersionID: ChunkedLabels] {
    var labels: [VersionID: ChunkedLabels] = [:]
    var ancestor: VersionID? = id
    while let id = ancestor, labels[id] == nil {
      labels[id] = rewrittenLabels(of: id, on: grid, in: file) ?? originalLabels(of: id, on: grid, in: file)
      ancestor = labels[id] == nil ? nil : note(of: id)?.origin.base
    }
    _ = restored(in: file, &labels)
    return labels
  }

  struct RestoredHistory {
    /// The steps, oldest first.
    var steps: [JournalStep]
    /// Versions of which edits are, or may be, missing.
    ///
    /// No restored step accepts or edits them.
    var incomplete: Set<VersionID>
    /// The numbers of steps that lost edits which were undone, and must be written again without them.
    ///
    /// These steps neither make the edits nor accept their result.
    var shortened: Set<Int>
  }

  /// The history with the voxels of its edits.
  ///
  /// ``KnownVoxels`` says which edits can be restored, and from where.
  ///
  /// - Parameter labels: In: the original or rewritten labels of the versions. Out: the labels at the current step.
  func restored(in file: JournalFile, _ labels: inout [VersionID: ChunkedLabels]) -> RestoredHistory {
    var restored: [JournalStep] = []
    var walk = KnownVoxels()
    var incomplete = versionsInDoubt
    // Steps that lost edits, and of which versions.
    var lost: [(number: Int, version: VersionID)] = []
    // The labels after each step that a later one returns to.
    let targets = Set(steps.compactMap(\.note.returnsTo))
    var states: [Int: [VersionID: ChunkedLabels]] = [:]
    for step in steps {
      var result = JournalStep(
        number: step.number, name: step.note.step, decisions: step.note.decisions,
        relabellings: step.note.relabellings ?? [], returnsTo: step.note.returnsTo)
      let isEdited = !step.edited.isEmpty && !labels.isEmpty
      let voxels =
        isEdited
        ? labels.first.flatMap {
          step.note.voxels(step.entry.flatMap(file.voxels(of:)), in: $0.value.grid.size)
        }
        : nil
      for (index, edit) in step.note.changes.enumerated() where step.edited.contains(edit.version) {
        guard let before = labels[edit.version] else { continue }
        let source = walk.source(of: edit.version, after: step) { voxels != nil }
        if source != .record { lost.append((step.number, edit.version)) }
        let after: ChunkedLabels?
        switch source {
        case .record:
          after = voxels.map { voxels in
            let own = voxels[index]
            return before.setting(in: edit.box) { voxel, _ in
              own[own.startIndex + edit.box.size.offset(voxel - edit.box.lower)]
            }
          }
        case .earlierStep(let number): after = states[number]?[edit.version]
        case .none: after = nil
        }
        guard let after else { continue }
        labels[edit.version] = after
        guard let change = LabelChange(from: before, to: after) else { continue }
        result.edits.append(JournalStep.Edit(version: edit.version, change: change, labels: after))
      }
      restored.append(result)
      walk.end(step)
      if targets.contains(step.number) { states[step.number] = labels }
    }
    if let last = steps.last(where: { !isUndone($0) }) {
      incomplete.formUnion(walk.unknown(after: last.number))
    }
    // Undone steps are part of the history, but not of the labels.
    for step in restored.reversed() where step.number > presentStep ?? step.number {
      for edit in step.edits { labels[edit.version] = labels[edit.version]?.applying(edit.change.inverse) }
    }
    incomplete.formIntersection(labels.keys)
    var shortened = Set(lost.filter { !incomplete.contains($0.version) }.map(\.number))
    for position in restored.indices {
      restored[position].edits.removeAll { incomplete.contains($0.version) }
      restored[position].decisions.verdicts.withdrawAcceptance(of: incomplete)
      let accepted = restored[position].decisions.verdicts.accepted
      if let accepted, walk.unknown(after: restored[position].number).contains(accepted) {
        restored[position].decisions.verdicts.accepted = nil
        shortened.insert(restored[position].number)
      }
    }
    // Steps that lost an uncertain acceptance are written again too, which ends the uncertainty.
    if isLastDecisionLost, !shortened.isEmpty {
      shortened.formUnion(steps.map(\.number).filter { $0 >= presentStep ?? 0 })
    }
    return RestoredHistory(steps: restored, incomplete: incomplete, shortened: shortened)
  }
}

/// Keeps track, step by step, of the versions whose voxels can be restored.
///
/// The voxels of a version are known after an edit if they were known before it and the record of the edit can be read,
/// or if the step returns to an earlier step after which they were known.
private struct KnownVoxels {
  /// The source of the voxels of a version after an edit.
  enum Source: Equatable {
    /// The voxels before the edit, and the record of the edit.
    case record
    /// The voxels after an earlier step, by its number.
    case earlierStep(Int)
  }

  /// The versions whose voxels are unknown after the last step so far.
  private(set) var unknown: Set<VersionID> = []
  private var unknownByStep: [Int: Set<VersionID>] = [:]

  /// The source of the voxels of an edited version; nil where they become unknown.
  mutating func source(
    of version: VersionID, after step: JournalReading.StoredStep, isReadable: () -> Bool
  ) -> Source? {
    if !unknown.contains(version), isReadable() { return .record }
    if let target = step.note.returnsTo, unknownByStep[target]?.contains(version) == false {
      unknown.remove(version)
      return .earlierStep(target)
    }
    unknown.insert(version)
    return nil
  }

  /// Ends a step, to which later steps may return.
  mutating func end(_ step: JournalReading.StoredStep) { unknownByStep[step.number] = unknown }

  /// The versions whose voxels are unknown after a step; none where there is no such step.
  func unknown(after step: Int) -> Set<VersionID> { unknownByStep[step] ?? [] }
}

extension JournalLine.Step {
  /// The voxels of each edit from those of the record; nil where they are damaged or their number is wrong, or where a
  /// box does not lie in a grid of this size.
  fileprivate func voxels(_ record: Data?, in size: GridSize) -> [ArraySlice<UInt16>]? {
    let areBoxes = changes.allSatisfy { change in
      (0..<3).allSatisfy { change.box.lower[$0] >= 0 && change.box.lower[$0] <= change.box.upper[$0] }
        && size.contains(change.box.upper)
    }
    guard areBoxes, let record else { return nil }
    let counts = changes.map(\.box.size.voxelCount)
    guard var rest = RunLengthCoding.decode(record, count: counts.reduce(0, +))?[...] else { return nil }
    return counts.map { count in
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
  }
}
