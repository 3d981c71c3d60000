import Foundation
import Journal
import Work
import Worklist

/// The folder of a cohort's results: where each file lies.
package struct CohortFolder: Equatable, Sendable {
  package let path: String
  /// Whether it is a derivative of a BIDS dataset.
  package let isBIDS: Bool

  /// The folder at a path, which need not exist.
  package init(_ path: String, isBIDS: Bool) { (self.path, self.isBIDS) = (path, isBIDS) }

  /// The settings with which the cohort runs.
  package var settingsFile: String { FilePath.joined(path, Self.settingsName) }
  /// Every case, as a worklist file without the masks of the cohort.
  package var casesFile: String { FilePath.joined(path, "cases.csv") }
  /// The worklist that readers open: every case, with the masks that are there.
  package var worklistFile: String { FilePath.joined(path, "worklist.csv") }
  /// A row for each label of each case.
  package var tableFile: String { FilePath.joined(path, "results.csv") }
  /// The last record of each case.
  package var resultsFile: String { FilePath.joined(path, "results.jsonl") }
  /// The files of records, one for each task.
  package var recordsFolder: String { FilePath.joined(path, "tasks") }
  package var picturesFolder: String { FilePath.joined(path, "pictures") }
  /// Lists, scripts and output of batch jobs.
  package var jobsFolder: String { FilePath.joined(path, "jobs") }

  private static let settingsName = "cohort.json"

  /// Whether a folder holds the results of a cohort.
  package static func isCohort(_ path: String) -> Bool {
    FileSystem.exists(FilePath.joined(path, settingsName))
  }

  /// The mask of a case, from ``path``.
  /// - Parameter version: The name of the masks' version.
  package func mask(of item: WorklistCase, version: String) -> String {
    guard isBIDS, let image = item.images.first, let name = BIDSName(ofImage: image) else {
      return "masks/\(Self.fileName(item.name)).nii.gz"
    }
    return name.derivative(description: version, suffix: "dseg.nii.gz")
  }

  /// The class probabilities of a case, from ``path``.
  package func probabilities(of item: WorklistCase, version: String) -> String {
    guard isBIDS, let image = item.images.first, let name = BIDSName(ofImage: image) else {
      return "probabilities/\(Self.fileName(item.name)).nii.gz"
    }
    return name.derivative(description: version, suffix: "probseg.nii.gz")
  }

  /// The picture of a case, from ``path``.
  package static func picture(of item: WorklistCase) -> String { "pictures/\(fileName(item.name)).png" }

  /// The file that stands for the right to compute a case.
  package func claim(of item: WorklistCase) -> String {
    FilePath.joined(recordsFolder, Self.fileName(item.name))
  }

  /// A file name for a case that every system accepts: characters that some refuse become `_`, and a name that was changed
  /// gets a checksum, so that two names stay two.
  static func fileName(_ name: String) -> String {
    let plain = String(
      name.map {
        "/\\:*?\"<>|".contains($0) || $0.unicodeScalars.contains(where: \.isTerminalControl) ? "_" : $0
      }
    ).trimmingCharacters(in: .whitespaces)
    let isPlain = plain == name && !plain.hasPrefix(".") && !plain.hasPrefix("-") && !plain.isEmpty
    if isPlain { return name }
    let checksum = CRC32.checksum(of: Data(FilePath.bytes(of: name)))
    return "_\(plain)-" + String(format: "%08x", checksum)
  }
}
