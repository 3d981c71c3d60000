/// Colours of a picture's pixels.
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

  /// A picture of `width * height` colours.
  package init(width: Int, height: Int, pixels: [RGB]) {
    precondition(
      width >= 0 && height >= 0 && pixels.count == width * height, "pixels do not fill the picture")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// The pixel at a column and row; writing outside the picture does nothing, reading there gives black.
  package subscript(x: Int, y: Int) -> RGB {
    get { x >= 0 && x < width && y >= 0 && y < height ? pixels[y * width + x] : RGB(grey: 0) }
    set { if x >= 0, x < width, y >= 0, y < height { pixels[y * width + x] = newValue } }
  }
}
