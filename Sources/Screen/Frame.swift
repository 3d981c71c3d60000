/// One character of the screen.
package struct Cell: Hashable, Sendable {
  /// A single-width scalar, or 0 for the right half of a double-width one.
  package var character: Unicode.Scalar
  package var style: Style

  /// A cell; by default an empty one.
  package init(_ character: Unicode.Scalar = " ", _ style: Style = Style()) {
    self.character = character
    self.style = style
  }
}

/// The whole content of the screen: cells, pictures and cursor.
package struct Frame: Hashable, Sendable {
  /// Rows and columns, 0 or more.
  package let rows, columns: Int
  /// `rows * columns` cells, row by row.
  package var cells: [Cell]
  /// The pictures, in the order in which they were drawn; the cells that show them are ``Cell/picture``.
  package var pictures: [Picture] = []
  /// The cell of the blinking text cursor; nil hides it.
  package var cursor: ScreenCell?
  /// The parts that can be clicked, in the order in which they were drawn.
  package var clickAreas: [ClickArea] = []

  package init(rows: Int, columns: Int) {
    self.rows = max(0, rows)
    self.columns = max(0, columns)
    cells = [Cell](repeating: Cell(), count: self.rows * self.columns)
  }

  /// The cell at a row and column; writing outside the frame does nothing, reading there gives an empty cell.
  package subscript(row: Int, column: Int) -> Cell {
    get {
      guard row >= 0, row < rows, column >= 0, column < columns else { return Cell() }
      return cells[row * columns + column]
    }
    set {
      guard row >= 0, row < rows, column >= 0, column < columns else { return }
      cells[row * columns + column] = newValue
    }
  }

  /// The characters of each row, for tests and for text output; a cell of a picture is "\u{FFFC}".
  package var text: [String] {
    (0..<rows).map { row in
      var line = ""
      for cell in cells[row * columns..<(row + 1) * columns] where cell.character.value != 0 {
        line.unicodeScalars.append(cell.character)
      }
      return line
    }
  }
}
