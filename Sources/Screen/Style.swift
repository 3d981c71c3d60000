/// A colour that the program asks for; the terminal shows the nearest that it has.
package enum Colour: Hashable, Sendable {
  /// The terminal's own foreground or background.
  case terminal
  /// sRGB, 0...255 each.
  case rgb(UInt8, UInt8, UInt8)
}

/// How a cell's character looks.
package struct Style: Hashable, Sendable {
  /// Colours of the character and of what lies behind it.
  package var foreground, background: Colour
  /// Attributes.
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
