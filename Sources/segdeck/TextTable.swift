import Work

/// Rows of text in columns: the first ones left-aligned, the others right-aligned; no cell can fake another.
struct TextTable {
  var heading: [String]
  var rows: [[String]] = []
  /// Columns that are left-aligned.
  var leftAlignedColumns = 1

  /// Lines with two spaces between columns.
  var text: String {
    let all = ([heading] + rows).map { $0.map(\.printableLine) }
    let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column < leftAlignedColumns ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// A number with so many digits, "-" where there is none.
  static func cell(_ value: Double?, _ digits: Int) -> String {
    value.map { decimals($0, digits) } ?? "-"
  }
}
