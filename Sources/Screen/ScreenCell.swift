/// The position of a cell: row from the top and column from the left, both from 0.
package struct ScreenCell: Hashable, Sendable {
  /// Row from the top and column from the left, from 0.
  package var row, column: Int

  /// The cell at a row and column.
  package init(row: Int, column: Int) {
    self.row = row
    self.column = column
  }
}

/// A position on the screen in cells: (0, 0) is the top left corner, the middle of the first cell is (0.5, 0.5).
package struct ScreenPoint: Hashable, Sendable {
  /// Rows from the top and columns from the left.
  package var row, column: Double

  /// A point.
  package init(row: Double, column: Double) {
    self.row = row
    self.column = column
  }

  /// The middle of a cell.
  package init(middleOf cell: ScreenCell) {
    self.init(row: Double(cell.row) + 0.5, column: Double(cell.column) + 0.5)
  }
}
