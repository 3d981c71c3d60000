/// An sRGB colour of a picture, 0...255 each.
package struct RGB: Hashable, Sendable, BitwiseCopyable {
  /// The components, 0...255 in sRGB.
  package var red, green, blue: UInt8

  package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  package init(grey: UInt8) { self.init(grey, grey, grey) }

  /// The luma, 0...255, with the weights of ITU-R BT.601.
  package var luminance: Int { (299 * Int(red) + 587 * Int(green) + 114 * Int(blue) + 500) / 1000 }

  /// The colour as a cell's colour.
  package var colour: Colour { .rgb(red, green, blue) }

  /// Linear interpolation from this colour (opacity 0) to `other` (opacity 1).
  package func blended(with other: RGB, opacity: Double) -> RGB {
    let part = min(1, max(0, opacity))
    func mix(_ one: UInt8, _ two: UInt8) -> UInt8 {
      UInt8((Double(one) + (Double(two) - Double(one)) * part).rounded())
    }
    return RGB(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }
}
