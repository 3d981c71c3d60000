import Work

/// A table of text.
///
/// The first columns are left-aligned, the others right-aligned; cells are printed as `printableLine`s.
struct TextTable {
  var heading: [String]
  var rows: [[String]] = []
  /// The number of left-aligned columns.
  var leftAlignedColumns = 1

  /// The table as lines, with two spaces between columns.
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

  /// A number with `digits` decimals; "-" for nil.
  static func cell(_ value: Double?, _ digits: Int) -> String {
    value.map { decimals($0, digits) } ?? "-"
  }
}
