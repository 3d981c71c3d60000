/// What is shown above the pixels of an image: labels, lines, marks.
///
/// A layer has a number for each pixel, so that each kind of terminal can show it in its own way: blended, as a pattern
/// of dots, as a letter.
package struct PixelLayer: Hashable, Sendable {
  /// How the pixels of one number look.
  package struct Entry: Hashable, Sendable {
    package var colour: RGB
    /// From 0, invisible, to 1, which hides the image.
    package var opacity: Double
    /// The letter of a label where there are no colours; nil for what is no label.
    package var letter: Unicode.Scalar?
    /// The hatch of a label where there are so few colours that several labels share one; 0 for none, less than
    /// ``hatchCount``.
    package var hatch: UInt8

    /// The look of a number.
    package init(_ colour: RGB, opacity: Double = 1, letter: Unicode.Scalar? = nil, hatch: UInt8 = 0) {
      self.colour = colour
      self.opacity = opacity
      self.letter = letter
      self.hatch = hatch
    }
  }

  /// The number of hatches, of which the first is none.
  package static let hatchCount = 7

  /// A number for each pixel of the picture, row by row: 0 for nothing, n for `entries[n - 1]`.
  package var numbers: [UInt16]
  /// The looks of the numbers from 1; every number has one.
  package var entries: [Entry]

  /// A layer.
  package init(numbers: [UInt16], entries: [Entry]) {
    self.numbers = numbers
    self.entries = entries
  }
}
