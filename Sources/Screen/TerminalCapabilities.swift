/// What a terminal can show.
package struct TerminalCapabilities: Hashable, Sendable {
  /// The number of colours.
  package enum ColourDepth: Int, Hashable, Sendable, Comparable, CaseIterable {
    /// No colour, 16 colours, the 256-colour palette, 24-bit colour.
    case mono, sixteen, indexed256, trueColour

    /// Fewer colours first.
    package static func < (one: ColourDepth, other: ColourDepth) -> Bool { one.rawValue < other.rawValue }
  }

  package var colourDepth: ColourDepth
  /// Whether block elements and other characters outside ASCII can be shown.
  package var showsUnicode: Bool
  /// Height of a cell divided by its width, about 2.
  package var cellAspect: Double
  /// How pictures are shown.
  package var pictureMode: PictureMode
  /// The size of a cell in the terminal's own pixels; nil where the terminal does not say.
  package var cellSize: PixelsPerCell?
  /// The terminal's own background; nil where it is not known.
  package var background: RGB?

  /// Capabilities; pictures as ``PictureMode/plain(_:showsUnicode:)`` unless another mode is given.
  package init(
    colourDepth: ColourDepth, showsUnicode: Bool, cellAspect: Double = 2, pictureMode: PictureMode? = nil,
    cellSize: PixelsPerCell? = nil, background: RGB? = nil
  ) {
    self.colourDepth = colourDepth
    self.showsUnicode = showsUnicode
    self.cellAspect = cellAspect
    self.pictureMode = pictureMode ?? .plain(colourDepth, showsUnicode: showsUnicode)
    self.cellSize = cellSize
    self.background = background
  }

  /// The pixels of a cell with which pictures are drawn.
  ///
  /// Pixels of the terminal where it shows pixels, but at most 12 x 24: a larger picture costs time and traffic, and
  /// shows no more of an image that has at most some hundred voxels along a side.
  package func pixelsPerCell(_ detail: PictureDetail) -> PixelsPerCell {
    switch (pictureMode, detail) {
    case (.characters, _), (.backgrounds, _): return PixelsPerCell(columns: 1, rows: 1)
    case (.halfBlocks, _), (_, .coarsest), (.blocks, .coarse), (.sextants, .coarse):
      return PixelsPerCell(columns: 1, rows: 2)
    // Square pixels in a cell of the usual shape; more of them make the choice of blocks no better.
    case (.blocks, .full), (.sextants, .full), (.blocks, .fewShades), (.sextants, .fewShades):
      return PixelsPerCell(columns: 4, rows: 8)
    case (.sixel, _), (.kitty, _), (.kittyPlaceholders, _):
      let size = cellSize ?? PixelsPerCell(columns: 8, rows: Int((8 * cellAspect).rounded()))
      var divisor = 1
      while size.columns > 12 * divisor || size.rows > 24 * divisor { divisor += 1 }
      // Pixels of the terminal along a pixel of the picture.
      let wanted = detail == .coarse ? divisor * 3 : divisor
      // A whole part of a cell's pixels where one is near, so that all pixels of the picture have the same size.
      func part(_ length: Int) -> Int {
        let nearest = max(1, (length + wanted - 1) / wanted)
        return (wanted...wanted + wanted / 2).first { length % $0 == 0 }.map { length / $0 } ?? nearest
      }
      return PixelsPerCell(columns: part(size.columns), rows: part(size.rows))
    }
  }

  /// The parts of a cell that can differ from each other in brightness: pixels, or the parts of block characters.
  ///
  /// Pictures that are shown by fitting blocks have more pixels than that.
  package var visiblePixelsPerCell: PixelsPerCell {
    switch pictureMode {
    case .blocks: PixelsPerCell(columns: 2, rows: 2)
    case .sextants: PixelsPerCell(columns: 2, rows: 3)
    case .characters, .backgrounds, .halfBlocks, .sixel, .kitty, .kittyPlaceholders: pixelsPerCell(.full)
    }
  }

  /// Height of a pixel of a picture divided by its width.
  package func pixelAspect(_ detail: PictureDetail) -> Double {
    let pixels = pixelsPerCell(detail)
    return cellAspect * Double(pixels.columns) / Double(pixels.rows)
  }
}
