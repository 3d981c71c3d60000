import Foundation
import Journal
import Review
import Screen
import Volumes
import Work

/// What a journal says, without voxels.
struct JournalReading {
  /// A line that is understood, with its record.
  struct Line {
    var line: JournalLine
    var entry: JournalFile.Entry
    /// Counts the file's whole records from 0.
    var position: Int
  }

  /// Everything of a version, and the records of its voxels.
  ///
  /// The first record has them as the version was made, and those of later versions are written against that. A further
  /// one has them all anew, where the first one or changes by hand were damaged: what was changed before it is in it. One
  /// that cannot be read is none of them, so that what it stood for shows.
  struct StoredVersion {
    /// With its latest names and colours.
    var note: JournalLine.VersionNote
    var records: [(entry: JournalFile.Entry, position: Int)]
  }

  /// Every line that is understood, oldest first.
  let lines: [Line]
  /// Every version, oldest first.
  let versions: [StoredVersion]
  /// Records that are damaged, and how many of them no earlier session told.
  let damagedCount, untoldDamageCount: Int
  /// Whether bytes at the end cannot be read, or were not finished.
  let hasLostEnd: Bool
  /// Whether a record behind the last decision is damaged, which may have been a decision.
  let isLastDecisionLost: Bool
  /// Behind which whole record a version lacks changes: acceptances before that are of another mask.
  private let lackingFrom: [VersionID: Int]
  /// Before which whole record each damaged one is that had voxels.
  private let damagedVoxelPositions: [Int]
  /// What else is damaged or missing, a phrase each: "1204 bytes behind 20:33 cannot be read".
  let damage: [String]

  init(_ contents: JournalFile.Contents, of file: JournalFile) {
    damagedCount = contents.damagedPositions.count
    hasLostEnd = contents.unreadableByteCount + contents.unfinishedByteCount > 0
    damagedVoxelPositions = contents.damagedVoxelPositions
    lines = contents.entries.enumerated().compactMap { position, entry in
      JournalLine(entry.text).map { Line(line: $0, entry: entry, position: position) }
    }
    versions = Self.versions(lines, file)
    let lastDecision = lines.last { $0.line.decided != nil || $0.line.stands != nil }?.position ?? -1
    // A lost version is no decision.
    let decisionPositions = Set(contents.damagedPositions).subtracting(contents.damagedVoxelPositions)
    isLastDecisionLost = decisionPositions.contains { $0 > lastDecision }
    lackingFrom = Dictionary(
      lines.compactMap { line in
        line.line.version.flatMap { $0.lacksChanges == true ? ($0.id, line.position) : nil }
      }, uniquingKeysWith: max)
    let toldCount = lines.last { $0.line.opened != nil }?.line.opened?.damagedCount ?? 0
    untoldDamageCount = max(0, damagedCount - toldCount)
    let place = lines.last.map { JournalTime.text($0.line.time) } ?? "its beginning"
    var damage: [String] = []
    if contents.isEmpty { damage.append("it was empty") }
    if contents.hadDamagedFirstLine { damage.append("its first line cannot be read") }
    if contents.unreadableByteCount > 0 {
      let fate =
        contents.copyName.map { "were kept as \($0)" } ?? "cannot be read"
      damage.append("\(contents.unreadableByteCount) bytes behind \(place) \(fate)")
    }
    if contents.unfinishedByteCount > 0 { damage.append("the last entry, behind \(place), was not finished") }
    self.damage = damage
  }

  private static func versions(_ lines: [Line], _ file: JournalFile) -> [StoredVersion] {
    var versions: [StoredVersion] = []
    var positions: [VersionID: Int] = [:]
    for line in lines {
      if let note = line.line.version {
        if let position = positions[note.id] {
          if file.voxels(of: line.entry) != nil {
            versions[position].records.append((line.entry, line.position))
          }
        } else {
          positions[note.id] = versions.count
          versions.append(StoredVersion(note: note, records: [(line.entry, line.position)]))
        }
      }
      if let note = line.line.labels, let position = positions[note.version] {
        versions[position].note.labels = note.labels
        versions[position].note.shown = note.shown
      }
    }
    return versions
  }

