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
    /// The frame of it whose content the journal belongs to; nil for the first.
    var frame: Int?
    /// The image's grid, on which all versions lie.
    var grid: VolumeGrid
    /// The program that wrote what follows.
    var program: String
    /// The masks' files then.
    var masks: [String]?
    /// Lost records that were there and were told; nil for none.
    var damagedCount: Int?
  }

  /// Everything of a version but its voxels.
  struct VersionNote: Codable {
    var id: VersionID
    var name: String
    var origin: Version.Origin
    /// Names and colours of its labels.
    var labels: LabelTable
    /// The same with the colours of the structures, where they are others.
    var shown: LabelTable?
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
    /// Whether changes by hand are missing in these voxels: what was accepted before is another mask.
    var lacksChanges: Bool?
    var auxiliaryHeadCount: Int
    var advisedSettings: RefinementSettings?
    var warnings: [String]
  }

  /// Names and colours of a version's labels.
  struct LabelsNote: Codable {
    var version: VersionID
    var labels: LabelTable
    /// The same with the colours of the structures, where they are others.
    var shown: LabelTable?
  }

  /// A step of the history and the decisions behind it; the record has the voxels of its edits.
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
    /// The number of the earlier step whose decisions and voxels are those behind this one; nil for none.
    var returnsTo: Int?
    /// Names and colours that changed.
    var relabellings: [DecisionChange.Relabelling]?
    /// What changed, the voxels of one box behind those of the other.
    var edits: [Edit]?
    /// The one change of an older program's record.
    var edit: Edit?

    /// All changes of voxels.
    var changes: [Edit] { edits ?? [edit].compactMap(\.self) }
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
