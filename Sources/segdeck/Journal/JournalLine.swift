import Foundation
import Journal
import Review
import Screen
import Volumes
import Work

/// A record's text in a journal: when, and one thing that happened.
struct JournalLine: Codable {
  /// A session began.
  struct Opening: Codable {
    /// What the screen calls the case.
    var caseName: String
    /// The image's file then.
    var image: String
    /// The image's grid, on which all versions lie.
    var grid: VolumeGrid
    /// The program that wrote what follows.
    var program: String
  }

  /// Everything of a version but its voxels.
  struct VersionNote: Codable {
    var id: VersionID
    var name: String
    var origin: Version.Origin
    /// Names and colours of its labels.
    var labels: LabelTable
    /// Which values its voxels stand for, where not for themselves.
    var coding: LabelCoding?
    /// The earlier version against which its voxels are written; nil for none.
    var differsFrom: VersionID?
    /// The oldest version whose values and names it shares, where that is another one.
    var family: VersionID?
    /// The frame of the image that network or CRF read.
    var frame: Int?
    /// The file of a mask, or of a network's model, as it was when it was read.
    var file: MaskRecord.File?
    /// The SHA-256 of the model's file, in journals that do not state ``file``.
    var modelChecksum: String?
    /// The selections that made one label of several values of a mask's file.
    var merged: [LabelSelection]?
    /// The SHA-256 of a mask's labels, by which it is known again where its voxels are damaged.
    var labelsChecksum: String?
    var auxiliaryHeadCount: Int
    var advisedSettings: RefinementSettings?
    var warnings: [String]
  }

  /// Names and colours of a version's labels.
  struct LabelsNote: Codable {
    var version: VersionID
    var labels: LabelTable
  }

  /// A step of the history and the decisions behind it; the record has the voxels of its edit.
  struct Step: Codable {
    /// Voxels of a version inside a box changed.
    struct Edit: Codable {
      var version: VersionID
      /// The first voxel of the box and the last one.
      var box: VoxelBounds
    }

    /// Names it: a later step of the same number takes its place; journals of older programs have none.
    var number: Int?
    var step: String
    var decisions: Decisions
    /// Names and colours that changed.
    var relabellings: [DecisionChange.Relabelling]?
    var edit: Edit?
  }

  /// A step of the history was reached, and these decisions stand.
  struct Position: Codable {
    var number: Int
    var decisions: Decisions
  }

  /// A version was written to a file; no path where it is no longer as it was written.
  struct Export: Codable {
    var version: VersionID
    var path: String?
  }

  /// Seconds since 1970.
  var time: Double
  var opened: Opening?
  var version: VersionNote?
  var labels: LabelsNote?
  var decided: Step?
  var stands: Position?
  var exported: Export?
  var looked: ViewState?

  /// A line about now.
  init() { time = Date.now.timeIntervalSince1970 }

  /// The text of a record; numbers that JSON does not know are written as words.
  var text: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = Self.words
    guard let data = try? encoder.encode(self) else { preconditionFailure("a line of plain values is JSON") }
    return data
  }

  /// The line of a record; nil for what this program does not understand.
  init?(_ text: Data) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let line = try? decoder.decode(JournalLine.self, from: text) else { return nil }
    self = line
  }

  private static let words = JSONEncoder.NonConformingFloatEncodingStrategy.convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
}

extension JournalLine.VersionNote {
  /// The file that a mask was read from, or a network's model, as a record states it now.
  /// - Returns: nil for versions that were made from others, and where the journal does not know.
  func source(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File? {
    if let file { return try file.comparedWithDisk(work) }
    guard case .network(let modelID, _) = origin, let modelChecksum else { return nil }
    let path = (try? ModelLibrary.path(modelID)) ?? modelID
    return try MaskRecord.File(path: path, absolutePath: FilePath.absolute(path), sha256: modelChecksum)
      .comparedWithDisk(work)
  }
}

/// What a journal says, without voxels.
struct JournalReading {
  /// Every line that is understood, oldest first, with its record.
  private(set) var lines: [(line: JournalLine, entry: JournalFile.Entry)] = []
  /// Records that are damaged.
  let damagedCount: Int
  /// Where the damage begins behind which nothing can be read, and how much that is: "20:33: 1204 bytes cannot be read";
  /// nil for none.
  let damage: String?

  init(_ contents: JournalFile.Contents) {
    damagedCount = contents.damagedCount
    let lines = contents.entries.compactMap { entry in
      JournalLine(entry.text).map { (line: $0, entry: entry) }
    }
    damage =
      contents.unreadableByteCount == 0
      ? nil
      : (lines.last.map { JournalTime.text($0.line.time) } ?? "its beginning")
        + ": \(contents.unreadableByteCount) bytes "
        + (contents.copyName.map { "were kept as \(TextWidth.shortened($0, to: 36))" } ?? "cannot be read")
    self.lines = lines
  }

  /// How the case was opened last.
  var opening: JournalLine.Opening? { lines.last { $0.line.opened != nil }?.line.opened }

  /// Every version with its latest names and colours, oldest first.
  var versions: [(note: JournalLine.VersionNote, entry: JournalFile.Entry)] {
    var versions: [(note: JournalLine.VersionNote, entry: JournalFile.Entry)] = []
    for (line, entry) in lines {
      if let note = line.version, !versions.contains(where: { $0.note.id == note.id }) {
        versions.append((note, entry))
      }
      if let note = line.labels, let position = versions.firstIndex(where: { $0.note.id == note.version }) {
        versions[position].note.labels = note.labels
      }
    }
    return versions
  }

