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
package func pictureEncoder(
  for capabilities: TerminalCapabilities, over transport: PictureTransport = PictureTransport()
) -> any PictureEncoder {
  switch capabilities.pictureMode {
  case .characters: CharacterEncoder()
  case .backgrounds: BackgroundEncoder(depth: capabilities.colourDepth)
  case .halfBlocks, .blocks, .sextants: HalfBlockEncoder(depth: capabilities.colourDepth)
  case .sixel: PixelEncoder(SixelProtocol(cellSize: capabilities.sixelCellSize, over: transport))
  case .kitty: PixelEncoder(KittyProtocol(.cursor, over: transport))
  case .kittyPlaceholders: PixelEncoder(KittyProtocol(.placeholders, over: transport))
  }
}

/// What removes the pictures of a terminal's encoder when the program ends in whatever way, besides clearing the screen;
/// it never changes, so that a signal handler can write it.
package func pictureRemoval(
  for capabilities: TerminalCapabilities, over transport: PictureTransport = PictureTransport()
) -> [UInt8] {
  switch capabilities.pictureMode {
  case .characters, .backgrounds, .halfBlocks, .blocks, .sextants: []
  case .sixel: SixelProtocol(cellSize: capabilities.sixelCellSize, over: transport).removal
  case .kitty: KittyProtocol(.cursor, over: transport).removal
  case .kittyPlaceholders: KittyProtocol(.placeholders, over: transport).removal
  }
}

extension TerminalCapabilities {
  /// The size of a cell; where the terminal does not say, that with which pictures are drawn.
  fileprivate var sixelCellSize: PixelsPerCell { cellSize ?? pixelsPerCell(.full) }
}
