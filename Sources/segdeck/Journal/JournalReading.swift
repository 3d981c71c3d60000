import Foundation
import Journal
import Review
import Volumes
import Work

/// What a journal says, without voxels.
///
/// One pass over the records, oldest first, keeps what each of them changes of the versions, the steps of the history and
/// what was decided last. Of a record that is lost, because its text is damaged or not understood, nobody knows what it
/// said: ``lose(hasVoxels:)`` is the one place that says what is in doubt behind it. A later record ends a doubt that it
/// answers, as the next decision does that about the last one.
///
/// Voxels are checked when they are read, by ``restored(in:_:)`` and ``damagedVersions(in:)``.
struct JournalReading {
  /// Everything of a version, and the records that have its voxels.
  struct StoredVersion {
    /// With its latest names and colours.
    var note: JournalLine.VersionNote
    /// Its voxels as it was made, against which those of later versions are written; nil where the record is lost.
    var made: JournalFile.Entry?
    /// All its voxels as they were after changes by hand were lost: those that came before are in it, or are gone.
    var anew: JournalFile.Entry?
    /// Whether a record is lost that may have changed it by hand since.
    var mayLackChange = false

    /// Whether changes by hand are changes of it.
    var isEdited: Bool { if case .edit = note.origin { true } else { false } }
  }

  /// A step of the history.
  struct StoredStep {
    var number: Int
    /// What was done, and decided behind it, without acceptances of what was another mask.
    var note: JournalLine.Step
    /// Has the voxels of its changes; nil where its record is lost.
    var entry: JournalFile.Entry?
    /// The versions that it still changes: not those of which a later record has all voxels anew.
    var edited: Set<VersionID>
  }

  /// Every line that is understood, oldest first.
  private(set) var lines: [JournalLine] = []
  /// Every version, oldest first.
  private(set) var versions: [StoredVersion] = []
  /// What was done, oldest first.
  private(set) var steps: [StoredStep] = []
  /// The number of the step that was reached last; nil where nothing was decided.
  private(set) var reached: Int?
  /// The decisions that stand, nothing accepted where that is in doubt; nil where nothing was decided.
  private(set) var decisions: Decisions?
  /// Whether something is lost behind the last decision, which may have been a decision.
  private(set) var isLastDecisionLost = false
  /// What was accepted before a decision that is lost.
  private(set) var doubtfulAcceptance: VersionID?
  /// Versions that were written, and where to, where nothing is lost since that may have changed them.
  private(set) var exported: [VersionID: String] = [:]
  /// Records that are lost.
  private(set) var lostCount = 0
  /// How many of them lie before the last step.
  private var lostBeforeStep = 0
  /// Whether bytes at the end cannot be read, and whether a record there was not finished.
  let hasUnreadableEnd, hasUnfinishedEnd: Bool
  /// What else is damaged or missing, a phrase each: "1204 bytes behind 20:33 cannot be read".
  let damage: [String]

  init(_ contents: JournalFile.Contents, of file: JournalFile) {
    (hasUnreadableEnd, hasUnfinishedEnd) = (
      contents.unreadableByteCount > 0, contents.unfinishedByteCount > 0
    )
    let understood = contents.entries.map { $0.text.flatMap(JournalLine.init) }
    lines = understood.compactMap(\.self)
    damage = Self.damage(
      of: contents, behind: lines.last.map { JournalTime.text($0.time) } ?? "its beginning")
    // A record says when: one that stands a second time says nothing new.
    var known: Set<Data> = []
    for (line, entry) in zip(understood, contents.entries) {
      if let text = entry.text, !known.insert(text).inserted { continue }
      if let line {
        take(line, entry, file)
      } else {
        lostCount += 1
        lose(hasVoxels: entry.hasVoxels)
      }
    }
    if isLastDecisionLost {
      doubtfulAcceptance = decisions?.verdicts.accepted
      decisions?.verdicts.accepted = nil
      // Redoing what was undone accepts nothing either.
      for step in steps.indices where steps[step].number >= reached ?? 0 {
        steps[step].note.decisions.verdicts.accepted = nil
      }
    }
    // What is known of a step that was reached, but whose record is lost, are the decisions behind it.
    if let reached, let decisions, !steps.contains(where: { $0.number == reached }) {
      steps.insert(
        StoredStep(
          number: reached, note: JournalLine.Step(step: "a step that is lost", decisions: decisions),
          edited: []),
        at: steps.count { $0.number < reached })
    }
  }

