import Foundation
import Screen

extension RGB {
  /// The relative luminance of WCAG 2, 0 for black to 1 for white.
  var relativeLuminance: Double {
    let parts = [red, green, blue].map { RGB.linear[Int($0)] }
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }

  /// The contrast of two colours by WCAG 2, 1 for equal ones to 21 for black and white.
  package func contrast(with other: RGB) -> Double {
    let (one, two) = (relativeLuminance, other.relativeLuminance)
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)
  }

  private static let linear: [Double] = (0..<256).map { value in
    let part = Double(value) / 255
    return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
  }

  /// The colour as a terminal with so many colours shows it.
  fileprivate func shown(_ depth: TerminalCapabilities.ColourDepth) -> RGB {
    switch depth {
    case .mono, .trueColour: self
    case .sixteen: Palette.sixteen[Palette.index16(self)]
    case .indexed256: Palette.xterm256[Palette.index256(self)]
    }
  }

  /// This colour, made darker or brighter until it stands out from `background`, with the least contrast that is given;
  /// nil where no shade of it does that with so many colours.
  fileprivate func legible(
    on background: RGB, contrast least: Double, _ depth: TerminalCapabilities.ColourDepth
  ) -> RGB? {
    let black = RGB(grey: 0)
    let white = RGB(grey: 255)
    let end = background.contrast(with: black) > background.contrast(with: white) ? black : white
    return (0...16).lazy.map { blended(with: end, opacity: Double($0) / 16) }
      .first { $0.shown(depth).contrast(with: background) >= least }
  }
}

extension Frame {
  /// Makes coloured text on the terminal's own background legible there, where that background is known.
  ///
  /// Colours keep their hue. Swatches, which show the colour of something else (`■` and its hatches, `█`), stay as they
  /// are, and so does everything with a background of its own.
  package mutating func makeLegible(on capabilities: TerminalCapabilities) {
    guard let background = capabilities.background, capabilities.colourDepth > .mono else { return }
    var known: [LegibilityKey: Colour] = [:]
    for position in cells.indices {
      let cell = cells[position]
      guard case .rgb(let red, let green, let blue) = cell.style.foreground,
        cell.style.background == .terminal, !cell.style.isReversed,
        let contrast = cell.character.leastContrast
      else { continue }
      let key = LegibilityKey(colour: cell.style.foreground, contrast: contrast)
      let shown =
        known[key]
        ?? RGB(red, green, blue).legible(on: background, contrast: contrast, capabilities.colourDepth)?.colour
        ?? .terminal
      known[key] = shown
      cells[position].style.foreground = shown
    }
  }
}

private struct LegibilityKey: Hashable {
  var colour: Colour
  var contrast: Double
}

extension Unicode.Scalar {
  /// The least contrast with its background, by WCAG 2: of text 4.5, of bars 3; nil for a swatch.
  fileprivate var leastContrast: Double? {
    switch value {
    case 0x2588, 0x25A0...0x25A9: nil
    case 0x2580...0x259F: 3
    default: 4.5
    }
  }
}
