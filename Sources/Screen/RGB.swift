/// An sRGB colour of a picture, 0...255 each.
package struct RGB: Hashable, Sendable, BitwiseCopyable {
  /// The components, 0...255 in sRGB.
  package var red, green, blue: UInt8

  @inlinable package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  package init(grey: UInt8) { self.init(grey, grey, grey) }

  /// The luma, 0...255, with the weights of ITU-R BT.601.
  package var luminance: Int { (299 * Int(red) + 587 * Int(green) + 114 * Int(blue) + 500) / 1000 }

  /// The colour as a cell's colour.
  package var colour: Colour { .rgb(red, green, blue) }

  /// Linear interpolation from this colour (opacity 0) to `other` (opacity 1), rounded to the nearest value.
  package func blended(with other: RGB, opacity: Double) -> RGB { Blend(other, opacity: opacity).over(self) }

  /// A colour that is laid over many others with one opacity.
  package struct Blend: Hashable, Sendable {
    /// The parts of the colour and of what it is laid over, in 1/65536.
    @usableFromInline let red, green, blue, rest: UInt32

    /// A blend; an opacity outside 0...1 counts as the nearer end.
    package init(_ colour: RGB, opacity: Double) {
      let part = UInt32((65536 * min(1, max(0, opacity))).rounded())
      rest = 65536 - part
      // The half with which every sum is rounded.
      (red, green, blue) = (
        UInt32(colour.red) * part + 32768, UInt32(colour.green) * part + 32768,
        UInt32(colour.blue) * part + 32768
      )
    }

    /// The blended colour.
    @inlinable package func over(_ below: RGB) -> RGB {
      RGB(
        UInt8(truncatingIfNeeded: (UInt32(below.red) &* rest &+ red) >> 16),
        UInt8(truncatingIfNeeded: (UInt32(below.green) &* rest &+ green) >> 16),
        UInt8(truncatingIfNeeded: (UInt32(below.blue) &* rest &+ blue) >> 16))
    }
  }
}
