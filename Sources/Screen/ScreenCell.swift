/// A cell of the screen: row and column from the top left, from 0.
package struct ScreenCell: Hashable, Sendable {
  /// Row from the top and column from the left.
  package var row, column: Int

  /// The cell.
  package init(row: Int, column: Int) {
    self.row = row
    self.column = column
  }
}