  /// The decisions that stand; nil where there are none.
  var decisions: Decisions? {
    lines.last { $0.line.decided != nil || $0.line.stands != nil }
      .flatMap { $0.line.stands?.decisions ?? $0.line.decided?.decisions }
  }

  /// What was decided last.
  var verdicts: Verdicts { decisions?.verdicts ?? Verdicts() }

  /// Versions that were written, and where to.
  var exported: [VersionID: String] {
    var exported: [VersionID: String] = [:]
    for (line, _) in lines { if let note = line.exported { exported[note.version] = note.path } }
    return exported
  }

  /// Where the reviewer looked last.
  var view: ViewState? { lines.last { $0.line.looked != nil }?.line.looked }

  /// When the last thing happened, in seconds since 1970; sessions that only opened the case do not count.
  var lastSeconds: Double? { (lines.last { $0.line.opened == nil } ?? lines.last)?.line.time }

  /// Versions whose voxels, or whose changes of voxels, cannot be read.
  func damagedVersions(in file: JournalFile) -> Set<VersionID> {
    var (intact, damaged) = (Set<VersionID>(), Set<VersionID>())
    for (note, entry) in versions {
      let hasBase = note.differsFrom.map(intact.contains) ?? true
      if hasBase, file.voxels(of: entry) != nil { intact.insert(note.id) } else { damaged.insert(note.id) }
    }
    for (line, entry) in lines {
      if let edit = line.decided?.edit, file.voxels(of: entry) == nil { damaged.insert(edit.version) }
    }
    return damaged
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
    let (note, entry) = versions[position]
    var base: [UInt16]?
    if let earlier = note.differsFrom {
      // A version can only differ from an older one, so that this comes to an end.
      guard versions[..<position].contains(where: { $0.note.id == earlier }),
        let labels = labels(of: earlier, on: grid, in: file, known: known)
      else { return nil }
      base = labels.voxels
    }
    return file.voxels(of: entry)
      .flatMap { LabelRuns.decode($0, count: grid.size.voxelCount, against: base) }
      .map { ChunkedLabels(LabelVolume(grid: grid, voxels: $0, coding: note.coding ?? .identity)) }
  }

  /// What was done, step by step, oldest first; the number of the step that was reached last; and how many changes of
  /// voxels are damaged.
  ///
  /// - Parameter labels: Those of the versions as they were first written; becomes those at the step that was reached.
  func steps(
    in file: JournalFile, _ labels: inout [VersionID: ChunkedLabels]
  ) -> (steps: [JournalStep], reached: Int?, lostCount: Int) {
    var noted: [(note: JournalLine.Step, number: Int, entry: JournalFile.Entry)] = []
    var reached: Int?
    for (line, entry) in lines {
      if let note = line.decided {
        let number = note.number ?? (noted.last?.number ?? -1) + 1
        reached = number
        if let known = noted.firstIndex(where: { $0.number == number }) {
          noted[known] = (note, number, entry)
        } else {
          noted.append((note, number, entry))
        }
      }
      if let note = line.stands { reached = note.number }
    }
    var lostCount = 0
    let steps = noted.map { note, number, entry in
      var step = JournalStep(
        number: number, name: note.step, decisions: note.decisions, relabellings: note.relabellings ?? [])
      guard let edit = note.edit, let before = labels[edit.version] else { return step }
      guard let after = before.changed(edit.box, file.voxels(of: entry)) else {
        lostCount += 1
        return step
      }
      labels[edit.version] = after
      step.edit = LabelChange(from: before, to: after).map {
        JournalStep.Edit(version: edit.version, change: $0, labels: after)
      }
      return step
    }
    // Undone steps are in the history, but not in the labels.
    if let position = steps.firstIndex(where: { $0.number == reached }) {
      for step in steps[(position + 1)...].reversed() {
        guard let edit = step.edit, let last = labels[edit.version] else { continue }
        labels[edit.version] = last.applying(edit.change.inverse)
      }
    }
    return (steps, reached, lostCount)
  }
}

extension ChunkedLabels {
  /// These labels with those of a journal's record in a box; nil where the record is damaged or the box is none of theirs.
  fileprivate func changed(_ box: VoxelBounds, _ record: Data?) -> ChunkedLabels? {
    guard (0..<3).allSatisfy({ box.lower[$0] >= 0 && box.lower[$0] <= box.upper[$0] }),
      grid.size.contains(box.upper),
      let voxels = record.flatMap({ LabelRuns.decode($0, count: box.size.voxelCount) })
    else { return nil }
    return setting(in: box) { voxel, _ in voxels[box.size.offset(voxel - box.lower)] }
  }
}

/// Moments as the journal's readers see them.
enum JournalTime {
  /// "14:46", with the date where it was another day.
  static func text(_ seconds: Double, now: Double = Date.now.timeIntervalSince1970) -> String {
    let day = formatted(seconds, "%Y-%m-%d")
    let time = formatted(seconds, "%H:%M")
    return day == formatted(now, "%Y-%m-%d") ? time : "\(day) \(time)"
  }

  /// The local time in a format of `strftime`; "-" for what is no time.
  static func formatted(_ seconds: Double, _ format: String) -> String {
    guard seconds.isFinite, abs(seconds) < 1e11 else { return "-" }
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
