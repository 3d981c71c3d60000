/// A colour of a cell; the terminal shows the nearest colour that it has.
package enum Colour: Hashable, Sendable {
  /// The terminal's own foreground or background.
  case terminal
  /// sRGB, 0...255 each.
  case rgb(UInt8, UInt8, UInt8)
}

/// Colours and attributes of a cell.
package struct Style: Hashable, Sendable {
  /// Colours of the character and of its background.
  package var foreground, background: Colour
  /// Attributes of the character.
  package var isBold, isDim, isReversed, isUnderlined: Bool

  /// A style; by default the terminal's own.
  package init(
    foreground: Colour = .terminal, background: Colour = .terminal, isBold: Bool = false, isDim: Bool = false,
    isReversed: Bool = false, isUnderlined: Bool = false
  ) {
    self.foreground = foreground
    self.background = background
    self.isBold = isBold
    self.isDim = isDim
    self.isReversed = isReversed
    self.isUnderlined = isUnderlined
  }
}
