/// A picture for a terminal: two pixels, one above the other, in each cell.
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

  /// The pixel at a place; writing outside the picture does nothing, reading there gives black.
  package subscript(x: Int, y: Int) -> RGB {
    get { x >= 0 && x < width && y >= 0 && y < height ? pixels[y * width + x] : RGB(grey: 0) }
    set { if x >= 0, x < width, y >= 0, y < height { pixels[y * width + x] = newValue } }
  }
}

extension Frame {
  /// Draws a picture with its top left pixel at the top left of `area`, cut at the area's edges.
  ///
  /// With colours and Unicode a cell is `▀`, its upper pixel in front and its lower one behind, or an empty cell where
  /// both look alike. With colours alone it is an empty cell of their mean. Without colours it is a character of
  /// ` .:-=+*#%@`. Greys that the terminal does not have are dithered by a pattern that is fixed to the screen, so that
  /// scrolling changes only what the picture changes. Cost: one pass over the pixels.
  package mutating func draw(
    _ picture: PixelBuffer, in area: Rectangle, for capabilities: TerminalCapabilities
  ) {
    let shown = area.intersection(bounds)
    guard !shown.isEmpty, picture.width > 0 else { return }
    let reducer = GreyReducer(depth: capabilities.colourDepth)
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
          upper = reducer.reduce(upper, x: column, y: 2 * row)
          lower = reducer.reduce(lower, x: column, y: 2 * row + 1)
          cell =
            upper == lower
            ? Cell(" ", Style(background: upper.colour))
            : Cell("▀", Style(foreground: upper.colour, background: lower.colour))
        } else {
          let mean = upper.blended(with: lower, opacity: 0.5)
          cell =
            isMono
            ? Cell(GreyReducer.ramp(mean.luminance, x: column, y: row))
            : Cell(" ", Style(background: reducer.reduce(mean, x: column, y: row).colour))
        }
        cells[row * columns + column] = cell
      }
    }
  }
}

/// Brings greys to those that a terminal has, with an ordered (Bayer 4 x 4) dither; colours pass unchanged.
private struct GreyReducer {
  /// For each grey, the next darker and the next brighter one that exist, and how far it is from the darker, 0..<16.
  private let steps: [(darker: UInt8, brighter: UInt8, sixteenths: UInt8)]

  private static let thresholds: [UInt8] = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]
  private static let rampCharacters = Array(" .:-=+*#%@".unicodeScalars)

  init(depth: TerminalCapabilities.ColourDepth) {
    let greys = Palette.greys(depth)
    guard depth == .sixteen || depth == .indexed256 else {
      steps = []
      return
    }
    steps = (0..<256).map { value in
      let darker = greys.last { Int($0) <= value } ?? greys[0]
      let brighter = greys.first { Int($0) >= value } ?? greys[greys.count - 1]
      guard brighter > darker else { return (darker, brighter, 0) }
      return (darker, brighter, UInt8((value - Int(darker)) * 16 / (Int(brighter) - Int(darker))))
    }
  }

  func reduce(_ colour: RGB, x: Int, y: Int) -> RGB {
    guard !steps.isEmpty, colour.red == colour.green, colour.green == colour.blue else { return colour }
    let step = steps[Int(colour.red)]
    return RGB(grey: step.sixteenths > Self.thresholds[(y & 3) << 2 | x & 3] ? step.brighter : step.darker)
  }

  static func ramp(_ luminance: Int, x: Int, y: Int) -> Unicode.Scalar {
    // Nine steps between ten characters, dithered like the greys.
    let position = luminance * 9 * 16 / 255
    let index = position / 16 + (position % 16 > Int(thresholds[(y & 3) << 2 | x & 3]) ? 1 : 0)
    return rampCharacters[min(9, index)]
  }
}
