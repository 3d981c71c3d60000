import Foundation
import ImageFormats
import Journal
import Review
import Screen
import Volumes
import Work

/// The text of a journal's record: a timestamp and one event.
struct JournalLine: Codable {
  /// A session began.
  struct Opening: Codable {
    var caseName: String
    /// The folder of the records of the worklist that the case belongs to, and its reader; nil for an image by itself.
    var worklist, reader: String?
    /// The path of the image.
    var image: String
    /// The choice of one of several series in the image's file or folder; nil for none.
    var series: String?
    /// The frame that identifies the journal; nil for the first.
    var frame: Int?
    /// The grid of the image and of all versions.
    var grid: VolumeGrid
    /// The program that wrote the following records.
    var program: String
    /// The paths of the masks.
    var masks: [String]?
    /// The earlier version that each of them is, by its position; absent for masks that were new.
    var knownMasks: [Int: VersionID]?
    /// The number of lost records that were reported already; nil for none.
    var damagedCount: Int?
  }

  /// The properties of a version without its voxels.
  struct VersionNote: Codable {
    var id: VersionID
    var name: String
    var origin: Version.Origin
    /// Names and colours of its labels.
    var labels: LabelTable
    /// The label table with the colours of the structures, where they differ.
    var shown: LabelTable?
    /// The coding of its voxels, where it is not the identity.
    var coding: LabelCoding?
    /// The earlier version from which its voxels are differences; nil for none.
    var differsFrom: VersionID?
    /// The oldest version with the same values and names, where it is another one.
    var family: VersionID?
    /// The frame of the image that network or CRF read.
    var frame: Int?
    /// The file of a mask or model with its checksum.
    var file: MaskRecord.File?
    /// The SHA-256 of the model's file, in journals that do not state ``file``.
    var modelChecksum: String?
    /// The selections that merged several values of a mask's file into one label.
    var merged: [LabelSelection]?
    /// The SHA-256 of a mask's labels, which identifies the mask where the voxels here are damaged.
    var labelsChecksum: String?
    /// Whether edits are missing in these voxels, so that an earlier acceptance was of another mask.
    var lacksChanges: Bool?
    var auxiliaryHeadCount: Int
    var advisedSettings: RefinementSettings?
    var warnings: [String]
  }

  /// Names and colours of a version's labels.
  struct LabelsNote: Codable {
    var version: VersionID
    var labels: LabelTable
    /// The label table with the colours of the structures, where they differ.
    var shown: LabelTable?
  }

  /// A step of the history and the decisions after it; the record has the voxels of its edits.
  struct Step: Codable {
    /// Voxels of a version inside a box changed.
    struct Edit: Codable {
      var version: VersionID
      /// The first voxel of the box and the last one.
      var box: VoxelBounds
    }

    /// The number of the step; a later step with the same number replaces it.
    ///
    /// nil in journals of older programs.
    var number: Int?
    var step: String
    var decisions: Decisions
    /// The number of the earlier step whose decisions and voxels are those after this one; nil for none.
    var returnsTo: Int?
    /// Names and colours that changed.
    var relabellings: [DecisionChange.Relabelling]?
    /// The edits.
    ///
    /// The voxels of their boxes follow one another in the record.
    var edits: [Edit]?
    /// The edit of a record of an older program.
    var edit: Edit?

    var changes: [Edit] { edits ?? [edit].compactMap(\.self) }
  }

  /// The current step of the history and the decisions that are valid.
  struct Position: Codable {
    var number: Int
    var decisions: Decisions
  }

  /// A version was written to a file.
  ///
  /// The path is nil where the version changed since.
  struct Export: Codable {
    var version: VersionID
    var path: String?
  }

  /// The timestamp in seconds since 1970.
  var time: Double
  var opened: Opening?
  var version: VersionNote?
  var labels: LabelsNote?
  var decided: Step?
  var position: Position?
  var exported: Export?
  var view: ViewState?

  /// The keys of journals on the disk.
  enum CodingKeys: String, CodingKey {
    case time, opened, version, labels, decided
    case position = "stands"
    case exported
    case view = "looked"
  }

  /// A line with the current time.
  init() { time = Date.now.timeIntervalSince1970 }

  /// The line as JSON; infinities and NaN are strings.
  var text: Data { anyJSON(self) }

  /// Decodes a line; nil where this program does not understand it.
  init?(_ text: Data) {
    guard let line = try? JSONDecoder.ofAnyNumbers().decode(JournalLine.self, from: text) else { return nil }
    self = line
  }
}

extension JournalLine.Opening {
  /// The path of the image and the choice of its series: "/data/mr.dcm, series 2".
  var imageText: String { image + (series.map { ", series \($0)" } ?? "") }

  /// The image's entry in a record, without a checksum.
  var imageFile: MaskRecord.File {
    MaskRecord.File(
      path: image, absolutePath: image, choice: series.map { ImageReadingOptions(series: $0) })
  }
}

extension JournalLine.VersionNote {
  /// The file of a mask or model for a record, compared with its current content.
  /// - Returns: nil for versions that were made from others, and where the file is unknown.
  func source(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File? {
    if let file { return try file.comparedWithDisk(work) }
    guard case .network(let modelID, _) = origin, let modelChecksum else { return nil }
    let path = (try? ModelLibrary.path(modelID)) ?? modelID
    return try MaskRecord.File(path: path, absolutePath: FilePath.absolute(path), sha256: modelChecksum)
      .comparedWithDisk(work)
  }
}
