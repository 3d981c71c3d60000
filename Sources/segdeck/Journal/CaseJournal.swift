import Foundation
import Journal
import Review
import Synchronization
import Volumes
import Work

/// The journal of the reviewed case: it restores earlier sessions and records this one.
package final class CaseJournal: Sendable {
  /// A function that gives the file that a step of this session read, with its checksum.
  package typealias ReadFile = @Sendable (Provenance.Step) throws(Cancelled) -> MaskRecord.File?

  private struct State {
    var file: JournalFile?
    /// The path of the case's journal, and the first line of the next session.
    var location: (path: String, opening: JournalLine.Opening)?
    /// The number of its records that this session has read.
    var readCount = 0
    /// The original labels of the versions in the file; later versions are written as differences from them.
    var labels: [VersionID: ChunkedLabels] = [:]
    /// The notes of versions that were restored from the file.
    var restored: [VersionID: JournalLine.VersionNote] = [:]
    /// The masks' selections by path.
    var merged: [String: [LabelSelection]] = [:]
    var readFile: ReadFile?
  }

  /// A case of a worklist and its reader: journals of a worklist are theirs alone.
  ///
  /// Two cases may have one image with other masks, two worklists have decisions of their own about one case, and readers
  /// who share a login do not see each other's decisions.
  package struct Owner: Sendable {
    /// The folder of the worklist's records, which identifies the worklist.
    package var records: String
    package var reader, caseName: String

    package init(records: String, reader: String, caseName: String) {
      (self.records, self.reader, self.caseName) = (records, reader, caseName)
    }
  }

  private let owner: Owner?
  private let folder: JournalFolder
  private let runs: NetworkRunCache
  private let state = Mutex(State())

  /// - Parameters:
  ///   - runs: Provides the probabilities of restored network versions.
  ///   - owner: The case of a worklist and its reader; nil for an image that is reviewed by itself.
  package init(runs: NetworkRunCache, folder: JournalFolder = JournalFolder(), owner: Owner? = nil) {
    (self.runs, self.folder, self.owner) = (runs, folder, owner)
  }

  /// The digest that names the journal of an image.
  private func digest(of image: ScalarVolume, _ work: WorkContext) throws -> String {
    let image = try ContentDigest.sha256(of: image, work)
    guard let owner else { return image }
    return try ContentDigest.sha256(of: [image, owner.records, owner.reader, owner.caseName])
  }

  /// The note of a restored version; nil for a version that this session made or opened.
  func restoredNote(of version: VersionID) -> JournalLine.VersionNote? {
    state.withLock { $0.restored[version] }
  }

  /// Registers a mask that was opened after the case.
  func noteMask(_ mask: LoadedMask) { state.withLock { $0.merged[mask.path] = mask.merged } }

  /// Opens the journal of a case; see ``ReviewServices/openJournal(of:_:)``.
  ///
  /// - Parameters:
  ///   - series: The choice with which the image was opened of several series in its file or folder; nil for none.
  ///   - readFile: Gives the files of masks and models.
  ///   - readFrame: Reads a frame of the image that was opened.
  package func open(
    _ content: ReviewCase, series: String? = nil, _ work: WorkContext, readFile: @escaping ReadFile,
    readFrame: @escaping @Sendable (Int) throws -> ScalarVolume
  ) throws -> OpenedJournal {
    let path = folder.file(of: try digest(of: content.image, work))
    let opening = JournalLine.Opening(
      caseName: owner?.caseName ?? content.name, worklist: owner?.records, reader: owner?.reader,
      image: content.imagePath, series: series,
      frame: content.frame == 0 ? nil : content.frame,
      grid: content.image.grid,
      program: "segdeck \(SegdeckVersion.text)", masks: content.masks.map(\.path))
    state.withLock { state in
      state.readFile = readFile
      state.merged = Dictionary(content.masks.map { ($0.path, $0.merged) }) { first, _ in first }
    }
    var opened: OpenedJournal
    do {
      try folder.make()
      if let (file, contents) = try JournalFile.openForWriting(path) {
        let unwritten: [JournalRecord]
        let reading = JournalReading(contents, of: file)
        (opened, unwritten) = try restore(reading, file, content, work, readFrame)
        var opening = opening
        opening.knownMasks = opened.knownMasks.isEmpty ? nil : opened.knownMasks
        try begin(file, opening, after: reading)
        try file.append(unwritten)
        return opened
      }
      opened = try readOnly(path, content, work, readFrame)
      opened.status = .absent("another segdeck had this case open before")
      opened.warning = joined(
        opened.warning,
        "another segdeck has this case open: "
          + (owner == nil
            ? "what you do here is not kept" : "only verdicts, scores, comments and tags are kept here"))
    } catch let error as InputError {
      let reason = reason(error).description
      opened = (try? readOnly(path, content, work, readFrame)) ?? OpenedJournal()
      opened.status = .failing(reason)
      opened.warning = joined(opened.warning, "what you do here is not kept: \(reason)")
      // The obstacle may be removed later.
      state.withLock { $0.location = (path, opening) }
    }
    return opened
  }

  /// Appends the first line of this session to a file.
  private func begin(
    _ file: JournalFile, _ opening: JournalLine.Opening, after reading: JournalReading
  ) throws(InputError) {
    var line = JournalLine()
    line.opened = opening
    if reading.lostCount > 0 { line.opened?.damagedCount = reading.lostCount }
    try file.append([JournalRecord(text: line.text)])
    state.withLock { $0.file = file }
    prune()
  }

  /// Appends entries, all of them or none.
  ///
  /// A journal that could not be opened is opened again first.
  /// - Throws: ``InputError`` when the disk is full or fails; the line begins with the reason.
  package func append(_ entries: [JournalEntry]) throws {
    do throws(InputError) {
      let file = try openedFile()
      var labels = state.withLock(\.labels)
      let records = entries.map { record($0, &labels) }
      try file.append(records)
      let written = labels
      state.withLock { $0.labels = written }
    } catch {
      throw reason(error)
    }
  }

  private func openedFile() throws(InputError) -> JournalFile {
    let (known, location, readCount) = state.withLock { ($0.file, $0.location, $0.readCount) }
    if let known { return known }
    guard let location else { throw InputError("journal", "is not open") }
    try folder.make()
    guard let (file, contents) = try JournalFile.openForWriting(location.path) else {
      throw InputError(location.path, "is not written", found: "another segdeck that has this case open")
    }
    // Steps of this session would replace steps that it does not know.
    guard contents.entries.count <= readCount else {
      throw InputError(location.path, "is not written", found: "records that this review has not read")
    }
    let reading = JournalReading(contents, of: file)
    let present = Set(reading.versions.filter { $0.original != nil }.map(\.note.id))
    state.withLock { state in state.labels = state.labels.filter { present.contains($0.key) } }
    try begin(file, location.opening, after: reading)
    return file
  }

  /// An error of the journal for the review: the reason comes first, and the long file name is replaced by the folder.
  private func reason(_ error: InputError) -> InputError {
    let isFile = error.subject.hasPrefix(folder.path)
    let subject =
      isFile ? "the journal in \(FilePath.withTilde(folder.path))" : FilePath.withTilde(error.subject)
    guard let found = error.found else { return InputError(subject, error.problem, expected: error.expected) }
    return InputError(found, "\(subject) \(error.problem)", expected: error.expected)
  }

  private func record(
    _ entry: JournalEntry, _ labels: inout [VersionID: ChunkedLabels]
  ) -> JournalRecord {
    var line = JournalLine()
    switch entry {
    case .version(let version):
      var note = JournalLine.VersionNote(
        id: version.id, name: version.name, origin: version.origin, labels: version.ownTable,
        auxiliaryHeadCount: version.auxiliaryHeadCount, advisedSettings: version.advisedSettings,
        warnings: version.warnings)
      if version.table != version.ownTable { note.shown = version.table }
      if version.family != version.id { note.family = version.family }
      if version.frame != 0 { note.frame = version.frame }
      if version.labels.coding != .identity { note.coding = version.labels.coding }
      var base: ChunkedLabels?
      let (readFile, merged) = state.withLock { ($0.readFile, $0.merged) }
      switch version.origin {
      case .mask(let path):
        note.file = try? readFile?(.mask(path: path))
        note.labelsChecksum = ContentDigest.sha256(of: version.labels)
        if let selections = merged[path], !selections.isEmpty { note.merged = selections }
      case .network(let modelID, _): note.file = try? readFile?(.network(modelID: modelID))
      case .refinement(let earlier, _, _), .edit(let earlier):
        base = labels[earlier]
        if base != nil { note.differsFrom = earlier }
      }
      note.file?.change = nil
      line.version = note
      labels[version.id] = version.labels
      return JournalRecord(
        text: line.text, voxels: runs(version.labels, against: base))
    case .labels(let id, let tables):
      line.labels = JournalLine.LabelsNote(version: id, labels: tables.own)
      if tables.shown != tables.own { line.labels?.shown = tables.shown }
    case .step(let step):
      var note = JournalLine.Step(number: step.number, step: step.name, decisions: step.decisions)
      note.returnsTo = step.returnsTo
      if !step.relabellings.isEmpty { note.relabellings = step.relabellings }
      guard !step.edits.isEmpty else {
        line.decided = note
        break
      }
      note.edits = step.edits.map { JournalLine.Step.Edit(version: $0.version, box: $0.change.box) }
      line.decided = note
      return JournalRecord(
        text: line.text,
        voxels: RunLengthCoding.encode(step.edits.flatMap { $0.labels.cropped(to: $0.change.box) }))
    case .position(let number, let decisions):
      line.position = JournalLine.Position(number: number, decisions: decisions)
    case .exported(let id, let path): line.exported = JournalLine.Export(version: id, path: path)
    case .view(let view): line.view = view
    }
    return JournalRecord(text: line.text)
  }

  private func readOnly(
    _ path: String, _ content: ReviewCase, _ work: WorkContext,
    _ readFrame: @escaping @Sendable (Int) throws -> ScalarVolume
  ) throws -> OpenedJournal {
    guard access(path, F_OK) == 0 else { return OpenedJournal() }
    let (file, contents) = try JournalFile.openForReading(path)
    return try restore(JournalReading(contents, of: file), file, content, work, readFrame).opened
  }

  /// Restores the contents of a journal: versions with voxels and statistics, compared with the opened masks.
  ///
  /// The second value is the records of versions whose voxels in the file are incomplete, to be written again.
  private func restore(
    _ reading: JournalReading, _ file: JournalFile, _ content: ReviewCase, _ work: WorkContext,
    _ readFrame: @escaping @Sendable (Int) throws -> ScalarVolume
  ) throws -> (opened: OpenedJournal, unwritten: [JournalRecord]) {
    let grid = content.image.grid
    let notes = reading.versions.map(\.note)
    try reading.noteSources()
    var opened = OpenedJournal(
      exported: reading.exported, view: reading.view,
      time: reading.lastSeconds.map { JournalTimestamp.text($0) }, decisionSeconds: reading.decisionSeconds)
    // Original labels, from which later versions are differences, and current labels.
    var (written, current): ([VersionID: ChunkedLabels], [VersionID: ChunkedLabels]) = ([:], [:])
    var runNumbers: [VersionID: ProbabilitiesHandle] = [:]
    var losses = reading.damage.isEmpty ? [] : ["journal: " + reading.damage.joined(separator: ", ")]
    var lost: [String] = []
    var unwritten: Set<VersionID> = []
    var waitingCount = 0
    for note in notes {
      try work.checkCancellation()
      // Labels, their components, and copies that the review makes.
      guard grid.size.voxelCount * 8 < AvailableMemory.byteCount else {
        waitingCount += 1
        continue
      }
      if let labels = reading.originalLabels(of: note.id, on: grid, in: file, known: written) {
        written[note.id] = labels
      } else if let labels = openedMask(like: note, content.masks) {
        written[note.id] = labels
        unwritten.insert(note.id)
      }
      current[note.id] = reading.rewrittenLabels(of: note.id, on: grid, in: file) ?? written[note.id]
      if current[note.id] == nil { lost.append(note.name) }
    }
    let history = reading.restored(in: file, &current)
    let incomplete = history.incomplete
    (opened.steps, opened.step, opened.decisions) = (history.steps, reading.presentStep, reading.decisions)
    opened.incompleteVersions = incomplete
    // Their remaining voxels are written again.
    unwritten.formUnion(incomplete)
    for note in notes {
      guard let labels = current[note.id] else { continue }
      switch note.origin {
      case .mask, .edit: break
      case .network(let modelID, _):
        let frame = note.frame ?? 0
        runNumbers[note.id] = ProbabilitiesHandle(
          runs.restore(modelID, checksum: note.file?.sha256 ?? note.modelChecksum) {
            frame == content.frame ? content.image : try readFrame(frame)
          })
      case .refinement(let earlier, _, let confidence):
        if confidence == nil { runNumbers[note.id] = runNumbers[earlier] }
      }
      opened.versions.append(
        Version(
          id: note.id, name: note.name, origin: note.origin, labels: labels, table: note.labels,
          components: try LabelComponents(labels, work: work.withoutProgress), family: note.family,
          probabilities: runNumbers[note.id], auxiliaryHeadCount: note.auxiliaryHeadCount,
          advisedSettings: note.advisedSettings, warnings: note.warnings, frame: note.frame ?? 0))
    }
    opened.knownMasks = known(content.masks, among: opened.versions)
    if let earlier = reading.masksOfDecisions {
      opened.isOfTheseMasks =
        earlier.paths.count == content.masks.count
        && content.masks.enumerated().allSatisfy { position, mask in
          let known = opened.versions.first { $0.id == opened.knownMasks[position] }
          let isSamePath =
            mask.path == earlier.paths[position] || known?.origin == .mask(path: earlier.paths[position])
          // A file may have its content of before again, while A or B is what it had since.
          return isSamePath && (earlier.versions[position].map { $0 == known?.id } ?? true)
        }
    }
    for (position, mask) in content.masks.enumerated() where opened.knownMasks[position] == nil {
      if let earlier = opened.versions.first(where: { $0.origin == .mask(path: mask.path) }) {
        losses.append("\(earlier.name) is not as it was reviewed: both are here")
      }
    }
    losses += lost.map { "\($0) is damaged" }
    if waitingCount > 0 {
      losses.append(
        "\(counted(waitingCount, "version stays", "versions stay")) in the journal for want of memory")
    }
    for note in notes where incomplete.contains(note.id) {
      let wasAccepted = reading.verdicts.accepted == note.id
      losses.append(
        "\(note.name) lacks an edit" + (wasAccepted ? " and is no longer accepted" : ""))
    }
    if !history.shortened.isEmpty { losses.append("an undone edit is damaged") }
    if let accepted = reading.verdicts.accepted, current[accepted] == nil, waitingCount == 0 {
      losses.append("the version that was accepted is lost")
    }
    if reading.isLastDecisionLost {
      let accepted = reading.doubtfulAcceptance.flatMap { reading.note(of: $0)?.name }
      losses.append(
        "the last decision is lost" + (accepted.map { ", and \($0) is no longer accepted" } ?? ""))
    }
    if lost.isEmpty, incomplete.isEmpty, !reading.isLastDecisionLost, reading.unreportedLostCount > 0 {
      losses.append("a part of the journal is damaged")
    }
    opened.warning = losses.isEmpty ? nil : losses.joined(separator: "; ")
    // For a mask that was opened again, this session knows the file.
    let own = Set(
      opened.knownMasks.compactMap { position, id in
        notes.contains { $0.id == id && $0.origin == .mask(path: content.masks[position].path) } ? id : nil
      })
    let restored = notes.filter { current[$0.id] != nil && !own.contains($0.id) }
    let labels = written
    state.withLock { state in
      state.labels = labels
      state.readCount = reading.recordCount
      state.restored = Dictionary(uniqueKeysWithValues: restored.map { ($0.id, $0) })
    }
    var records = notes.filter { unwritten.contains($0.id) }.compactMap { note in
      current[note.id].map { rewritten(note, $0, lacksChanges: incomplete.contains(note.id)) }
    }
    if let number = reading.presentStep, let decisions = reading.decisions, !history.shortened.isEmpty,
      waitingCount == 0
    {
      let rewrittenSteps = history.steps.filter { history.shortened.contains($0.number) }.map {
        JournalEntry.step($0)
      }
      // Reading a step makes it the present one, so the current position follows.
      records += (rewrittenSteps + [.position(step: number, decisions)]).map { record($0, &written) }
    }
    return (opened, records)
  }

  /// A record of a version with all its voxels.
  private func rewritten(
    _ note: JournalLine.VersionNote, _ labels: ChunkedLabels, lacksChanges: Bool
  ) -> JournalRecord {
    var line = JournalLine()
    line.version = note
    line.version?.differsFrom = nil
    line.version?.lacksChanges = lacksChanges ? true : nil
    return JournalRecord(text: line.text, voxels: runs(labels))
  }

  private func runs(_ labels: ChunkedLabels, against base: ChunkedLabels? = nil) -> Data {
    let encoder = RunLengthCoding.Encoder()
    if let base {
      for (plane, other) in zip(labels.planes, base.planes) { encoder.add(plane, against: other) }
    } else {
      for plane in labels.planes { encoder.add(plane) }
    }
    return encoder.finish()
  }

  /// The labels of the opened mask that is identical to the mask of a note; nil for none.
  ///
  /// Used where the note's voxels are damaged.
  private func openedMask(like note: JournalLine.VersionNote, _ masks: [LoadedMask]) -> ChunkedLabels? {
    guard case .mask = note.origin, let checksum = note.labelsChecksum else { return nil }
    return masks.first {
      $0.labels.coding == note.coding ?? .identity && ContentDigest.sha256(of: $0.labels) == checksum
    }?.labels
  }

  /// The restored version that is each mask, by the mask's index: the one with the same labels of the same file.
  ///
  /// The file may have been moved with its folder: a version of the same name counts too, unless its own file is opened
  /// beside it. Files that were exchanged are other masks, because a name belongs to a path and its content together.
  /// - Complexity: O(masks · versions · voxels).
  private func known(_ masks: [LoadedMask], among versions: [Version]) -> [Int: VersionID] {
    let opened = Set(masks.map(\.path))
    var known: [Int: VersionID] = [:]
    for (position, mask) in masks.enumerated() {
      known[position] =
        versions.first { version in
          guard case .mask(let path) = version.origin, !known.values.contains(version.id) else {
            return false
          }
          let isSameFile = path == mask.path || !opened.contains(path) && version.hasName(of: mask)
          return isSameFile && version.labels.coding == mask.labels.coding
            && version.labels.differingVoxelCount(from: mask.labels) == 0
        }?.id
    }
    return known
  }

  /// Removes old journals in the background.
  private func prune() {
    let folder = folder
    DispatchQueue.global(qos: .background).async {
      ThreadPriority.lower()
      folder.prune(nowSeconds: Date.now.timeIntervalSince1970) { item in
        guard let (file, contents) = try? JournalFile.openForReading(item.path) else { return true }
        let reading = JournalReading(contents, of: file)
        // A lost record may have been an acceptance.
        if reading.lostCount > 0 || reading.hasUnfinishedEnd || reading.isLastDecisionLost { return true }
        guard let accepted = reading.verdicts.accepted else { return false }
        return reading.exported[accepted] == nil
      }
    }
  }

  private func joined(_ one: String?, _ other: String) -> String {
    one.map { "\($0); \(other)" } ?? other
  }
}

extension Version {
  /// Whether it is called as a mask: by the name of the worklist or, without one, of its file, before which there may be
  /// folders.
  fileprivate func hasName(of mask: LoadedMask) -> Bool {
    if let versionName = mask.versionName { return name == versionName }
    return name == mask.name || name.hasSuffix("/" + mask.name)
  }
}
