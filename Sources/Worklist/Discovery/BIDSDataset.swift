import Foundation
import Volumes
import Work

/// A dataset in the layout of BIDS, as its folder says: with `dataset_description.json` or `participants.tsv`, and folders
/// of subjects.
package struct BIDSDataset: Equatable, Sendable {
  package let path: String

  /// The dataset in a folder; nil where it is none.
  package init?(_ path: String) {
    guard let names = try? FileSystem.names(in: path), names.contains(where: { $0.hasPrefix("sub-") }),
      names.contains("dataset_description.json") || names.contains("participants.tsv")
    else { return nil }
    self.path = path
  }

  /// The folder for what this program derives of it.
  package var derivative: String { FilePath.joined(path, "derivatives/segdeck") }

  /// The columns of `participants.tsv` but the first, and their cells by subject ("sub-01"); nothing where there is no
  /// such file.
  ///
  /// Cells "n/a" are empty.
  /// - Throws: ``InputError`` where it cannot be read, or its first column is not `participant_id`.
  func participants() throws(InputError) -> (columns: [String], cells: [String: [String: String]]) {
    let file = FilePath.joined(path, "participants.tsv")
    guard let data = try FileSystem.readIfPresent(file) else { return ([], [:]) }
    let rows = (String(textOf: data) ?? String(decoding: data, as: UTF8.self))
      .split(whereSeparator: \.isNewline).map { line in
        line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).trimmingSpaces }
      }
    guard let heading = rows.first, heading.first == "participant_id" else {
      throw InputError(
        file, "is no list of participants", found: rows.first?.first ?? "nothing",
        expected: "participant_id as its first column")
    }
    let columns = heading.dropFirst().filter { !$0.isEmpty }
    var cells: [String: [String: String]] = [:]
    for row in rows.dropFirst() {
      let pairs = zip(heading, row).dropFirst().filter { !$0.0.isEmpty && !$0.1.isEmpty && $0.1 != "n/a" }
      cells[row[0]] = Dictionary(pairs.map { ($0.0, $0.1) }, uniquingKeysWith: { first, _ in first })
    }
    return (Array(columns), cells)
  }

  /// Gives the cases of the dataset what is known of their participants, as further columns.
  ///
  /// A column whose name means something in a worklist is left out.
  /// - Throws: As ``participants()``.
  func addParticipants(to worklist: inout Worklist) throws(InputError) {
    let (columns, cells) = try participants()
    let usable = columns.filter { name in
      if case .other(name) = WorklistColumn(heading: name), !worklist.columns.contains(name) {
        true
      } else {
        false
      }
    }
    guard !usable.isEmpty else { return }
    let beginning = path.hasSuffix("/") ? path : path + "/"
    var isUsed = false
    for index in worklist.cases.indices {
      guard let image = worklist.cases[index].images.first, image.hasPrefix(beginning) else { continue }
      let subject = String(image.dropFirst(beginning.count).prefix { $0 != "/" })
      guard let own = cells[subject] else { continue }
      for name in usable { worklist.cases[index].values[name] = own[name] }
      isUsed = true
    }
    if isUsed { worklist.columns += usable }
  }
}
