import Foundation
import Journal
import Review
import Volumes
import Work

/// The contents of a journal without voxels.
///
/// One pass over the records, oldest first, applies each of them to the versions, the steps of the history and the last
/// decisions. A record is lost when its text is damaged or cannot be parsed; its content is unknown, and
/// ``noteLoss(hasVoxels:)`` marks everything that it may have changed as uncertain. A later record that sets the same
/// state makes it certain again, as the next decision does for the last one.
///
/// Voxels are checked when they are read, by ``restored(in:_:)`` and ``damagedVersions(in:)``.
struct JournalReading {
  /// A version and the records of its voxels.
  struct StoredVersion {
    /// The note with the latest names and colours.
    var note: JournalLine.VersionNote
    /// The record of its original voxels, from which later versions are differences; nil where it is lost.
    var original: JournalFile.Entry?
    /// The record of all its voxels that was written after edits were lost; nil for none.
    ///
    /// It includes all earlier edits that were not lost.
    var rewritten: JournalFile.Entry?
    /// Whether a record is lost that may have been an edit of it since.
    var mayLackEdit = false

    /// Whether edits change this version.
    var isEdited: Bool { if case .edit = note.origin { true } else { false } }
  }

  /// A step of the history.
  struct StoredStep {
    var number: Int
    /// The step and the decisions after it, without acceptances of masks that lack edits.
    var note: JournalLine.Step
    /// The record with the voxels of its edits; nil where it is lost.
    var entry: JournalFile.Entry?
    /// The versions that it edits, without those of which a later record has all voxels.
    var edited: Set<VersionID>
  }

  /// The masks of a session: their paths, and the version that each is, by its position, as far as the journal says.
  struct SessionMasks {
    var paths: [String]
    var versions: [Int: VersionID]
  }

  /// All lines that were decoded, oldest first.
  private(set) var lines: [JournalLine] = []
  /// Every version, oldest first.
  private(set) var versions: [StoredVersion] = []
  /// The steps of the history, oldest first.
  private(set) var steps: [StoredStep] = []
  /// The number of the current step; nil where nothing was decided.
  private(set) var presentStep: Int?
  /// The valid decisions, without an acceptance that is uncertain; nil where nothing was decided.
  private(set) var decisions: Decisions?
  /// The masks of the session that recorded ``decisions``; nil where nothing was decided, or it did not record them.
  private(set) var masksOfDecisions: SessionMasks?
  /// The masks of the last session so far.
  private var openedMasks: SessionMasks?
  /// Whether a record after the last decision is lost, which may have been a decision.
  private(set) var isLastDecisionLost = false
  /// The version that was accepted before a lost decision.
  private(set) var doubtfulAcceptance: VersionID?
  /// The paths of exported versions; without versions that a lost record may have changed since.
  private(set) var exported: [VersionID: String] = [:]
  /// The number of lost records.
  private(set) var lostCount = 0
  /// The number of lost records before the last step.
  private var lostBeforeStep = 0
  /// Whether bytes at the end are unreadable, and whether the last record is unfinished.
  let hasUnreadableEnd, hasUnfinishedEnd: Bool
  /// Descriptions of other damage: "1204 bytes after 20:33 cannot be read".
  let damage: [String]

  init(_ contents: JournalFile.Contents, of file: JournalFile) {
    (hasUnreadableEnd, hasUnfinishedEnd) = (
      contents.unreadableByteCount > 0, contents.unfinishedByteCount > 0
    )
    let parsedLines = contents.entries.map { $0.text.flatMap(JournalLine.init) }
    lines = parsedLines.compactMap(\.self)
    damage = Self.damage(
      of: contents, after: lines.last.map { JournalTimestamp.text($0.time) } ?? "its beginning")
    // Each text has a timestamp, so an equal text is a copy of the same record.
    var known: Set<Data> = []
    for (line, entry) in zip(parsedLines, contents.entries) {
      if let text = entry.text, !known.insert(text).inserted { continue }
      if let line {
        apply(line, entry, file)
      } else {
        lostCount += 1
        noteLoss(hasVoxels: entry.hasVoxels)
      }
    }
    if isLastDecisionLost {
      doubtfulAcceptance = decisions?.verdicts.accepted
      decisions?.verdicts.accepted = nil
      // A redo of the undone steps must not accept anything either.
      for step in steps.indices where steps[step].number >= presentStep ?? 0 {
        steps[step].note.decisions.verdicts.accepted = nil
      }
    }
    // If the record of the current step is lost, only the decisions after it are known.
    if let presentStep, let decisions, !steps.contains(where: { $0.number == presentStep }) {
      steps.insert(
        StoredStep(
          number: presentStep, note: JournalLine.Step(step: "a step that is lost", decisions: decisions),
          edited: []),
        at: steps.count { $0.number < presentStep })
    }
  }

  private static func damage(of contents: JournalFile.Contents, after position: String) -> [String] {
    var damage: [String] = []
    if contents.isEmpty { damage.append("it was empty") }
    if contents.hadDamagedFirstLine { damage.append("its first line cannot be read") }
    if contents.unreadableByteCount > 0 {
      let fate = contents.copyName.map { "were kept as \($0)" } ?? "cannot be read"
      damage.append("\(contents.unreadableByteCount) bytes after \(position) \(fate)")
    }
    if contents.unfinishedByteCount > 0 {
      damage.append("the last entry, after \(position), was not finished")
    }
    return damage
  }

