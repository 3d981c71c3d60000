import Foundation
import Journal
import Review
import Volumes

/// Reads the voxels of a journal; each record is checked when it is read.
extension JournalReading {
  /// Versions that may lack edits according to the texts.
  private var versionsInDoubt: Set<VersionID> { Set(versions.filter(\.mayLackChange).map(\.note.id)) }

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
    guard let position = position(of: id), !versions[position].mayLackChange,
      versions[position].anew != nil || isReadableAsMade(id, in: file, &known)
    else { return false }
    // The steps behind which its voxels are known; a step back to one of these needs no voxels of its own.
    var (isKnown, knownSteps) = (true, Set<Int>())
    for step in steps where !isUndone(step) {
      if step.edited.contains(id) {
        isKnown =
          step.note.returnsTo.map(knownSteps.contains) == true
          || isKnown && step.entry.flatMap(file.voxels(of:)) != nil
      }
      if isKnown { knownSteps.insert(step.number) }
    }
    return isKnown
  }

  private func isReadableAsMade(
    _ id: VersionID, in file: JournalFile, _ known: inout [VersionID: Bool]
  ) -> Bool {
    if let known = known[id] { return known }
    // A version can only be a difference from an older one. A text with a cycle is wrong.
    known[id] = false
    guard let position = position(of: id) else { return false }
    let version = versions[position]
    let isReadable =
      version.made.flatMap(file.voxels(of:)) != nil
      && version.note.differsFrom.map { isReadableAsMade($0, in: file, &known) } ?? true
    known[id] = isReadable
    return isReadable
  }

  /// Whether a step was undone, and can be redone, at the end of the last session.
  private func isUndone(_ step: StoredStep) -> Bool { reached.map { step.number > $0 } ?? false }

  /// The original labels of a version; nil when they, or those that they are differences from, are damaged or do not
  /// fill the grid.
  ///
  /// - Parameter known: Original labels of versions that were read before.
  func labelsAsMade(
    of id: VersionID, on grid: VolumeGrid, in file: JournalFile,
    known: [VersionID: ChunkedLabels] = [:]
  ) -> ChunkedLabels? {
    if let labels = known[id] { return labels }
    guard let position = position(of: id) else { return nil }
    let version = versions[position]
    guard let earlier = version.note.differsFrom else {
      return labels(version.made, version, on: grid, in: file)
    }
    // A version can only be a difference from an older one, so the recursion ends.
    guard versions[..<position].contains(where: { $0.note.id == earlier }),
      let base = labelsAsMade(of: earlier, on: grid, in: file, known: known)
    else { return nil }
    return labels(version.made, version, against: base.voxels, on: grid, in: file)
  }

  /// The labels of a version that were written again after edits were lost; nil where there are none.
  func labelsAnew(of id: VersionID, on grid: VolumeGrid, in file: JournalFile) -> ChunkedLabels? {
    position(of: id).flatMap { labels(versions[$0].anew, versions[$0], on: grid, in: file) }
  }

  private func labels(
    _ entry: JournalFile.Entry?, _ version: StoredVersion, against base: [UInt16]? = nil,
    on grid: VolumeGrid, in file: JournalFile
  ) -> ChunkedLabels? {
    entry.flatMap(file.voxels(of:))
      .flatMap { RunLengthCoding.decode($0, count: grid.size.voxelCount, against: base) }
      .map { ChunkedLabels(LabelVolume(grid: grid, voxels: $0, coding: version.note.coding ?? .identity)) }
  }

  /// The restored history.
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
  /// Behind an edit that cannot be read, the voxels of its version are unknown, up to a step back to a known state.
  ///
  /// - Parameter labels: In: the original or rewritten labels of the versions. Out: the labels at the present step.
  func restored(in file: JournalFile, _ labels: inout [VersionID: ChunkedLabels]) -> RestoredHistory {
    var restored: [JournalStep] = []
    // Versions whose voxels are unknown; the same behind each step, and at the one that was reached.
    var (unknown, unknownBehind) = (Set<VersionID>(), [Set<VersionID>]())
    var incomplete = versionsInDoubt
    // Steps that lost changes, and of which versions.
    var lost: [(number: Int, version: VersionID)] = []
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
      for (place, edit) in step.note.changes.enumerated() where step.edited.contains(edit.version) {
        guard let before = labels[edit.version] else { continue }
        let after: ChunkedLabels
        if let own = voxels?[place], !unknown.contains(edit.version) {
          after = before.setting(in: edit.box) { voxel, _ in
            own[own.startIndex + edit.box.size.offset(voxel - edit.box.lower)]
          }
        } else if let known = step.note.returnsTo.flatMap({ states[$0]?[edit.version] }) {
          after = known
          unknown.remove(edit.version)
          lost.append((step.number, edit.version))
        } else {
          unknown.insert(edit.version)
          lost.append((step.number, edit.version))
          continue
        }
        labels[edit.version] = after
        guard let change = LabelChange(from: before, to: after) else { continue }
        result.edits.append(JournalStep.Edit(version: edit.version, change: change, labels: after))
      }
      restored.append(result)
      unknownBehind.append(unknown)
      if targets.contains(step.number) { states[step.number] = labels.filter { !unknown.contains($0.key) } }
    }
    if let last = steps.lastIndex(where: { !isUndone($0) }) { incomplete.formUnion(unknownBehind[last]) }
    // Undone steps are part of the history, but not of the labels.
    for step in restored.reversed() where step.number > reached ?? step.number {
      for edit in step.edits { labels[edit.version] = labels[edit.version]?.applying(edit.change.inverse) }
    }
    incomplete.formIntersection(labels.keys)
    var shortened = Set(lost.filter { !incomplete.contains($0.version) }.map(\.number))
    for position in restored.indices {
      restored[position].edits.removeAll { incomplete.contains($0.version) }
      restored[position].decisions.verdicts.withdrawAcceptance(of: incomplete)
      let accepted = restored[position].decisions.verdicts.accepted
      if let accepted, unknownBehind[position].contains(accepted) {
        restored[position].decisions.verdicts.accepted = nil
        shortened.insert(restored[position].number)
      }
    }
    // Steps that lost an uncertain acceptance are written again too, which ends the uncertainty.
    if isLastDecisionLost, !shortened.isEmpty {
      shortened.formUnion(steps.map(\.number).filter { $0 >= reached ?? 0 })
    }
    return RestoredHistory(steps: restored, incomplete: incomplete, shortened: shortened)
  }
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
