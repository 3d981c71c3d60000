import Foundation
import Journal
import Review
import Volumes

/// The voxels of a journal, each record checked when it is read.
extension JournalReading {
  /// Versions that may lack changes by hand by what the texts say.
  private var versionsInDoubt: Set<VersionID> { Set(versions.filter(\.mayLackChange).map(\.note.id)) }

  /// Versions whose voxels, or whose changes of voxels, cannot be read; reads all of them.
  func damagedVersions(in file: JournalFile) -> Set<VersionID> {
    var (intact, damaged) = (Set<VersionID>(), versionsInDoubt)
    for version in versions {
      if version.note.differsFrom.map(intact.contains) ?? true,
        version.made.flatMap(file.voxels(of:)) != nil
      {
        intact.insert(version.note.id)
      } else if version.anew == nil {
        damaged.insert(version.note.id)
      }
    }
    for step in steps where !step.edited.isEmpty && step.entry.flatMap(file.voxels(of:)) == nil {
      damaged.formUnion(step.edited)
    }
    return damaged
  }

  /// The labels of a version as it was made; nil when they, or those that they differ from, are damaged or make another
  /// number.
  ///
  /// - Parameter known: Labels of versions, as they were made, that were read before.
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
    // A version can only differ from an older one, so that this comes to an end.
    guard versions[..<position].contains(where: { $0.note.id == earlier }),
      let base = labelsAsMade(of: earlier, on: grid, in: file, known: known)
    else { return nil }
    return labels(version.made, version, against: base.voxels, on: grid, in: file)
  }

  /// The labels of a version that were written anew behind changes by hand; nil where there are none.
  func labelsAnew(of id: VersionID, on grid: VolumeGrid, in file: JournalFile) -> ChunkedLabels? {
    position(of: id).flatMap { labels(versions[$0].anew, versions[$0], on: grid, in: file) }
  }

  private func labels(
    _ entry: JournalFile.Entry?, _ version: StoredVersion, against base: [UInt16]? = nil,
    on grid: VolumeGrid, in file: JournalFile
  ) -> ChunkedLabels? {
    entry.flatMap(file.voxels(of:))
      .flatMap { LabelRuns.decode($0, count: grid.size.voxelCount, against: base) }
      .map { ChunkedLabels(LabelVolume(grid: grid, voxels: $0, coding: version.note.coding ?? .identity)) }
  }

  /// What was done, step by step, oldest first, and the versions of which changes by hand are, or may be, missing: no step
  /// accepts or changes them.
  ///
  /// - Parameter labels: Those of the versions as they were made, or written anew; becomes those at the step that was
  ///   reached.
  func restored(
    in file: JournalFile, _ labels: inout [VersionID: ChunkedLabels]
  ) -> (steps: [JournalStep], incomplete: Set<VersionID>) {
    var incomplete = versionsInDoubt
    var restored = steps.map { step in
      var result = JournalStep(
        number: step.number, name: step.note.step, decisions: step.note.decisions,
        relabellings: step.note.relabellings ?? [])
      guard let size = labels.first?.value.grid.size, !step.edited.isEmpty else { return result }
      let voxels = step.note.voxels(step.entry.flatMap(file.voxels(of:)), in: size)
      for (place, edit) in step.note.changes.enumerated() where step.edited.contains(edit.version) {
        guard let before = labels[edit.version] else { continue }
        guard let own = voxels?[place] else {
          incomplete.insert(edit.version)
          continue
        }
        let after = before.setting(in: edit.box) { voxel, _ in
          own[own.startIndex + edit.box.size.offset(voxel - edit.box.lower)]
        }
        labels[edit.version] = after
        guard let change = LabelChange(from: before, to: after) else { continue }
        result.edits.append(JournalStep.Edit(version: edit.version, change: change, labels: after))
      }
      return result
    }
    // Undone steps are in the history, but not in the labels.
    for step in restored.reversed() where step.number > reached ?? step.number {
      for edit in step.edits { labels[edit.version] = labels[edit.version]?.applying(edit.change.inverse) }
    }
    incomplete.formIntersection(labels.keys)
    for position in restored.indices {
      restored[position].edits.removeAll { incomplete.contains($0.version) }
      restored[position].decisions.verdicts.withdrawAcceptance(of: incomplete)
    }
    return (restored, incomplete)
  }
}

extension JournalLine.Step {
  /// The voxels of each of its changes from those of its record; nil where they are damaged or make another number, or
  /// where a box is none of a grid of this size.
  fileprivate func voxels(_ record: Data?, in size: GridSize) -> [ArraySlice<UInt16>]? {
    let areBoxes = changes.allSatisfy { change in
      (0..<3).allSatisfy { change.box.lower[$0] >= 0 && change.box.lower[$0] <= change.box.upper[$0] }
        && size.contains(change.box.upper)
    }
    guard areBoxes, let record else { return nil }
    let counts = changes.map(\.box.size.voxelCount)
    guard var rest = LabelRuns.decode(record, count: counts.reduce(0, +))?[...] else { return nil }
    return counts.map { count in
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
  }
}
