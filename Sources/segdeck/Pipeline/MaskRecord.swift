import Foundation
import ImageFormats
import Volumes
import Work

/// What lies beside a written mask as `NAME.json`: all that reproduces it.
struct MaskRecord: Codable {
  /// A file and its content.
  struct File: Codable {
    var path: String
    var sha256: String

    init(_ path: String) throws(InputError) {
      self.path = path
      sha256 = try Checksum.sha256(ofFile: path)
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
  /// The mask.
  var output: File?
  /// The CRF, when one ran.
  var refinement: RefinementSettings?
  /// Probability of the source mask's label, when the CRF started from a mask.
  var maskConfidence: Double?
  /// The program that wrote it.
  var tool = "segdeck \(SegdeckVersion.text)"
  /// Commands that make the same mask again, in order.
  var commands: [String] = []
  /// Who reviewed it, when and how; only of masks exported from a review.
  var review: ReviewRecord?

  /// The record of a mask: `NAME.json` beside `NAME.nii.gz`.
  static func path(besideMask path: String) -> String {
    for ending in [".nii.gz", ".nii", ".hdr", ".img"] where path.lowercased().hasSuffix(ending) {
      return path.dropLast(ending.count) + ".json"
    }
    return path + ".json"
  }

  /// What is written with a mask: its record and the names of its labels.
  static func companions(ofMask path: String) -> [String] {
    [Self.path(besideMask: path), LabelNamesFile.path(besideMask: path)]
  }

  /// Writes the record beside its mask.
  func write(besideMask path: String) throws(InputError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a record holds only finite numbers")
    }
    try AtomicFile.write(data + Data("\n".utf8), to: Self.path(besideMask: path))
  }
}

/// What a reviewer decided.
struct ReviewRecord: Codable {
  var reviewer: String
  var verdict: String?
  var version: String
  var exported: String
}
