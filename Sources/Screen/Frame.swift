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

/// A colour that the program asks for; the terminal shows the nearest that it has.
package enum Colour: Hashable, Sendable {
  /// The terminal's own foreground or background.
  case terminal
  /// sRGB, 0...255 each.
  case rgb(UInt8, UInt8, UInt8)
}

/// How a cell's character looks.
package struct Style: Hashable, Sendable {
  /// Colours of the character and of what lies behind it.
  package var foreground, background: Colour
  /// Attributes.
  package var isBold, isDim, isReversed, isUnderlined: Bool

  /// A style; by default the terminal's own.
  package init(
    foreground: Colour = .terminal, background: Colour = .terminal, isBold: Bool = false, isDim: Bool = false,
    isReversed: Bool = false, isUnderlined: Bool = false
  ) {
    self.foreground = foreground
    self.background = background
    self.isBold = isBold
    self.isDim = isDim
    self.isReversed = isReversed
    self.isUnderlined = isUnderlined
  }
}

/// One character of the screen.
package struct Cell: Hashable, Sendable {
  /// A single-width scalar, or 0 for the right half of a double-width one.
  package var character: Unicode.Scalar
  /// How it looks.
  package var style: Style

  /// A cell; by default an empty one.
  package init(_ character: Unicode.Scalar = " ", _ style: Style = Style()) {
    self.character = character
    self.style = style
  }
}

/// Everything a terminal shows at one moment, row by row.
package struct Frame: Hashable, Sendable {
  /// Rows and columns, 0 or more.
  package let rows, columns: Int
  /// `rows * columns` cells, row by row.
  package internal(set) var cells: [Cell]
  /// Where the text cursor blinks; nil hides it.
  package var cursor: ScreenCell?

  /// An empty frame.
  package init(rows: Int, columns: Int) {
    self.rows = max(0, rows)
    self.columns = max(0, columns)
    cells = [Cell](repeating: Cell(), count: self.rows * self.columns)
  }

  /// The cell at a place; writing outside the frame does nothing, reading there gives an empty cell.
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

  /// The characters of each row, for tests and for text output.
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
