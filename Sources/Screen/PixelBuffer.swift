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

  /// A grey picture; `greys` has `width * height` values, row by row.
  package init(width: Int, height: Int, greys: [UInt8]) {
    precondition(greys.count == max(0, width) * max(0, height), "\(greys.count) greys")
    self.width = max(0, width)
    self.height = max(0, height)
    pixels = [RGB](unsafeUninitializedCapacity: greys.count) { pixels, count in
      greys.withUnsafeBufferPointer { greys in
        guard let last = greys.last else { return }
        let bytes = UnsafeMutableRawPointer(pixels.baseAddress!)
        // SAFETY: a colour has three bytes. Four are written at once, of which the next colour covers the last, except
        // for the last colour.
        for pixel in 0..<greys.count - 1 {
          bytes.storeBytes(of: UInt32(greys[pixel]) &* 0x01_0101, toByteOffset: 3 * pixel, as: UInt32.self)
        }
        pixels[greys.count - 1] = RGB(grey: last)
      }
      count = greys.count
    }
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
