/// Rows and columns of a screen.
package struct ScreenSize: Hashable, Sendable {
  package var rows, columns: Int

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}
