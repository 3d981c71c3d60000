import Foundation
import Work
import Worklist

extension CohortReport {
  /// The report as GitHub Flavored Markdown: counts, readers, agreement, a row for each case, and below what is
  /// unusual.
  package var markdown: Data {
    var blocks = [
      "# Report of \(MarkdownText.escaped(place))",
      MarkdownText.escaped("\(extentText). Written \(createdText) by \(program)."),
    ]
    let tallies = tallies.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
    if !tallies.isEmpty { blocks.append(MarkdownText.escaped(tallies)) }
    if !readers.isEmpty {
      blocks += ["## Readers", MarkdownText.table(readerTable.heading, readerTable.rows, textColumns: 1)]
    }
    if let agreementTable {
      blocks += [
        "## Agreement", MarkdownText.table(agreementTable.heading, agreementTable.rows, textColumns: 1),
      ]
    }
    if !cases.isEmpty { blocks += ["## Cases", caseTable] }
    let notes = cases.flatMap { reported in
      (reported.problems + reported.row.flags.map(\.text)).map {
        "- \(MarkdownText.escaped(reported.row.item.name)): \(MarkdownText.escaped($0))"
      }
    }
    if !notes.isEmpty { blocks += ["## What is unusual", notes.joined(separator: "\n")] }
    return Data((blocks.joined(separator: "\n\n") + "\n").utf8)
  }

  private var caseTable: String {
    let heading = [
      "case", "status", "readers", "comments", "score", "Dice", "HD95 mm", "surface Dice", "flags", "time",
    ]
    let rows = cases.map { reported in
      let row = reported.row
      let disputed = row.review?.isDisputed == true ? " (disputed)" : ""
      return [
        row.item.name, row.statusText + disputed, (row.review?.readers ?? []).joined(separator: ", "),
        (row.comments + row.tags.map { "#" + $0 }).joined(separator: "; "),
        row.review?.decision?.score.map(String.init) ?? "-", shown(reported.lowestDice, 3),
        shown(reported.largestHD95Millimetres, 1), shown(reported.lowestSurfaceDice, 3), "\(row.flags.count)",
        row.review.map { duration($0.seconds) } ?? "-",
      ]
    }
    return MarkdownText.table(heading, rows, textColumns: 4)
  }
}

/// Texts for GitHub Flavored Markdown that show the given characters and no markup.
enum MarkdownText {
  /// A text on one line, with every character that Markdown or HTML would interpret escaped.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text.printableLine {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\\", "`", "*", "_", "[", "]", "|", "~", "$", "#", "!", "@": escaped += "\\\(character)"
      default: escaped.append(character)
      }
    }
    // GitHub turns addresses into links.
    return escaped.replacing("://", with: "\\://")
  }

  /// A table.
  ///
  /// The first `textColumns` columns are aligned to the left, the others to the right.
  static func table(_ heading: [String], _ rows: [[String]], textColumns: Int) -> String {
    func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }
    let rule = heading.indices.map { $0 < textColumns ? "---" : "---:" }
    return ([line(heading), line(rule)] + rows.map { line($0.map(escaped)) }).joined(separator: "\n")
  }
}
