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

  package init(colourDepth: ColourDepth, showsUnicode: Bool, cellAspect: Double = 2) {
    self.colourDepth = colourDepth
    self.showsUnicode = showsUnicode
    self.cellAspect = cellAspect
  }
}
