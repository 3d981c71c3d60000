import Screen

/// Shows the mean colour of a cell as its background, for terminals that have colours but no Unicode.
struct BackgroundEncoder: CellEncoder {
  let dither: GreyDither

  var depth: TerminalCapabilities.ColourDepth { dither.depth }

  func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell {
    let mean = picture.mean(left: left, rows: top..<top + picture.pixelsPerCell.rows)
    return Cell(" ", Style(background: dither.dithered(mean, x: column, y: row).colour))
  }
}
