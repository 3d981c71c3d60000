extension Frame {
  /// Writes one line of text, clipped to `clip` (by default the frame).
  ///
  /// A wide character takes two cells and is skipped where only one is free. A combining mark is skipped, because a
  /// cell holds one scalar. Control characters become "?".
  /// - Returns: The column after the text.
  @discardableResult
  package mutating func write(
    _ text: String, row: Int, column: Int, style: Style = Style(), in clip: Rectangle? = nil
  ) -> Int {
    let area = clip.map { $0.intersection(bounds) } ?? bounds
    var next = column
    for scalar in TextWidth.sanitised(text) {
      let width = TextWidth.columns(scalar)
      if width == 0 { continue }
      if row >= area.row, row < area.row + area.rows, next >= area.column,
        next + width <= area.column + area.columns
      {
        put(Cell(scalar, style), row: row, column: next)
        if width == 2 { cells[row * columns + next + 1] = Cell("\0", style) }
      }
      next += width
    }
    return next
  }

  /// Writes text right-aligned in `area`, truncated with "…" where it is too long.
  package mutating func writeAtRight(_ text: String, row: Int, style: Style = Style(), in area: Rectangle) {
    let shown = TextWidth.truncated(text, to: area.columns)
    write(
      shown, row: row, column: area.column + area.columns - TextWidth.columns(shown), style: style, in: area)
  }

  /// Writes text centred in `area`, truncated with "…" where it is too long.
  package mutating func writeCentred(_ text: String, row: Int, style: Style = Style(), in area: Rectangle) {
    let shown = TextWidth.truncated(text, to: area.columns)
    let free = area.columns - TextWidth.columns(shown)
    write(shown, row: row, column: area.column + free / 2, style: style, in: area)
  }

  /// Fills a rectangle with one cell.
  package mutating func fill(_ area: Rectangle, _ cell: Cell = Cell()) {
    let shown = area.intersection(bounds)
    for row in shown.row..<shown.row + shown.rows {
      for column in shown.column..<shown.column + shown.columns { put(cell, row: row, column: column) }
    }
  }

  /// Draws a frame of lines along the inner edge of `area`, with a title in its upper line.
  package mutating func drawBox(
    _ area: Rectangle, style: Style = Style(), title: String = "", titleStyle: Style? = nil
  ) {
    guard area.rows >= 2, area.columns >= 2 else { return }
    let last = (row: area.row + area.rows - 1, column: area.column + area.columns - 1)
    drawHorizontalLine(row: area.row, columns: area.column...last.column, style: style)
    drawHorizontalLine(row: last.row, columns: area.column...last.column, style: style)
    drawVerticalLine(column: area.column, rows: area.row...last.row, style: style)
    drawVerticalLine(column: last.column, rows: area.row...last.row, style: style)
    for (row, column, corner) in [
      (area.row, area.column, "┌"), (area.row, last.column, "┐"), (last.row, area.column, "└"),
      (last.row, last.column, "┘"),
    ] as [(Int, Int, Unicode.Scalar)] { self[row, column] = Cell(corner, style) }
    guard !title.isEmpty, area.columns >= 6 else { return }
    let shown = TextWidth.truncated(title, to: area.columns - 4)
    write(" \(shown) ", row: area.row, column: area.column + 1, style: titleStyle ?? style)
  }

  /// Draws a line of "─".
  package mutating func drawHorizontalLine(row: Int, columns: ClosedRange<Int>, style: Style = Style()) {
    for column in columns { self[row, column] = Cell("─", style) }
  }

  /// Draws a line of "│".
  package mutating func drawVerticalLine(column: Int, rows: ClosedRange<Int>, style: Style = Style()) {
    for row in rows { self[row, column] = Cell("│", style) }
  }

  /// Sets a cell and blanks the other half of a wide character that it overwrites.
  private mutating func put(_ cell: Cell, row: Int, column: Int) {
    let index = row * columns + column
    if cells[index].character == "\0", column > 0 { cells[index - 1].character = " " }
    if column + 1 < columns, cells[index + 1].character == "\0" { cells[index + 1].character = " " }
    cells[index] = cell
  }
}
