/// A rectangle of cells.
///
/// It may be empty; its size is never negative.
package struct Rectangle: Hashable, Sendable {
  /// The top left cell, and the numbers of rows and columns.
  package var row, column, rows, columns: Int

  /// A rectangle; negative sizes count as 0.
  package init(row: Int, column: Int, rows: Int, columns: Int) {
    self.row = row
    self.column = column
    self.rows = max(0, rows)
    self.columns = max(0, columns)
  }

  /// Whether it has no cell.
  package var isEmpty: Bool { rows == 0 || columns == 0 }

  /// Whether `cell` lies in it.
  package func contains(_ cell: ScreenCell) -> Bool {
    cell.row >= row && cell.row < row + rows && cell.column >= column && cell.column < column + columns
  }

  /// The intersection; an empty rectangle where they do not overlap.
  package func intersection(_ other: Rectangle) -> Rectangle {
    let top = max(row, other.row)
    let left = max(column, other.column)
    return Rectangle(
      row: top, column: left, rows: min(row + rows, other.row + other.rows) - top,
      columns: min(column + columns, other.column + other.columns) - left)
  }

  /// The rectangle without a border of `cells` on each side.
  package func inset(_ cells: Int = 1) -> Rectangle {
    Rectangle(row: row + cells, column: column + cells, rows: rows - 2 * cells, columns: columns - 2 * cells)
  }

  /// Its first `count` rows, fewer if it has fewer, and the rest.
  package func splitTop(_ count: Int) -> (top: Rectangle, rest: Rectangle) {
    let taken = min(max(0, count), rows)
    return (
      Rectangle(row: row, column: column, rows: taken, columns: columns),
      Rectangle(row: row + taken, column: column, rows: rows - taken, columns: columns)
    )
  }

  /// Its last `count` rows, fewer if it has fewer, and the rest.
  package func splitBottom(_ count: Int) -> (bottom: Rectangle, rest: Rectangle) {
    let parts = splitTop(rows - min(max(0, count), rows))
    return (parts.rest, parts.top)
  }

  /// Its first `count` columns, fewer if it has fewer, and the rest.
  package func splitLeft(_ count: Int) -> (left: Rectangle, rest: Rectangle) {
    let taken = min(max(0, count), columns)
    return (
      Rectangle(row: row, column: column, rows: rows, columns: taken),
      Rectangle(row: row, column: column + taken, rows: rows, columns: columns - taken)
    )
  }

  /// Its last `count` columns, fewer if it has fewer, and the rest.
  package func splitRight(_ count: Int) -> (right: Rectangle, rest: Rectangle) {
    let parts = splitLeft(columns - min(max(0, count), columns))
    return (parts.rest, parts.left)
  }
}

extension Frame {
  /// All of the frame.
  package var bounds: Rectangle { Rectangle(row: 0, column: 0, rows: rows, columns: columns) }
}
