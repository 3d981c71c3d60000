import Screen

/// Shows two pixels in a cell: `▀` with the upper one as foreground and the lower one as background, or a blank where both
/// are equal.
///
/// Greys that the terminal lacks are dithered. A picture with more pixels shows the mean of each half of a cell.
struct HalfBlockEncoder: CellEncoder {
  let dither: GreyDither

  var depth: TerminalCapabilities.ColourDepth { dither.depth }

  func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell {
    let halves = picture.halves(left: left, top: top)
    let upper = dither.dithered(halves.upper, x: column, y: 2 * row)
    let lower = dither.dithered(halves.lower, x: column, y: 2 * row + 1)
    return upper == lower
      ? Cell(" ", Style(background: upper.colour))
      : Cell("▀", Style(foreground: upper.colour, background: lower.colour))
  }
}

extension BlendedPicture {
  /// The mean colours of the upper and the lower half of a cell; both are the same where it has one row of pixels.
  fileprivate func halves(left: Int, top: Int) -> (upper: RGB, lower: RGB) {
    let first = top * buffer.width + left
    guard pixelsPerCell != PixelsPerCell(columns: 1, rows: 2) else {
      return (buffer.pixels[first], buffer.pixels[first + buffer.width])
    }
    let middle = (pixelsPerCell.rows + 1) / 2
    return (
      mean(left: left, rows: top..<top + middle),
      mean(left: left, rows: top + pixelsPerCell.rows / 2..<top + pixelsPerCell.rows)
    )
  }
}
