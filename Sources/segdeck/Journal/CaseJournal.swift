import Foundation
import Journal
import Review
import Synchronization
import Volumes
import Work

/// The journal of the case under review: what earlier sessions left in it, and where this one writes.
final class CaseJournal: Sendable {
  private struct State {
    var file: JournalFile?
    /// The versions that are in the file, as they were first written; later ones are written against them.
    var labels: [VersionID: ChunkedLabels] = [:]
  }

  private let folder = JournalFolder()
  private let runs: ModelRuns
  private let state = Mutex(State())

  /// A journal whose networks' versions get their probabilities from `runs`.
  init(runs: ModelRuns) { self.runs = runs }

  /// Opens the journal of a case; see ``ReviewServices/openJournal(of:_:)``.
  ///
  /// - Parameter readFrame: Reads a frame of the image that was opened.
  func open(
    _ content: ReviewCase, _ work: WorkContext, readFrame: @escaping @Sendable (Int) throws -> ScalarVolume
  ) throws -> OpenedJournal {
    let digest = try ContentDigest.sha256(of: content.image, work)
    let path = folder.file(of: digest)
    var opened: OpenedJournal
    do {
      try folder.make()
      if let (file, contents) = try JournalFile.writing(path) {
        let restored = try restored(JournalReading(contents), file, content, work, readFrame)
        opened = restored.opened
        var line = JournalLine()
        line.opened = JournalLine.Opening(
          caseName: content.name, image: content.imagePath, grid: content.image.grid,
          program: "segdeck \(SegdeckVersion.text)")
        try file.append([JournalRecord(text: line.text)])
        let written = restored.written
        state.withLock { $0 = State(file: file, labels: written) }
        prune()
        return opened
      }
      opened = try readOnly(path, content, work, readFrame)
      opened.status = .absent("another segdeck has this case open")
      opened.warning = joined(
        opened.warning, "another segdeck has this case open: what you do here is not kept")
    } catch let error as InputError {
      opened = (try? readOnly(path, content, work, readFrame)) ?? OpenedJournal()
      opened.status = .absent(error.description)
      opened.warning = joined(opened.warning, "what you do here is not kept: \(error.description)")
    }
    return opened
  }

  /// Writes entries, all of them or none.
  /// - Throws: ``InputError`` when the disk is full or fails.
  func append(_ entries: [JournalEntry]) throws {
    let (file, known) = state.withLock { ($0.file, $0.labels) }
    guard let file else { throw InputError("journal", "is not open") }
    var labels = known
    let records = try entries.map { try record($0, &labels) }
    try file.append(records)
    let written = labels
    state.withLock { $0.labels = written }
  }

  private func record(
    _ entry: JournalEntry, _ labels: inout [VersionID: ChunkedLabels]
  ) throws -> JournalRecord {
    var line = JournalLine()
    switch entry {
    case .version(let version):
      var note = JournalLine.VersionNote(
        id: version.id, name: version.name, origin: version.origin, labels: version.ownTable,
        auxiliaryHeadCount: version.auxiliaryHeadCount, advisedSettings: version.advisedSettings,
        warnings: version.warnings)
      if version.family != version.id { note.family = version.family }
      if version.frame != 0 { note.frame = version.frame }
      if version.labels.coding != .identity { note.coding = version.labels.coding }
      var base: ChunkedLabels?
      switch version.origin {
      case .mask: break
      case .network(let modelID, _):
        note.modelChecksum = try? runs.file(modelID)?.recorded(WorkContext()).sha256
      case .refinement(let earlier, _, _), .edit(let earlier):
        base = labels[earlier]
        if base != nil { note.differsFrom = earlier }
      }
      line.version = note
      labels[version.id] = version.labels
      return JournalRecord(
        text: line.text, voxels: LabelRuns.encode(version.labels.voxels, against: base?.voxels))
    case .labels(let id, let table): line.labels = JournalLine.LabelsNote(version: id, labels: table)
    case .step(let step):
      var note = JournalLine.Step(number: step.number, step: step.name, decisions: step.decisions)
      if !step.relabellings.isEmpty { note.relabellings = step.relabellings }
      guard let edit = step.edit else {
        line.decided = note
        break
      }
      note.edit = JournalLine.Step.Edit(version: edit.version, box: edit.change.box)
      line.decided = note
      return JournalRecord(
        text: line.text, voxels: LabelRuns.encode(edit.labels.cropped(to: edit.change.box)))
    case .stands(let number, let decisions):
      line.stands = JournalLine.Position(number: number, decisions: decisions)
    case .exported(let id, let path): line.exported = JournalLine.Export(version: id, path: path)
    case .looked(let view): line.looked = view
    }
    return JournalRecord(text: line.text)
  }

