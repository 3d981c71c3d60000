import Foundation
import Report
import Review
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
        row.item.name, imageText(row.item), joined(maskNames(row.item)), verdict,
        joined(row.review?.readers ?? []), row.review?.decision?.score.map(String.init) ?? "-",
      ]
      if isMeasured { cells += [TextTable.cell(row.measures?.lowestDice, 3), "\(row.flags.count)"] }
      return cells
    }
    let flags = rows.flatMap { row in row.flags.map { "\(row.item.name): \($0.text)".printableLine } }
    let decided = rows.count { $0.decision?.isDecided == true }
    let shown =
      rows.count == caseCount ? counted(caseCount, "case") : "\(rows.count) of \(counted(caseCount, "case"))"
    return ([table.text] + flags + ["\(shown), \(decided) decided"]).joined(separator: "\n")
  }

  /// The image as it is below the folder, with the choice of its series: "mr.dcm, series 2".
  private func imageText(_ item: WorklistCase) -> String {
    guard let image = item.images.first else { return "-" }
    return below(image) + (item.series.map { ", series \($0)" } ?? "")
  }

  /// The names of the masks as the review shows them.
  private func maskNames(_ item: WorklistCase) -> [String] {
    let names = item.versionNames
    let files = item.masks.map { (name: FilePath.name(of: $0.path), path: FilePath.absolute($0.path)) }
    return zip(item.masks, ReviewState.distinctNames(files)).map { names[$0.path] ?? $1 }
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
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(rows.map(CaseJSON.init))
  }
}
