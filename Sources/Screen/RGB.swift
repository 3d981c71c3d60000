/// An sRGB colour of a picture, 0...255 each.
package struct RGB: Hashable, Sendable {
  /// The three parts.
  package var red, green, blue: UInt8

  /// A colour.
  package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// A grey.
  package init(grey: UInt8) { self.init(grey, grey, grey) }

  /// How bright it is, 0...255 (weights of ITU-R 601).
  package var luminance: Int { (299 * Int(red) + 587 * Int(green) + 114 * Int(blue) + 500) / 1000 }

  /// The colour as a terminal's.
  package var colour: Colour { .rgb(red, green, blue) }

  /// This colour covered by `other`; 0 leaves it, 1 replaces it.
  package func blended(with other: RGB, opacity: Double) -> RGB {
    let part = min(1, max(0, opacity))
    func mix(_ one: UInt8, _ two: UInt8) -> UInt8 {
      UInt8((Double(one) + (Double(two) - Double(one)) * part).rounded())
    }
    return RGB(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }
}
