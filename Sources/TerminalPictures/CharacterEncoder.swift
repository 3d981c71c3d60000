import Screen

/// Shows a character of ` .:-=+*#%@` by brightness, or the letter of a label, for terminals without colours.
struct CharacterEncoder: CellEncoder {
  var depth: TerminalCapabilities.ColourDepth { .mono }

  func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell {
    if let letter = picture.letter(left: left, top: top) { return Cell(letter) }
    let mean = picture.mean(left: left, rows: top..<top + picture.pixelsPerCell.rows)
    return Cell(GreyDither.character(mean.luminance, x: column, y: row))
  }
}

extension BlendedPicture {
  /// The letter of the topmost label of a cell; nil where it has none.
  fileprivate func letter(left: Int, top: Int) -> Unicode.Scalar? {
    for layer in layers.reversed() {
      for y in top..<top + pixelsPerCell.rows {
        for x in left..<left + pixelsPerCell.columns {
          let number = layer.numbers[y * buffer.width + x]
          if number != 0, let letter = layer.entries[Int(number) - 1].letter { return letter }
        }
      }
    }
    return nil
  }
}
