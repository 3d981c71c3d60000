extension Frame {
  /// A frame of lines of text, as wide as the longest one.
  ///
  /// - Parameter typed: A last line that is being typed, at whose end the cursor is; nil for none.
  package init(lines: [String], typed: String? = nil) {
    let all = lines + [typed].compactMap(\.self)
    self.init(rows: all.count, columns: all.map { TextWidth.columns($0) }.max() ?? 0)
    for (row, line) in all.enumerated() { write(line, row: row, column: 0) }
    if let typed { cursor = ScreenCell(row: lines.count, column: TextWidth.columns(typed)) }
  }

  /// The lines of a frame of text, without blanks at their ends, and the one that is being typed.
  package var lines: (whole: [String], typed: String?) {
    let rows = text.map { line in
      var line = Substring(line)
      while line.last == " " { line.removeLast() }
      return String(line)
    }
    guard let cursor, rows.indices.contains(cursor.row) else { return (rows, nil) }
    // Blanks before the cursor were typed.
    let blanks = max(0, cursor.column - TextWidth.columns(rows[cursor.row]))
    return (Array(rows[..<cursor.row]), rows[cursor.row] + String(repeating: " ", count: blanks))
  }
}
