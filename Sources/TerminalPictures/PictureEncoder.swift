import Screen

/// Turns the pictures of frames into what one kind of terminal shows.
///
/// A terminal has one encoder, which may remember what it sent before.
package protocol PictureEncoder: Sendable {
  /// A frame whose pictures have become cells, bytes or both.
  mutating func encode(_ frame: Frame) -> EncodedFrame

  /// Forgets what the terminal shows, because its screen was cleared or drawn on by something else.
  mutating func reset()
}

/// A frame as it is sent to a terminal.
package struct EncodedFrame: Hashable, Sendable {
  /// The cells, row by row.
  ///
  /// A ``Screen/Cell/picture`` is a cell that `graphics` fills, and which is not written.
  package var cells: [Cell]
  /// What is sent after the cells; empty where all pictures are cells.
  package var graphics: [UInt8] = []

  /// An encoded frame.
  package init(cells: [Cell], graphics: [UInt8] = []) {
    self.cells = cells
    self.graphics = graphics
  }
}

/// The encoder of a terminal.
package func pictureEncoder(for capabilities: TerminalCapabilities) -> any PictureEncoder {
  switch capabilities.pictureMode {
  case .characters: CharacterEncoder()
  case .backgrounds: BackgroundEncoder(depth: capabilities.colourDepth)
  case .blocks: BlockEncoder(depth: capabilities.colourDepth, hasSextants: false)
  case .sextants: BlockEncoder(depth: capabilities.colourDepth, hasSextants: true)
  case .halfBlocks, .sixel, .kitty, .kittyPlaceholders:
    HalfBlockEncoder(depth: capabilities.colourDepth)
  }
}
