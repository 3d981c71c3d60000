import Cohort
import Foundation
import ImageFormats
import Tensors
import Volumes
import Work

/// The record `NAME.json` beside a written mask, with everything that reproduces the mask.
package struct MaskRecord: Codable {
  /// A change of a file between its opening and the writing of the record.
  enum Change: String, Codable {
    case changed = "changed since it was opened"
    case vanished = "gone since it was opened"
  }

  /// A file and the checksum of its content when it was opened.
  package struct File: Codable, Equatable {
    /// The path as the user gave it.
    var path: String
    var absolutePath: String?
    /// The checksum of the content that was read; nil where it was overwritten before the checksum was known.
    var sha256: String?
    /// The change since it was opened.
    var change: Change?
    /// The other files of an image with header and voxels in several files.
    var parts: [File]?
    /// The number of files of a series, where ``sha256`` is that of their concatenated contents; nil for a single file.
    var fileCount: Int?
    /// What was chosen of several series, segments or layers; nil where nothing was.
    var choice: ImageReadingOptions?

    /// This entry with ``change`` set by the file's current content.
    /// - Throws: ``Cancelled``.
    func comparedWithDisk(_ work: WorkContext) throws(Cancelled) -> File {
      var file = self
      let currentPath = absolutePath ?? path
      do {
        file.change = try Checksum.sha256(of: self, at: currentPath, work: work) == sha256 ? nil : .changed
      } catch is Cancelled {
        throw Cancelled()
      } catch {
        file.change = FileSystem.exists(currentPath) ? .changed : .vanished
      }
      file.parts = try parts?.map { part throws(Cancelled) in try part.comparedWithDisk(work) }
      return file
    }
  }

  var model: File?
  /// The image.
  var input: File?
  /// Further images of the network or the CRF.
  var furtherInputs: [File]?
  /// The mask or the probabilities that the CRF started from.
  var source: File?
  /// The sidecar of the probabilities, where it was used.
  var sidecar: File?
  /// The mask.
  var output: File?
  /// The CRF's settings; nil where it did not run.
  var refinement: RefinementSettings?
  /// Probability of the source mask's label, when the CRF started from a mask.
  var maskConfidence: Double?
  /// Names and colours of the mask's labels.
  var labels: [LabelNames.Entry]?
  /// The program that wrote it.
  var tool: String? = "segdeck \(SegdeckVersion.text)"
  /// The vector instructions that the network and the CRF used; others may round differently.
  var instructionSet: String? = KernelLevel.currentName
  /// The number of threads; results do not depend on it.
  var threads: Int?
  /// Commands that reproduce the mask, in order; ``outputName`` is the placeholder for the file that the last one
  /// writes.
  var commands: [String] = []
  /// The number of voxels that were edited by hand after the commands; nil for none.
  var voxelsChangedByHand: Int?
  /// The review; only of masks that were exported from a review.
  var review: ReviewRecord?

  /// The placeholder in ``commands`` for the mask to be written.
  static let outputName = "OUTPUT"

  /// The placeholder for the probabilities that a command writes and a later one reads.
  static let probabilitiesName = "probabilities.nii.gz"

  /// Every file that the mask was made from.
  var inputs: [File] { [model, input, source, sidecar].compactMap(\.self) + (furtherInputs ?? []) }

  /// The record of a mask: `NAME.json` beside `NAME.nii.gz`.
  static func path(besideMask path: String) -> String {
    ImageName.stem(of: path) + ".json"
  }

  /// The files that are written with a mask: its record and, where the mask's own file states none, its label names.
  static func companions(ofMask path: String) -> [String] {
    [Self.path(besideMask: path)] + LabelNamesFile.paths(writtenWithMask: path)
  }

  /// The record of a mask as a pending file.
  /// - Parameters:
  ///   - mask: Its files, the one that was named first.
  ///   - sidecar: What BIDS wants to know of the mask, in the same object; nil outside of a dataset.
  /// - Throws: ``InputError`` when it cannot be written; ``Cancelled``.
  func pending(
    for mask: [PendingFile], with sidecar: BIDSSidecar? = nil, work: WorkContext
  ) throws -> PendingFile {
    var parts = try mask.map { file in
      File(
        path: file.path, absolutePath: FilePath.absolute(file.path),
        sha256: try Checksum.sha256(ofFile: file.contentPath, work: work))
    }
    var output = parts.removeFirst()
    let path = output.path
    output.parts = parts.isEmpty ? nil : parts
    var record = self
    record.output = output
    return try AtomicFile.pending(
      finiteJSON(JoinedObjects(record, sidecar), isIndented: true) + Data("\n".utf8),
      for: Self.path(besideMask: path))
  }

  /// The names that a mask has in its files: those that its own file states, where its format holds names, because it may
  /// hold less of them; else `names`, which are written beside it.
  /// - Parameter files: As for ``pending(for:work:)``.
  /// - Throws: ``InputError`` when the file cannot be read back.
  static func names(_ names: LabelNames, heldBy files: [PendingFile]) throws -> LabelNames {
    guard let mask = files.first, ImageName.holdsLabelNames(mask.path) else { return names }
    return try ReadFiles.withoutRegistering { () throws(InputError) in
      do { return try ImageFile.open(mask.contentPath).labelNames ?? LabelNames() } catch {
        throw error as? InputError ?? InputError(mask.path, "\(error)")
      }
    }
  }

  /// Writes a mask, the names of its labels and this record to `outputPath`: all three or none.
  /// - Parameter sidecar: What BIDS wants to know of the mask, whose names are a table then; nil outside of a dataset.
  /// - Throws: ``InputError`` when one of them cannot be written; ``Cancelled``.
  func write(
    _ mask: LabelVolume, _ table: LabelTable, source: ImageSource, to outputPath: OutputPath,
    with others: [PendingFile] = [], bids sidecar: BIDSSidecar? = nil, work: WorkContext
  ) throws {
    let names = LabelNames(table, coding: mask.coding)
    let files = try mask.pending(for: outputPath.path, source: source, names: names, work: work)
    var record = self
    record.labels = try Self.names(names, heldBy: files).entries
    let tablePath = ImageName.stem(of: outputPath.path) + ".tsv"
    let namesFiles =
      try sidecar == nil
      ? LabelNamesFile.pending(names, withMask: outputPath.path)
      : [AtomicFile.pending(LabelNamesFormat.bids.encoded(names), for: tablePath)]
    let recordFile = try record.pending(for: files, with: sidecar, work: work)
    try work.checkCancellation()
    try PendingFile.commit(others + files + namesFiles + [recordFile])
  }
}

extension MaskRecord {
  /// A line for each input that changed or vanished since it was opened.
  var changes: [String] {
    inputs.flatMap { [$0] + ($0.parts ?? []) }.compactMap { file in
      file.change.map { "\(file.path) \($0 == .changed ? "changed" : "is gone") since it was opened" }
    }
  }

  /// Prints a note for each of ``changes``.
  func noteChanges() {
    for line in changes { Console.note(line) }
  }
}

/// Two objects of JSON as one, with the members of both.
struct JoinedObjects<First: Encodable, Second: Encodable>: Encodable {
  private let first: First
  private let second: Second?

  /// The members of the first alone where there is no second.
  init(_ first: First, _ second: Second?) { (self.first, self.second) = (first, second) }

  func encode(to encoder: any Encoder) throws {
    try first.encode(to: encoder)
    try second?.encode(to: encoder)
  }
}
