import Foundation
import ImageFormats
import Tensors
import Volumes
import Work

/// What lies beside a written mask as `NAME.json`: all that reproduces it.
package struct MaskRecord: Codable {
  /// What became of a file between its opening and the writing of the record.
  enum Change: String, Codable {
    case changed = "changed since it was opened"
    case vanished = "gone since it was opened"
  }

  /// A file and its content when it was opened.
  package struct File: Codable, Equatable {
    /// As the user named it.
    var path: String
    /// From the root of the file system on.
    var absolutePath: String?
    /// Of what was read; nil where that was written over before its checksum was known.
    var sha256: String?
    /// What became of it since.
    var change: Change?
    /// The other file of a pair of header and voxels.
    var parts: [File]?

    /// The same with what became of the file since, by its content now.
    func comparedWithDisk(_ work: WorkContext) throws(Cancelled) -> File {
      var file = self
      let currentPath = absolutePath ?? path
      do {
        file.change = try Checksum.sha256(ofFile: currentPath, work: work) == sha256 ? nil : .changed
      } catch is Cancelled {
        throw Cancelled()
      } catch {
        file.change = FileSystem.exists(currentPath) ? .changed : .vanished
      }
      file.parts = try parts?.map { part throws(Cancelled) in try part.comparedWithDisk(work) }
      return file
    }
  }

  /// A model and its file's content.
  var model: File?
  /// The image.
  var input: File?
  /// Images that the CRF compared together with the first.
  var furtherInputs: [File]?
  /// A mask or probabilities that the mask was made from.
  var source: File?
  /// What `segment` wrote beside those probabilities, where it was used.
  var sidecar: File?
  /// The mask.
  var output: File?
  /// The CRF, when one ran.
  var refinement: RefinementSettings?
  /// Probability of the source mask's label, when the CRF started from a mask.
  var maskConfidence: Double?
  /// Names and colours of the mask's labels.
  var labels: [LabelNames.Entry]?
  /// The program that wrote it.
  var tool: String? = "segdeck \(SegdeckVersion.text)"
  /// The vector instructions that the network and the CRF used; others may round otherwise.
  var instructionSet: String? = KernelLevel.currentName
  /// Threads that computed; results do not depend on them.
  var threads: Int?
  /// Commands that make the same mask again, in order; ``outputName`` stands for the file that the last one writes.
  var commands: [String] = []
  /// Voxels that were changed by hand behind the commands; nil for none.
  var voxelsChangedByHand: Int?
  /// Who reviewed it, when and how; only of masks exported from a review.
  var review: ReviewRecord?

  /// What stands in ``commands`` for the mask to be written.
  static let outputName = "OUTPUT"

  /// What stands there for the probabilities that a command writes and a later one reads.
  static let probabilitiesName = "probabilities.nii.gz"

  /// Every file that the mask was made from.
  var inputs: [File] { [model, input, source, sidecar].compactMap(\.self) + (furtherInputs ?? []) }

  /// The record of a mask: `NAME.json` beside `NAME.nii.gz`.
  static func path(besideMask path: String) -> String {
    ImageName.stem(of: path) + ".json"
  }

  /// What is written with a mask: its record and the names of its labels.
  static func companions(ofMask path: String) -> [String] {
    [Self.path(besideMask: path), LabelNamesFile.path(besideMask: path)]
  }

  /// The record of the mask at `path`, whose content `mask` holds, still beside its place.
  /// - Throws: ``InputError`` when it cannot be written; ``Cancelled``.
  func pending(for mask: PendingFile, at path: String, work: WorkContext) throws -> PendingFile {
    var record = self
    record.output = File(
      path: path, absolutePath: FilePath.absolute(path),
      sha256: try Checksum.sha256(ofFile: mask.contentPath, work: work))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(record) else {
      preconditionFailure("a record holds only finite numbers")
    }
    return try AtomicFile.pending(data + Data("\n".utf8), for: Self.path(besideMask: path))
  }

  /// Writes a mask, the names of its labels and this record to `outputPath`: all three or none.
  /// - Throws: ``InputError`` when one of them cannot be written; ``Cancelled``.
  func write(
    _ mask: LabelVolume, _ table: LabelTable, source: ImageSource, to outputPath: OutputPath,
    with others: [PendingFile] = [], work: WorkContext
  ) throws {
    let file = try mask.pending(for: outputPath.path, source: source, work: work)
    var record = self
    let names = LabelNames(table, coding: mask.coding)
    record.labels = names.entries
    let namesFile = try LabelNamesFile.pending(names, besideMask: outputPath.path)
    let recordFile = try record.pending(for: file, at: outputPath.path, work: work)
    try work.checkCancellation()
    try PendingFile.commit(others + [file, namesFile, recordFile])
  }
}

extension MaskRecord {
  /// What became of the inputs since they were opened, a line for each that is no longer as it was.
  var changes: [String] {
    inputs.flatMap { [$0] + ($0.parts ?? []) }.compactMap { file in
      file.change.map { "\(file.path) \($0 == .changed ? "changed" : "is gone") since it was opened" }
    }
  }

  /// Says on stderr which inputs are no longer as they were read.
  func noteChanges() {
    for line in changes { Console.note(line) }
  }
}
