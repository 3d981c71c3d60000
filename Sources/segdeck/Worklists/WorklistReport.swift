import Foundation
import Volumes
import Work
import Worklist

/// The rows of a worklist as a table and as JSON.
struct WorklistReport {
  /// The folder or file as it was given.
  let place: String
  let rows: [CaseRow]
  /// Cases before the filter.
  let caseCount: Int
  let isMeasured: Bool

  /// A table with a row for each case, what is unusual below it, and a line with the counts.
  var text: String {
    var heading = ["case", "image", "masks", "verdict", "readers", "score"]
    if isMeasured { heading += ["dice", "flags"] }
    var table = TextTable(heading: heading)
    table.leftAlignedColumns = 5
    table.rows = rows.map { row in
      let verdict = row.statusText + (row.review?.isDisputed == true ? " (disputed)" : "")
      var cells = [
        row.item.name, row.item.images.first.map(below) ?? "-", joined(row.item.masks.map(\.name)), verdict,
        joined(row.review?.readers ?? []), row.review?.decision?.score.map(String.init) ?? "-",
      ]
      if isMeasured { cells += [TextTable.cell(row.measures?.lowestDice, 3), "\(row.flags.count)"] }
      return cells
    }
    let flags = rows.flatMap { row in row.flags.map { "\(row.item.name): \($0.text)".printableLine } }
    let decided = rows.count { $0.review?.decision != nil }
    let shown =
      rows.count == caseCount ? counted(caseCount, "case") : "\(rows.count) of \(counted(caseCount, "case"))"
    return ([table.text] + flags + ["\(shown), \(decided) decided"]).joined(separator: "\n")
  }

  private func joined(_ names: [String]) -> String { names.isEmpty ? "-" : names.joined(separator: ", ") }

  /// A path as it is below the folder.
  private func below(_ path: String) -> String {
    let folder = FileSystem.isFolder(place) ? place : FilePath.folder(of: place)
    let beginning = folder.isEmpty || folder.hasSuffix("/") ? folder : folder + "/"
    return path.hasPrefix(beginning) ? String(path.dropFirst(beginning.count)) : path
  }

  /// JSON: an array of cases with keys in snake case.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(rows.map(ListedCase.init))
  }
}

/// A case with its JSON names.
private struct ListedCase: Encodable {
  struct Mask: Encodable {
    var name, path: String
  }

  struct Decision: Encodable {
    var reader: String
    var time: String
    var verdict: String?
    var flagged: Bool
    var score: Int?
    var comment: String
    var tags: [String]
    var seconds: Double
    var version, exported: String?

    init(_ event: CaseRecord) {
      (reader, time) = (event.reader, event.time)
      verdict = event.decision.verdict?.rawValue
      flagged = event.decision.isFlagged
      score = event.decision.score
      (comment, tags, seconds) = (event.decision.comment, event.decision.tags, event.decision.seconds)
      version = event.decision.version?.name
      exported = event.decision.version?.exportedPath
    }
  }

  struct LabelRow: Encodable {
    var value: Int
    var name: String
    var ml: Double
    var components, holes, missingSlices: Int
    var touches: [String]
    var dice: Double?

    init(_ label: CaseMeasures.LabelMeasures) {
      (value, name, ml) = (label.value, label.name, label.millilitres)
      (components, holes, missingSlices) = (label.componentCount, label.holeCount, label.missingSliceCount)
      touches = label.touchedSides.map(\.rawValue)
      dice = label.dice
    }
  }

  var name: String
  var images: [String]
  var masks: [Mask]
  var probabilities: [String]
  var columns: [Column]
  var missingFiles: [String]
  var status: [String]
  var disputed: Bool
  var decisions: [Decision]
  var labels: [LabelRow]?
  var flags: [String]

  /// A cell of a further column; names of columns are not keys, because snake case would change them.
  struct Column: Encodable {
    var name, value: String
  }

  init(_ row: CaseRow) {
    name = row.item.name
    images = row.item.images
    masks = row.item.masks.map { Mask(name: $0.name, path: $0.path) }
    probabilities = row.item.probabilities
    columns = row.item.values.sorted { $0.key < $1.key }.map { Column(name: $0.key, value: $0.value) }
    missingFiles = row.item.missingFiles
    status = row.statuses.map(\.rawValue)
    disputed = row.review?.isDisputed == true
    let review = row.review
    decisions = (review?.readers ?? []).compactMap { review?.entries[$0] }.map { Decision($0.last) }
    labels = row.measures?.labels.map(LabelRow.init)
    flags = row.flags.map(\.text)
  }
}
