import CTerminal
import Glibc
import Screen
import TerminalPictures

/// The detected properties of a terminal and how they were detected.
package struct TerminalDescription: Hashable, Sendable {
  /// The colours, characters and pictures that can be shown.
  package let capabilities: TerminalCapabilities
  /// The terminfo entry in use; it may differ from `TERM`.
  package let terminalName: String
  /// Palette entries that ncurses uses: 0, 8, 16 or 256.
  package let paletteSize: Int
  /// The source of the colour depth and of the character set: "COLORTERM", "terminfo", "locale", ...
  package let depthReason, unicodeReason: String
  /// What decided how pictures are shown.
  package let pictureReason: String
  /// The source of the size of a cell, and of the background.
  package let cellSizeReason, backgroundReason: String
  /// What the terminal and its surroundings said.
  package let probe: TerminalProbe
  package let surroundings: TerminalSurroundings

  /// The description of the terminal in use, with the mode of pictures and the background that the user asked for.
  init(
    wanted: PictureMode?, background: RGB?, surroundings: TerminalSurroundings, probe: TerminalProbe
  ) {
    let found = WindowDescription()
    let cellSize = probe.answers.cellSize ?? found.cellSize
    let choice = PictureChoice(
      wanted: wanted, colourDepth: found.colourDepth, showsUnicode: found.showsUnicode, cellSize: cellSize,
      surroundings: surroundings, probe: probe)
    capabilities = TerminalCapabilities(
      colourDepth: found.colourDepth, showsUnicode: found.showsUnicode,
      cellAspect: cellSize.map { Double($0.rows) / Double($0.columns) } ?? found.cellAspect,
      pictureMode: choice.mode, cellSize: cellSize,
      background: background ?? probe.answers.background ?? surroundings.background)
    backgroundReason =
      background != nil
      ? "asked for"
      : probe.answers.background != nil
        ? "the terminal's answer" : surroundings.background != nil ? "COLORFGBG" : "no answer"
    pictureReason = choice.reason
    cellSizeReason =
      probe.answers.cellSize != nil
      ? "the terminal's answer" : cellSize != nil ? "the size of the window in pixels" : "no answer"
    paletteSize = found.paletteSize
    terminalName = found.terminalName
    depthReason = found.depthReason
    unicodeReason = found.unicodeReason
    self.probe = probe
    self.surroundings = surroundings
  }
}

extension TerminalDescription {
  /// What lies between the program and what shows its pictures.
  ///
  /// Sixel graphics are tmux' own, so nothing lies between.
  var transport: PictureTransport {
    PictureTransport(
      isInsideTmux: probe.isInsideTmux && capabilities.pictureMode != .sixel,
      origin: surroundings.tmux?.origin ?? ScreenCell(row: 0, column: 0), programNumber: Int(getpid()),
      sixelRegisters: min(256, probe.answers.sixelRegisters ?? 256))
  }
}

/// What is known without an answer to the questions about pictures.
struct WindowDescription {
  let colourDepth: TerminalCapabilities.ColourDepth
  let showsUnicode: Bool
  let cellAspect: Double
  /// The size of a cell by the window's size in pixels; nil where that is not known or cannot be.
  let cellSize: PixelsPerCell?
  let paletteSize: Int
  let terminalName, depthReason, unicodeReason: String
  /// Whether the terminal still owes the answer to a question of the start.
  let isProbeLate: Bool

  /// The terminal in use, with the size that it has now.
  init() {
    var found = terminal_description()
    terminal_describe(&found)
    let depths: [TerminalCapabilities.ColourDepth] = [.mono, .sixteen, .indexed256, .trueColour]
    colourDepth = depths[Int(found.depth)]
    showsUnicode = found.shows_unicode != 0
    cellAspect = found.cell_aspect
    let size = PixelsPerCell(columns: Int(found.cell_width), rows: Int(found.cell_height))
    cellSize = size.isPlausible ? size : nil
    paletteSize = Int(found.colours)
    terminalName = text(found.terminal_name)
    depthReason = text(found.depth_reason)
    unicodeReason = text(found.unicode_reason)
    isProbeLate = found.probe_is_late != 0
  }
}

/// The text of a C array of characters, which Swift sees as a tuple.
private func text<Characters>(_ characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
