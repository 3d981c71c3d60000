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
