import Screen

/// Shows the mean colour of a cell as its background, for terminals that have colours but no Unicode.
struct BackgroundEncoder: CellEncoder {
  let depth: TerminalCapabilities.ColourDepth
  private let dither: GreyDither

  init(depth: TerminalCapabilities.ColourDepth) {
    self.depth = depth
    dither = GreyDither(depth: depth)
  }

  func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell {
    let mean = picture.mean(left: left, rows: top..<top + picture.pixelsPerCell.rows)
    return Cell(" ", Style(background: dither.dithered(mean, x: column, y: row).colour))
  }
}
