import Review
import Screen
import Testing

private let colours: [RGB] = [
  RGB(240, 228, 66), RGB(230, 159, 0), RGB(255, 95, 95), RGB(120, 190, 200), RGB(86, 180, 233),
  RGB(160, 164, 176),
]

private func terminal(_ depth: TerminalCapabilities.ColourDepth, _ background: RGB?) -> TerminalCapabilities {
  TerminalCapabilities(colourDepth: depth, showsUnicode: true, background: background)
}

/// A frame with a row of each colour, which begins with `text`.
private func frame(_ text: String) -> Frame {
  var frame = Frame(rows: colours.count, columns: 8)
  for (row, colour) in colours.enumerated() {
    frame.write(text, row: row, column: 0, style: Style(foreground: colour.colour))
  }
  return frame
}

/// The colour that the terminal shows for a cell's foreground; nil for its own.
private func shown(_ cell: Cell, _ depth: TerminalCapabilities.ColourDepth) -> RGB? {
  guard case .rgb(let red, let green, let blue) = cell.style.foreground else { return nil }
  let colour = RGB(red, green, blue)
  return switch depth {
  case .mono, .trueColour: colour
  case .sixteen: Palette.sixteen[Palette.index16(colour)]
  case .indexed256: Palette.xterm256[Palette.index256(colour)]
  }
}

@Test("contrast is that of WCAG 2")
func contrast() {
  let grey = RGB(grey: 118)
  #expect(RGB(grey: 0).contrast(with: RGB(grey: 255)) == 21)
  #expect(grey.contrast(with: grey) == 1)
  #expect(abs(grey.contrast(with: RGB(grey: 255)) - 4.54) < 0.005)
  #expect(abs(RGB(255, 0, 0).contrast(with: RGB(grey: 255)) - 4.0) < 0.005)
}

@Test(
  "coloured text stands out from the terminal's own background, whichever that is and with few colours too",
  arguments: [RGB(grey: 255), RGB(253, 246, 227), RGB(grey: 128), RGB(0, 43, 54), RGB(grey: 0)],
  [TerminalCapabilities.ColourDepth.sixteen, .indexed256, .trueColour])
func legibleText(background: RGB, depth: TerminalCapabilities.ColourDepth) {
  var frame = frame("a")
  frame.makeLegible(on: terminal(depth, background))
  for row in colours.indices {
    // The terminal's own foreground is legible by itself.
    if let colour = shown(frame[row, 0], depth) {
      #expect(colour.contrast(with: background) >= 4.5, "\(colours[row])")
    }
  }
}

@Test("on black, and where the background is not known, colours stay as they are")
func darkBackground() {
  for background in [RGB(grey: 0), nil] {
    var changed = frame("a▒■")
    changed.makeLegible(on: terminal(.trueColour, background))
    #expect(changed == frame("a▒■"))
  }
}

@Test("swatches, cells with a background, and reversed ones keep their colours on white; bars become darker")
func exceptions() {
  let white = terminal(.trueColour, RGB(grey: 255))
  var swatches = frame("■▨▤▥▧▣▦█")
  swatches.makeLegible(on: white)
  #expect(swatches == frame("■▨▤▥▧▣▦█"))
  var bars = frame("▒▍")
  bars.makeLegible(on: white)
  for row in colours.indices {
    #expect(shown(bars[row, 1], .trueColour).map { $0.contrast(with: RGB(grey: 255)) >= 3 } == true)
  }
  let style = Style(foreground: colours[0].colour, background: RGB(48, 52, 64).colour)
  let reversed = Style(foreground: colours[0].colour, isReversed: true)
  var others = Frame(rows: 1, columns: 2)
  others[0, 0] = Cell("a", style)
  others[0, 1] = Cell("a", reversed)
  let before = others
  others.makeLegible(on: white)
  #expect(others == before)
}

@Test("a colour that gets darker keeps its hue")
func hue() {
  var frame = frame("a")
  frame.makeLegible(on: terminal(.trueColour, RGB(grey: 255)))
  #expect(
    colours.indices.map { shown(frame[$0, 0], .trueColour) } == [
      RGB(120, 114, 33), RGB(158, 109, 0), RGB(191, 71, 71), RGB(75, 119, 125), RGB(59, 124, 160),
      RGB(110, 113, 121),
    ])
}