  /// Notes every image, mask and model that the journal names as read, so that nothing is written over them.
  func noteSources() throws(InputError) {
    for line in lines.map(\.line) {
      var paths = [line.opened?.image, line.version?.file?.absolutePath] + (line.opened?.masks ?? [])
      if case .mask(let path)? = line.version?.origin { paths.append(path) }
      for path in paths.compactMap(\.self) where FileSystem.exists(path) { try ReadFiles.note(path) }
    }
  }

  /// How the case was opened last.
  var opening: JournalLine.Opening? { lines.last { $0.line.opened != nil }?.line.opened }

  /// Everything of a version but its voxels; nil where there is none of this number.
  func note(of id: VersionID) -> JournalLine.VersionNote? { versions.first { $0.note.id == id }?.note }

  /// The decisions that stand, nothing accepted where that is in doubt; nil where there are none.
  var decisions: Decisions? {
    guard let line = lines.last(where: { $0.line.decided != nil || $0.line.stands != nil }),
      var decisions = line.line.stands?.decisions ?? line.line.decided?.decisions
    else { return nil }
    decisions = valid(decisions, at: line.position)
    if isLastDecisionLost { decisions.verdicts.accepted = nil }
    return decisions
  }

  /// What was accepted before a decision that is lost.
  var doubtfulAcceptance: VersionID? {
    lines.last { $0.line.decided != nil || $0.line.stands != nil }
      .flatMap { $0.line.stands?.decisions ?? $0.line.decided?.decisions }?.verdicts.accepted
  }

  /// Decisions of a record without the acceptance of a version that lacks changes since.
  private func valid(_ decisions: Decisions, at position: Int) -> Decisions {
    guard let accepted = decisions.verdicts.accepted, position < lackingFrom[accepted] ?? 0 else {
      return decisions
    }
    var valid = decisions
    valid.verdicts.accepted = nil
    return valid
  }

  /// What was decided last.
  var verdicts: Verdicts { decisions?.verdicts ?? Verdicts() }

  /// Versions that were written, and where to.
  var exported: [VersionID: String] {
    var exported: [VersionID: String] = [:]
    for line in lines { if let note = line.line.exported { exported[note.version] = note.path } }
    return exported
  }

  /// Where the reviewer looked last.
  var view: ViewState? { lines.last { $0.line.looked != nil }?.line.looked }

  /// When the last thing happened, in seconds since 1970; sessions that only opened the case do not count.
  var lastSeconds: Double? { (lines.last { $0.line.opened == nil } ?? lines.last)?.line.time }

  /// Versions whose voxels, or whose changes of voxels, cannot be read.
  func damagedVersions(in file: JournalFile) -> Set<VersionID> {
    var (intact, damaged) = (Set<VersionID>(), Set<VersionID>())
    for version in versions {
      let hasBase = version.note.differsFrom.map(intact.contains) ?? true
      let isIntact = version.records.contains { entry, _ in
        (hasBase || entry != version.records[0].entry) && file.voxels(of: entry) != nil
      }
      if isIntact { intact.insert(version.note.id) } else { damaged.insert(version.note.id) }
    }
    for line in lines {
      let changes = (line.line.decided?.changes ?? []).filter { counts($0, at: line.position) }
      if !changes.isEmpty, file.voxels(of: line.entry) == nil { damaged.formUnion(changes.map(\.version)) }
    }
    return damaged.union(versionsWithUnknownDamage)
  }

  /// Versions changed by hand, where a record is lost that may have been one of their changes.
  private var versionsWithUnknownDamage: Set<VersionID> {
    let edited = versions.filter { version in
      guard case .edit = version.note.origin, let last = version.records.last else { return false }
      return damagedVoxelPositions.contains { $0 > last.position }
    }
    return Set(edited.map(\.note.id))
  }

  /// Whether a change came behind the last record of all of its version's voxels.
  private func counts(_ edit: JournalLine.Step.Edit, at position: Int) -> Bool {
    guard let last = versions.first(where: { $0.note.id == edit.version })?.records.last else { return false }
    return position > last.position
  }

