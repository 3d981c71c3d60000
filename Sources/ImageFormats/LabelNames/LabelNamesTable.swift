import Foundation
import Volumes
import Work

/// Label names as a table of BIDS (`dseg.tsv`).
///
/// Tabs separate the columns, which the first line names. `index` and `name` are required, `color` (#rrggbb) is not.
enum LabelNamesTable {
  /// Whether a text is such a table, by its first line.
  static func recognises(_ text: String) -> Bool {
    let columns = Self.columns(text.prefix { !$0.isNewline })
    return columns.contains("index") && columns.contains("name")
  }

  private static func columns(_ line: some StringProtocol) -> [String] {
    line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).trimmingSpaces }
  }

  /// Reads a table.
  /// - Throws: ``InputError`` that names the first line that is not a label.
  static func decode(_ text: String, path: String, finding: String?) throws(InputError) -> LabelNames {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let header = lines.first.map(columns) ?? []
    guard let index = header.firstIndex(of: "index"), let name = header.firstIndex(of: "name") else {
      throw InputError(
        path, "holds no label names", found: header.joined(separator: ", "),
        expected: "the columns index and name")
    }
    let colour = header.firstIndex { ["color", "colour"].contains($0) }
    var entries: [LabelNames.Entry] = []
    for (number, line) in lines.enumerated().dropFirst() where !line.allSatisfy(\.isWhitespace) {
      let cells = columns(line)
      guard cells.count > max(index, name), let value = LabelNames.value(cells[index]) else {
        throw InputError(
          path, "line \(number + 1) is not a label", found: "\"\(line.prefix(60))\"",
          expected: "a whole number and a name between tabs")
      }
      let stated = colour.flatMap { $0 < cells.count ? RGBColour(hexadecimal: cells[$0]) : nil }
      // BIDS writes "n/a" for a missing value.
      entries.append(.init(value: value, name: cells[name] == "n/a" ? "" : cells[name], colour: stated))
    }
    return LabelNames(entries: entries, finding: finding)
  }
}
