import Screen

/// Decides which pixels an entry of a layer covers where the terminal has too few colours to blend.
///
/// The pattern is fixed to the screen, so that it stands still while a picture is scrolled. A unit of the pattern is half a
/// cell, which every cell encoder can show. Pixels at the border of an entry are always covered, so that a structure of one
/// pixel is visible.
struct ScreenDoor {
  private let entries: [PixelLayer.Entry]
  /// Whether labels with similar colours differ in their hatches.
  private let hatches: Bool
  private let width, height: Int
  /// The picture's first pixel on a screen of such pixels.
  private let left, top: Int
  /// Pixels of a unit of the pattern.
  private let unit: PixelsPerCell

  /// The pattern of a layer of a picture.
  init(_ picture: Picture, _ layer: PixelLayer, depth: TerminalCapabilities.ColourDepth) {
    let pixels = picture.pixelsPerCell
    entries = layer.entries
    hatches = depth == .sixteen
    (width, height) = (picture.image.width, picture.image.height)
    (left, top) = (picture.area.column * pixels.columns, picture.area.row * pixels.rows)
    unit = PixelsPerCell(columns: pixels.columns / 2, rows: pixels.rows / 2)
  }

  /// The colour of a pixel that shows an entry; nil where the image is seen.
  func colour(
    of entry: Int, _ x: Int, _ y: Int, _ numbers: UnsafeBufferPointer<UInt16>
  ) -> RGB? {
    let look = entries[entry]
    let hatch = hatches ? look.hatch : 0
    if look.opacity < 1 {
      return isAtBorder(x, y, numbers) || covers(look.opacity, hatch, x, y) ? look.colour : nil
    }
    // A line is dashed in black, so that each of its pixels is seen.
    return hatch == 0 || covers(look.opacity, hatch, x, y) ? look.colour : RGB(grey: 0)
  }

  /// Whether the pattern covers a pixel: a quarter, half, three quarters or all of them by opacity, or those of a hatch.
  private func covers(_ opacity: Double, _ hatch: UInt8, _ x: Int, _ y: Int) -> Bool {
    let (column, row) = ((left + x) / unit.columns, (top + y) / unit.rows)
    switch hatch {
    case 0:
      let threshold = [0, 2, 3, 1][(row & 1) << 1 | (column & 1)]
      return Double(threshold) < (opacity * 4).rounded()
    case 1: return (column + row) & 3 < 2
    case 2: return row & 3 < 2
    case 3: return column & 3 < 2
    case 4: return (column - row) & 3 < 2
    case 5: return column & 3 < 2 && row & 3 < 2
    default: return column & 3 < 2 || row & 3 < 2
    }
  }

  /// Whether one of a pixel's four neighbours in the picture shows something else.
  private func isAtBorder(_ x: Int, _ y: Int, _ numbers: UnsafeBufferPointer<UInt16>) -> Bool {
    let pixel = y * width + x
    let own = numbers[pixel]
    return (x > 0 && numbers[pixel - 1] != own) || (x + 1 < width && numbers[pixel + 1] != own)
      || (y > 0 && numbers[pixel - width] != own) || (y + 1 < height && numbers[pixel + width] != own)
  }
}
