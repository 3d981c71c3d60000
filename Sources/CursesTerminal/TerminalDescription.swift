import CTerminal
import Screen

/// The detected properties of a terminal and how they were detected.
package struct TerminalDescription: Hashable, Sendable {
  /// The colours and characters that can be shown.
  package let capabilities: TerminalCapabilities
  /// The terminfo entry in use; it may differ from `TERM`.
  package let terminalName: String
  /// Palette entries that ncurses uses: 0, 8, 16 or 256.
  package let paletteSize: Int
  /// The source of the colour depth and of the character set: "COLORTERM", "terminfo", "locale", ...
  package let depthReason, unicodeReason: String

  /// The description of the terminal in use.
  init() {
    var found = terminal_description()
    terminal_describe(&found)
    let depths: [TerminalCapabilities.ColourDepth] = [.mono, .sixteen, .indexed256, .trueColour]
    capabilities = TerminalCapabilities(
      colourDepth: depths[Int(found.depth)], showsUnicode: found.shows_unicode != 0,
      cellAspect: found.cell_aspect)
    paletteSize = Int(found.colours)
    terminalName = text(found.terminal_name)
    depthReason = text(found.depth_reason)
    unicodeReason = text(found.unicode_reason)
  }
}

/// The text of a C array of characters, which Swift sees as a tuple.
private func text<Characters>(_ characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
