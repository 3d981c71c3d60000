/// A picture for a terminal.
///
/// Each cell shows two pixels, one above the other.
package struct PixelBuffer: Hashable, Sendable {
  /// Pixels from left to right and from top to bottom.
  package let width, height: Int
  /// `width * height` colours, row by row.
  package var pixels: [RGB]

  /// A picture of one colour.
  package init(width: Int, height: Int, filling colour: RGB = RGB(grey: 0)) {
    self.width = max(0, width)
    self.height = max(0, height)
    pixels = [RGB](repeating: colour, count: self.width * self.height)
  }

  /// The pixel at a column and row; writing outside the picture does nothing, reading there gives black.
  package subscript(x: Int, y: Int) -> RGB {
    get { x >= 0 && x < width && y >= 0 && y < height ? pixels[y * width + x] : RGB(grey: 0) }
    set { if x >= 0, x < width, y >= 0, y < height { pixels[y * width + x] = newValue } }
  }
}

extension Frame {
  /// Draws a picture with its top left pixel at the top left of `area`, clipped to `area`.
  ///
  /// With colours and Unicode a cell is `▀` with the upper pixel as foreground and the lower one as background, or a
  /// blank where both are equal. With colours but without Unicode it is a blank with their mean as background. Without
  /// colours it is a character of ` .:-=+*#%@`. Greys that the terminal lacks are dithered; the pattern is fixed to the
  /// screen, so that scrolling changes only the cells whose pixels change.
  /// - Complexity: O(pixels of `area`).
  package mutating func draw(
    _ picture: PixelBuffer, in area: Rectangle, for capabilities: TerminalCapabilities
  ) {
    let shown = area.intersection(bounds)
    guard !shown.isEmpty, picture.width > 0 else { return }
    let dither = GreyDither(depth: capabilities.colourDepth)
    let isMono = capabilities.colourDepth == .mono
    let showsHalves = !isMono && capabilities.showsUnicode
    for row in shown.row..<shown.row + shown.rows {
      let y = 2 * (row - area.row)
      guard y < picture.height else { break }
      let upperRow = y * picture.width
      let lowerRow = y + 1 < picture.height ? upperRow + picture.width : upperRow
      let lastColumn = min(shown.column + shown.columns, area.column + picture.width)
      for column in shown.column..<max(shown.column, lastColumn) {
        let x = column - area.column
        var upper = picture.pixels[upperRow + x]
        var lower = picture.pixels[lowerRow + x]
        let cell: Cell
        if showsHalves {
          upper = dither.dithered(upper, x: column, y: 2 * row)
          lower = dither.dithered(lower, x: column, y: 2 * row + 1)
          cell =
            upper == lower
            ? Cell(" ", Style(background: upper.colour))
            : Cell("▀", Style(foreground: upper.colour, background: lower.colour))
        } else {
          let mean = upper.blended(with: lower, opacity: 0.5)
          cell =
            isMono
            ? Cell(GreyDither.character(mean.luminance, x: column, y: row))
            : Cell(" ", Style(background: dither.dithered(mean, x: column, y: row).colour))
        }
        cells[row * columns + column] = cell
      }
    }
  }
}