  private static func damage(of contents: JournalFile.Contents, behind place: String) -> [String] {
    var damage: [String] = []
    if contents.isEmpty { damage.append("it was empty") }
    if contents.hadDamagedFirstLine { damage.append("its first line cannot be read") }
    if contents.unreadableByteCount > 0 {
      let fate = contents.copyName.map { "were kept as \($0)" } ?? "cannot be read"
      damage.append("\(contents.unreadableByteCount) bytes behind \(place) \(fate)")
    }
    if contents.unfinishedByteCount > 0 { damage.append("the last entry, behind \(place), was not finished") }
    return damage
  }

  // MARK: The pass

  /// Notes that a record is lost.
  ///
  /// It may have been a decision, it may have said that a version is no longer as it was written, and with voxels it may
  /// have changed any version that is changed by hand.
  private mutating func lose(hasVoxels: Bool) {
    isLastDecisionLost = true
    exported = [:]
    guard hasVoxels else { return }
    for position in versions.indices where versions[position].isEdited {
      versions[position].mayLackChange = true
    }
  }

  private mutating func take(_ line: JournalLine, _ entry: JournalFile.Entry, _ file: JournalFile) {
    if let note = line.version { add(note, entry, file) }
    if let note = line.labels, let position = position(of: note.version) {
      versions[position].note.labels = note.labels
      versions[position].note.shown = note.shown
    }
    if let note = line.decided { append(note, entry) }
    if let note = line.stands { stand(at: note.number, note.decisions) }
    if let note = line.exported { exported[note.version] = note.path }
  }

  /// Adds a version, or all voxels of a known one anew; what cannot be read is none of them, so that what it stood for shows.
  private mutating func add(
    _ note: JournalLine.VersionNote, _ entry: JournalFile.Entry, _ file: JournalFile
  ) {
    let lacksChanges = note.lacksChanges == true
    if position(of: note.id) == nil {
      versions.append(StoredVersion(note: note, made: lacksChanges ? nil : entry))
      guard lacksChanges else { return }
    }
    if lacksChanges {
      // Wherever it was accepted before, it was another mask.
      for step in steps.indices { steps[step].note.decisions.verdicts.withdrawAcceptance(of: [note.id]) }
      decisions?.verdicts.withdrawAcceptance(of: [note.id])
    }
    // What differs from another version is not all voxels, but a record that stands twice.
    guard let position = position(of: note.id), note.differsFrom == nil, file.voxels(of: entry) != nil else {
      return
    }
    if versions[position].isEdited {
      versions[position].anew = entry
      versions[position].mayLackChange = false
      for step in steps.indices { steps[step].edited.remove(note.id) }
    } else {
      versions[position].made = entry
      versions[position].note.differsFrom = nil
    }
  }

  /// Appends a step, or puts it in the place of the one of its number.
  private mutating func append(_ note: JournalLine.Step, _ entry: JournalFile.Entry) {
    let number = note.number ?? (steps.last?.number ?? -1) + 1
    // Steps are numbered without gaps: one of which not even a damaged record is left may have changed voxels.
    if let last = steps.map(\.number).max(), number > last + 1 + lostCount - lostBeforeStep {
      lostCount += 1
      lose(hasVoxels: true)
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
    stand(at: number, note.decisions)
  }

  private mutating func stand(at number: Int, _ decisions: Decisions) {
    (reached, self.decisions, isLastDecisionLost) = (number, decisions, false)
  }

  func position(of id: VersionID) -> Int? { versions.firstIndex { $0.note.id == id } }

  // MARK: What it says

  /// Notes every image, mask and model that the journal names as read, so that nothing is written over them.
  func noteSources() throws(InputError) {
    for line in lines {
      var paths = [line.opened?.image, line.version?.file?.absolutePath] + (line.opened?.masks ?? [])
      if case .mask(let path)? = line.version?.origin { paths.append(path) }
      for path in paths.compactMap(\.self) where FileSystem.exists(path) { try ReadFiles.note(path) }
    }
  }

  /// How the case was opened last.
  var opening: JournalLine.Opening? { lines.last { $0.opened != nil }?.opened }

  /// All records, lost ones too.
  var recordCount: Int { lines.count + lostCount }

  /// Records that are lost and were not told by an earlier session.
  var untoldLostCount: Int { max(0, lostCount - (opening?.damagedCount ?? 0)) }

  /// Everything of a version but its voxels; nil where there is none of this number.
  func note(of id: VersionID) -> JournalLine.VersionNote? { position(of: id).map { versions[$0].note } }

  /// What was decided last.
  var verdicts: Verdicts { decisions?.verdicts ?? Verdicts() }

  /// Where the reviewer looked last.
  var view: ViewState? { lines.last { $0.looked != nil }?.looked }

  /// When the last thing happened, in seconds since 1970; sessions that only opened the case do not count.
  var lastSeconds: Double? { (lines.last { $0.opened == nil } ?? lines.last)?.time }
}
