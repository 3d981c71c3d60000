import Screen

/// Shows in each cell the block element and the two colours that come nearest to its pixels.
///
/// In a cell of one label, or of none, nearest means the least squared error in RGB, weighted by luminance. Where a cell has
/// pixels of a label and others, the label's pixels are one part and the others the second, each in its own mean colour:
/// a label is never mixed with the image or with another label, and is seen even if it has a single pixel.
struct BlockEncoder: CellEncoder {
  let depth: TerminalCapabilities.ColourDepth
  private let shapes: BlockShapes
  private let dither: GreyDither
  /// Room for the values and sums of a cell.
  private var scratch: [Float] = []

  var needsKinds: Bool { true }

  /// An encoder for terminals that show quadrants and eighths, or sextants too.
  init(depth: TerminalCapabilities.ColourDepth, hasSextants: Bool) {
    self.depth = depth
    shapes = BlockShapes(hasSextants: hasSextants)
    dither = GreyDither(depth: depth)
  }

  mutating func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell {
    let size = picture.pixelsPerCell
    let needed =
      3 * size.columns * size.rows + 4 * shapes.count
      + BlockShapes.scratchCount(width: size.columns, height: size.rows)
    if scratch.count < needed { scratch = [Float](repeating: 0, count: needed) }
    let first = top * picture.buffer.width + left
    let fit = BlockFit(shapes: shapes, markCount: picture.markCount)
    let division = scratch.withUnsafeMutableBufferPointer { scratch in
      picture.buffer.pixels.withUnsafeBufferPointer { pixels in
        picture.kinds.withUnsafeBufferPointer { kinds -> CellDivision? in
          guard let pixels = pixels.baseAddress, let scratch = scratch.baseAddress else { return nil }
          // SAFETY: the cell's pixels lie in the picture, which has a kind for each of them or none at all.
          return fit.division(
            CellPixels(
              pixels: pixels + first, kinds: kinds.isEmpty ? nil : kinds.baseAddress.map { $0 + first },
              stride: picture.buffer.width, width: size.columns, height: size.rows), scratch: scratch)
        }
      }
    }
    return division.map { cell($0, row, column) } ?? Cell()
  }

  /// The cell of a division, in colours that the terminal has.
  private func cell(_ division: CellDivision, _ row: Int, _ column: Int) -> Cell {
    let background = dither.dithered(division.background, x: column, y: 2 * row + 1)
    let foreground = dither.dithered(division.foreground, x: column, y: 2 * row)
    guard let shape = division.shape, foreground != background else {
      return Cell(" ", Style(background: background.colour))
    }
    return Cell(
      shapes.characters[shape], Style(foreground: foreground.colour, background: background.colour))
  }
}