  private func readOnly(
    _ path: String, _ content: ReviewCase, _ work: WorkContext,
    _ readFrame: @escaping @Sendable (Int) throws -> ScalarVolume
  ) throws -> OpenedJournal {
    guard access(path, F_OK) == 0 else { return OpenedJournal() }
    let (file, contents) = try JournalFile.reading(path)
    return try restored(JournalReading(contents), file, content, work, readFrame).opened
  }

  /// What a journal holds, with voxels, counted and held against the masks that were opened.
  private func restored(
    _ reading: JournalReading, _ file: JournalFile, _ content: ReviewCase, _ work: WorkContext,
    _ readFrame: @escaping @Sendable (Int) throws -> ScalarVolume
  ) throws -> (opened: OpenedJournal, written: [VersionID: ChunkedLabels]) {
    let grid = content.image.grid
    var opened = OpenedJournal(
      exported: reading.exported, view: reading.view,
      time: reading.lastSeconds.map { JournalTime.text($0) })
    var written: [VersionID: ChunkedLabels] = [:]
    var runNumbers: [VersionID: ProbabilitiesHandle] = [:]
    var (lostCount, waitingCount) = (0, 0)
    for (note, _) in reading.versions {
      try work.checkCancellation()
      // Labels, what is counted of them, and what the review does with them.
      guard grid.size.voxelCount * 8 < AvailableMemory.byteCount else {
        waitingCount += 1
        continue
      }
      guard let labels = reading.labels(of: note.id, on: grid, in: file, known: { written[$0] }) else {
        lostCount += 1
        continue
      }
      written[note.id] = labels
    }
    var current = written
    let (steps, reached, lostEditCount) = reading.steps(in: file, &current)
    (opened.steps, opened.step, opened.decisions) = (steps, reached, reading.decisions)
    for (note, _) in reading.versions {
      guard let labels = current[note.id] else { continue }
      switch note.origin {
      case .mask, .edit: break
      case .network(let modelID, _):
        let frame = note.frame ?? 0
        runNumbers[note.id] = ProbabilitiesHandle(
          runs.restore(modelID, checksum: note.modelChecksum) {
            frame == content.frame ? content.image : try readFrame(frame)
          })
      case .refinement(let earlier, _, let confidence):
        if confidence == nil { runNumbers[note.id] = runNumbers[earlier] }
      }
      opened.versions.append(
        Version(
          id: note.id, name: note.name, origin: note.origin, labels: labels, table: note.labels,
          components: try LabelComponents(labels, work: work.silent), family: note.family,
          probabilities: runNumbers[note.id], auxiliaryHeadCount: note.auxiliaryHeadCount,
          advisedSettings: note.advisedSettings, warnings: note.warnings, frame: note.frame ?? 0))
    }
    opened.knownMasks = known(content.masks, among: opened.versions)
    var losses: [String] = []
    if lostCount > 0 { losses.append("\(lostCount) version\(lostCount == 1 ? " is" : "s are") damaged") }
    if waitingCount > 0 { losses.append("\(waitingCount) stay in the journal for want of memory") }
    if lostEditCount > 0 {
      losses.append("\(lostEditCount) change\(lostEditCount == 1 ? " is" : "s are") damaged")
    }
    if lostCount + lostEditCount == 0, reading.damagedCount > 0 {
      losses.append("a part of the journal is damaged")
    }
    opened.warning = losses.isEmpty ? nil : losses.joined(separator: "; ")
    return (opened, written)
  }

  /// The restored version that each mask is, by the mask's position; one of the same file where there is a choice.
  private func known(_ masks: [LoadedMask], among versions: [Version]) -> [Int: VersionID] {
    var known: [Int: VersionID] = [:]
    for (position, mask) in masks.enumerated() {
      let same = versions.filter { version in
        guard case .mask = version.origin, !known.values.contains(version.id) else { return false }
        return version.labels.coding == mask.labels.coding
          && version.labels.differingVoxelCount(from: mask.labels) == 0
      }
      known[position] = (same.first { $0.origin == .mask(path: mask.path) } ?? same.first)?.id
    }
    return known
  }

  /// Removes old journals on a thread of its own.
  private func prune() {
    let folder = folder
    DispatchQueue.global(qos: .background).async {
      ThreadPriority.yieldToOthers()
      folder.prune(nowSeconds: Date.now.timeIntervalSince1970) { item in
        guard let (_, contents) = try? JournalFile.reading(item.path) else { return true }
        let reading = JournalReading(contents)
        guard let accepted = reading.verdicts.accepted else { return false }
        return reading.exported[accepted] == nil
      }
    }
  }

  private func joined(_ one: String?, _ other: String) -> String {
    one.map { "\($0); \(other)" } ?? other
  }
}