  // MARK: The pass

  /// Counts a lost record's possible effects as uncertain: it may have been a decision or a change of an exported
  /// version; with voxels it may have been an edit of any edited version.
  private mutating func noteLoss(hasVoxels: Bool) {
    isLastDecisionLost = true
    exported = [:]
    guard hasVoxels else { return }
    for position in versions.indices where versions[position].isEdited {
      versions[position].mayLackEdit = true
    }
  }

  private mutating func apply(_ line: JournalLine, _ entry: JournalFile.Entry, _ file: JournalFile) {
    if let opened = line.opened {
      openedMasks = opened.masks.map { SessionMasks(paths: $0, versions: opened.knownMasks ?? [:]) }
    }
    if let note = line.version { add(note, entry, file) }
    if let note = line.labels, let position = position(of: note.version) {
      versions[position].note.labels = note.labels
      versions[position].note.shown = note.shown
    }
    if let note = line.decided { append(note, entry) }
    if let note = line.position { setPresentStep(note.number, note.decisions) }
    if let note = line.exported { exported[note.version] = note.path }
  }

  /// Adds a version, or replaces all voxels of a known one if the new voxels can be read.
  private mutating func add(
    _ note: JournalLine.VersionNote, _ entry: JournalFile.Entry, _ file: JournalFile
  ) {
    let lacksChanges = note.lacksChanges == true
    if position(of: note.id) == nil {
      if case .mask(let path) = note.origin, let mask = openedMasks?.paths.firstIndex(of: path) {
        openedMasks?.versions[mask] = note.id
      }
      versions.append(StoredVersion(note: note, original: lacksChanges ? nil : entry))
      guard lacksChanges else { return }
    }
    if lacksChanges {
      // Earlier acceptances were of another mask.
      for step in steps.indices { steps[step].note.decisions.verdicts.withdrawAcceptance(of: [note.id]) }
      decisions?.verdicts.withdrawAcceptance(of: [note.id])
    }
    // A record of differences does not contain all voxels; it is a duplicate.
    guard let position = position(of: note.id), note.differsFrom == nil, file.voxels(of: entry) != nil else {
      return
    }
    if versions[position].isEdited {
      versions[position].rewritten = entry
      versions[position].mayLackEdit = false
      for step in steps.indices { steps[step].edited.remove(note.id) }
    } else {
      versions[position].original = entry
      versions[position].note.differsFrom = nil
    }
  }

  /// Appends a step, or replaces the step with the same number.
  private mutating func append(_ note: JournalLine.Step, _ entry: JournalFile.Entry) {
    let number = note.number ?? (steps.last?.number ?? -1) + 1
    // Steps are numbered without gaps. A missing step without even a damaged record may have edited voxels.
    if let last = steps.map(\.number).max(), number > last + 1 + lostCount - lostBeforeStep {
      lostCount += 1
      noteLoss(hasVoxels: true)
    }
    lostBeforeStep = lostCount
    let step = StoredStep(
      number: number, note: note, entry: entry,
      edited: Set(note.changes.map(\.version).filter { position(of: $0) != nil }))
    if let known = steps.firstIndex(where: { $0.number == number }) {
      steps[known] = step
    } else {
      steps.append(step)
    }
    setPresentStep(number, note.decisions)
  }

  private mutating func setPresentStep(_ number: Int, _ decisions: Decisions) {
    (presentStep, self.decisions, isLastDecisionLost) = (number, decisions, false)
    masksOfDecisions = openedMasks
  }

  func position(of id: VersionID) -> Int? { versions.firstIndex { $0.note.id == id } }

  // MARK: Queries

  /// Registers every image, mask and model that the journal names as read, so that none of them is overwritten.
  func noteSources() throws(InputError) {
    for line in lines {
      var paths = [line.opened?.image, line.version?.file?.absolutePath] + (line.opened?.masks ?? [])
      if case .mask(let path)? = line.version?.origin { paths.append(path) }
      for path in paths.compactMap(\.self) where FileSystem.exists(path) { try ReadFiles.register(path) }
    }
  }

  /// The last opening of the case.
  var opening: JournalLine.Opening? { lines.last { $0.opened != nil }?.opened }

  /// The number of records, including lost ones.
  var recordCount: Int { lines.count + lostCount }

  /// The number of lost records that no earlier session reported.
  var unreportedLostCount: Int { max(0, lostCount - (opening?.damagedCount ?? 0)) }

  /// The note of a version; nil where there is none with this number.
  func note(of id: VersionID) -> JournalLine.VersionNote? { position(of: id).map { versions[$0].note } }

  var verdicts: Verdicts { decisions?.verdicts ?? Verdicts() }

  var view: ViewState? { lines.last { $0.view != nil }?.view }

  /// The timestamp of the last change of verdicts or pairs of labels in seconds since 1970; nil for none.
  var decisionSeconds: Double? {
    var (last, seconds): (Decisions, Double?) = (Decisions(), nil)
    for line in lines {
      guard let decisions = line.position?.decisions ?? line.decided?.decisions else { continue }
      if (decisions.verdicts, decisions.pairings) != (last.verdicts, last.pairings) { seconds = line.time }
      last = decisions
    }
    return seconds
  }

  /// The timestamp of the last event in seconds since 1970; sessions that only opened the case are ignored.
  var lastSeconds: Double? { (lines.last { $0.opened == nil } ?? lines.last)?.time }
}
