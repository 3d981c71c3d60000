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

  /// The decisions so far, oldest first.
  var steps: [UndoHistory.Step] {
    lines.compactMap { line, _ in
      line.decided.map { UndoHistory.Step(name: $0.step, decisions: $0.decisions) }
    }
  }

  /// What was decided last.
  var verdicts: Verdicts { steps.last?.decisions.verdicts ?? Verdicts() }

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

  /// The voxels of a version; nil when they, or those that they differ from, are damaged or make another number.
  ///
  /// - Parameter known: Voxels of versions that were read before.
  func voxels(
    of id: VersionID, count: Int, in file: JournalFile, known: (VersionID) -> [UInt16]? = { _ in nil }
  ) -> [UInt16]? {
    if let voxels = known(id) { return voxels }
    guard let position = versions.firstIndex(where: { $0.note.id == id }) else { return nil }
    let (note, entry) = versions[position]
    var base: [UInt16]?
    if let earlier = note.differsFrom {
      // A version can only differ from an older one, so that this comes to an end.
      guard versions[..<position].contains(where: { $0.note.id == earlier }),
        let voxels = voxels(of: earlier, count: count, in: file, known: known)
      else { return nil }
      base = voxels
    }
    return file.voxels(of: entry).flatMap { LabelRuns.decode($0, count: count, against: base) }
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
