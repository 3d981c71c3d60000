/// Rows and columns of a screen.
package struct ScreenSize: Hashable, Sendable {
  /// Rows and columns.
  package var rows, columns: Int

  /// A size of a screen.
  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}
