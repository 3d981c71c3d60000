import Screen

/// Shows a character of ` .:-=+*#%@` by brightness, for terminals without colours.
///
/// A label is seen by its letter: along its border, and inside on a coarse grid of cells, between which the image shows.
struct CharacterEncoder: CellEncoder {
  /// Whether the terminal's background is light, so that dark pixels need the dense characters.
  let isOnLight: Bool
  var depth: TerminalCapabilities.ColourDepth { .mono }
  var needsKinds: Bool { true }

  func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell {
    if let label = picture.label(left: left, top: top),
      isOnGrid(row, column) || picture.isAtBorder(label.kind, left: left, top: top)
    {
      return Cell(label.letter)
    }
    let mean = picture.mean(left: left, rows: top..<top + picture.pixelsPerCell.rows)
    let luminance = isOnLight ? 255 - mean.luminance : mean.luminance
    return Cell(GreyDither.character(luminance, x: column, y: row))
  }

  /// Whether a cell is one of the coarse grid, whose rows are shifted against each other.
  private func isOnGrid(_ row: Int, _ column: Int) -> Bool {
    row & 1 == 0 && (column + (row & 2) * 2) & 7 == 0
  }
}

extension BlendedPicture {
  /// The topmost label of a cell and its letter; nil where it has none.
  fileprivate func label(left: Int, top: Int) -> (kind: UInt32, letter: Unicode.Scalar)? {
    guard let kind = greatestKind(left: left, top: top), kind > markCount else { return nil }
    return (kind, letters[Int(kind - markCount) - 1])
  }

  /// Whether one of the four cells beside a cell in the picture has another topmost label, or none.
  fileprivate func isAtBorder(_ kind: UInt32, left: Int, top: Int) -> Bool {
    let (columns, rows) = (pixelsPerCell.columns, pixelsPerCell.rows)
    return [(left - columns, top), (left + columns, top), (left, top - rows), (left, top + rows)].contains {
      greatestKind(left: $0.0, top: $0.1).map { $0 != kind } ?? false
    }
  }

  /// The greatest kind of a cell's pixels; nil outside the picture.
  private func greatestKind(left: Int, top: Int) -> UInt32? {
    guard left >= 0, top >= 0, left < buffer.width, top < buffer.height else { return nil }
    guard !kinds.isEmpty else { return 0 }
    var greatest = UInt32(0)
    for y in top..<top + pixelsPerCell.rows {
      for x in left..<left + pixelsPerCell.columns { greatest = max(greatest, kinds[y * buffer.width + x]) }
    }
    return greatest
  }
}
