import Foundation
import Journal
import Review
import Volumes

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
    /// The SHA-256 of the model's file, of a network's version.
    var modelChecksum: String?
    var auxiliaryHeadCount: Int
    var advisedSettings: RefinementSettings?
    var warnings: [String]
  }

  /// Names and colours of a version's labels.
  struct LabelsNote: Codable {
    var version: VersionID
    var labels: LabelTable
  }

  /// A step and the decisions behind it.
  struct Step: Codable {
    var step: String
    var decisions: Decisions
  }

  /// Voxels of a version inside a box changed in a step.
  struct EditNote: Codable {
    var version: VersionID
    var step: String
    /// The first voxel of the box and the last one.
    var box: VoxelBounds
  }

  /// A version was written to a file.
  struct Export: Codable {
    var version: VersionID
    var path: String
  }

  /// Seconds since 1970.
  var time: Double
  var opened: Opening?
  var version: VersionNote?
  var labels: LabelsNote?
  var edited: EditNote?
  var decided: Step?
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

/// What a journal says, without voxels.
struct JournalReading {
  /// Every line that is understood, oldest first, with its record.
  private(set) var lines: [(line: JournalLine, entry: JournalFile.Entry)] = []
  /// Records that are damaged.
  let damagedCount: Int

  init(_ contents: JournalFile.Contents) {
    damagedCount = contents.damagedCount
    lines = contents.entries.compactMap { entry in JournalLine(entry.text).map { ($0, entry) } }
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
  var decisions: Decisions? { lines.last { $0.line.decided != nil }?.line.decided?.decisions }

  /// What was decided last.
  var verdicts: Verdicts { decisions?.verdicts ?? Verdicts() }

  /// Versions that were written, and where to.
  var exported: [VersionID: String] {
    var exported: [VersionID: String] = [:]
    for (line, _) in lines {
      if let note = line.exported { exported[note.version] = note.path }
      // What was written is not what there is now.
      if let note = line.edited { exported[note.version] = nil }
    }
    return exported
  }

  /// Where the reviewer looked last.
  var view: ViewState? { lines.last { $0.line.looked != nil }?.line.looked }

  /// When the last thing happened, in seconds since 1970; sessions that only opened the case do not count.
  var lastSeconds: Double? { (lines.last { $0.line.opened == nil } ?? lines.last)?.line.time }

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

  /// What was done, step by step, oldest first, and how many changes of voxels are damaged.
  ///
  /// - Parameter labels: Those of the versions as they were first written; takes all changes of voxels.
  func steps(
    in file: JournalFile, _ labels: inout [VersionID: ChunkedLabels]
  ) -> (steps: [JournalledStep], lostCount: Int) {
    var steps: [JournalledStep] = []
    var decisions = Decisions()
    var lostCount = 0
    for (line, entry) in lines {
      if let decided = line.decided {
        decisions = decided.decisions
        steps.append(JournalledStep(name: decided.step, decisions: decisions))
      }
      guard let note = line.edited, let before = labels[note.version] else { continue }
      let (lower, size) = (note.box.lower, before.grid.size)
      guard (0..<3).allSatisfy({ lower[$0] >= 0 && lower[$0] <= note.box.upper[$0] }),
        size.contains(note.box.upper),
        let voxels = file.voxels(of: entry)
          .flatMap({ LabelRuns.decode($0, count: note.box.size.voxelCount) })
      else {
        lostCount += 1
        continue
      }
      let after = before.setting(in: note.box) { voxel, _ in voxels[note.box.size.offset(voxel - lower)] }
      labels[note.version] = after
      guard let change = LabelChange(from: before, to: after) else { continue }
      steps.append(
        JournalledStep(name: note.step, decisions: decisions, edited: note.version, edit: change))
    }
    return (steps, lostCount)
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
