/// The ways to show pictures, from the plainest to the finest.
package enum PictureMode: String, Hashable, Sendable, CaseIterable {
  /// A character of each cell, by brightness; labels are letters.
  case characters
  /// The background of each cell.
  case backgrounds
  /// Two pixels in a cell, one above the other: `▀`.
  case halfBlocks = "half-blocks"
  /// In each cell the block that fits best, of halves, quadrants and eighths.
  case blocks
  /// The same with sextants, 2 x 3 in a cell, which not every font has.
  case sextants
  /// Sixel graphics.
  case sixel
  /// The graphics protocol of kitty, with pictures placed at the cursor.
  case kitty
  /// The graphics protocol of kitty, with characters in the place of pictures, which works inside tmux.
  case kittyPlaceholders = "kitty-placeholders"

  /// Whether pictures are sent as pixels, not as cells.
  package var isPixels: Bool {
    switch self {
    case .characters, .backgrounds, .halfBlocks, .blocks, .sextants: false
    case .sixel, .kitty, .kittyPlaceholders: true
    }
  }

  /// The mode without any question to the terminal.
  package static func plain(_ depth: TerminalCapabilities.ColourDepth, showsUnicode: Bool) -> PictureMode {
    depth == .mono ? .characters : showsUnicode ? .halfBlocks : .backgrounds
  }
}

/// How much of a picture is drawn.
package enum PictureDetail: Hashable, Sendable {
  /// As much as the terminal can show.
  case full
  /// As many pixels in fewer shades, for connections that would need seconds for all of them.
  case fewShades
  /// Less, for the time in which keys follow each other.
  case coarse
  /// The least that shows where one is, for slow connections.
  case coarsest

  /// Whether it has all the pixels that are shown at rest.
  package var hasAllPixels: Bool { self == .full || self == .fewShades }
}