  /// The labels of a version as it was first written; nil when they, or those that they differ from, are damaged or make
  /// another number.
  ///
  /// - Parameter known: Labels of versions that were read before.
  func labels(
    of id: VersionID, on grid: VolumeGrid, in file: JournalFile,
    known: (VersionID) -> ChunkedLabels? = { _ in nil }
  ) -> ChunkedLabels? {
    if let labels = known(id) { return labels }
    guard let position = versions.firstIndex(where: { $0.note.id == id }) else { return nil }
    let (note, records) = (versions[position].note, versions[position].records)
    let first = records.first.flatMap { record -> ChunkedLabels? in
      guard let earlier = note.differsFrom else { return labels(record.entry, note, on: grid, in: file) }
      // A version can only differ from an older one, so that this comes to an end.
      guard versions[..<position].contains(where: { $0.note.id == earlier }),
        let base = labels(of: earlier, on: grid, in: file, known: known)
      else { return nil }
      return labels(record.entry, note, against: base.voxels, on: grid, in: file)
    }
    return first
      ?? records.dropFirst().lazy.compactMap { labels($0.entry, note, on: grid, in: file) }.first
  }

  /// The labels of a version as they were last written whole, where that was not when it was made.
  func rewrittenLabels(of id: VersionID, on grid: VolumeGrid, in file: JournalFile) -> ChunkedLabels? {
    guard let version = versions.first(where: { $0.note.id == id }) else { return nil }
    return version.records.dropFirst().last.flatMap { labels($0.entry, version.note, on: grid, in: file) }
  }

  private func labels(
    _ entry: JournalFile.Entry, _ note: JournalLine.VersionNote, against base: [UInt16]? = nil,
    on grid: VolumeGrid, in file: JournalFile
  ) -> ChunkedLabels? {
    file.voxels(of: entry)
      .flatMap { LabelRuns.decode($0, count: grid.size.voxelCount, against: base) }
      .map { ChunkedLabels(LabelVolume(grid: grid, voxels: $0, coding: note.coding ?? .identity)) }
  }

  /// What was done, step by step, oldest first, and the number of the step that was reached last; versions of which
  /// changes are, or may be, missing.
  ///
  /// - Parameter labels: Those of the versions as they were first written; becomes those at the step that was reached.
  func steps(
    in file: JournalFile, _ labels: inout [VersionID: ChunkedLabels]
  ) -> (steps: [JournalStep], reached: Int?, incomplete: Set<VersionID>) {
    var noted: [(note: JournalLine.Step, number: Int, entry: JournalFile.Entry, position: Int)] = []
    var reached: Int?
    for line in lines {
      if let note = line.line.decided {
        let number = note.number ?? (noted.last?.number ?? -1) + 1
        reached = number
        if let known = noted.firstIndex(where: { $0.number == number }) {
          noted[known] = (note, number, line.entry, line.position)
        } else {
          noted.append((note, number, line.entry, line.position))
        }
      }
      if let note = line.line.stands { reached = note.number }
    }
    for (id, first) in labels { labels[id] = rewrittenLabels(of: id, on: first.grid, in: file) ?? first }
    var incomplete = versionsWithUnknownDamage
    var steps = noted.map { note, number, entry, position in
      var step = JournalStep(
        number: number, name: note.step, decisions: valid(note.decisions, at: position),
        relabellings: note.relabellings ?? [])
      guard let size = labels.first?.value.grid.size, !note.changes.isEmpty else { return step }
      let voxels = note.voxels(file.voxels(of: entry), in: size)
      for (place, edit) in note.changes.enumerated() where counts(edit, at: position) {
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
        step.edits.append(JournalStep.Edit(version: edit.version, change: change, labels: after))
      }
      return step
    }
    // Wherever it was accepted, it was another mask.
    for position in steps.indices {
      if let accepted = steps[position].decisions.verdicts.accepted, incomplete.contains(accepted) {
        steps[position].decisions.verdicts.accepted = nil
      }
    }
    // What is known of a step that was reached, but whose record is lost, are the decisions behind it.
    if let reached, let decisions, !steps.contains(where: { $0.number == reached }) {
      let place = (steps.lastIndex { $0.number < reached } ?? -1) + 1
      steps.insert(JournalStep(number: reached, name: "a step that is lost", decisions: decisions), at: place)
    }
    // Undone steps are in the history, but not in the labels.
    if let position = steps.firstIndex(where: { $0.number == reached }) {
      for step in steps[(position + 1)...].reversed() {
        for edit in step.edits {
          labels[edit.version] = labels[edit.version]?.applying(edit.change.inverse)
        }
      }
    }
    return (steps, reached, incomplete.intersection(labels.keys))
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
