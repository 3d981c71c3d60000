import Screen

/// Turns the pictures of frames into what one kind of terminal shows.
///
/// A terminal has one encoder, which may remember what it sent before.
package protocol PictureEncoder: Sendable {
  /// A frame whose pictures have become cells, bytes or both.
  /// - Parameter graphicsLimit: The bytes of ``EncodedFrame/graphics`` after which the rest of them is left to the next
  ///   frame.
  mutating func encode(_ frame: Frame, graphicsLimit: Int) -> EncodedFrame

  /// Forgets what the terminal shows, because its screen was cleared or drawn on by something else.
  mutating func reset()
}

extension PictureEncoder {
  /// A frame whose pictures have become cells, bytes or both.
  package mutating func encode(_ frame: Frame) -> EncodedFrame { encode(frame, graphicsLimit: .max) }
}

/// A frame as it is sent to a terminal.
package struct EncodedFrame: Hashable, Sendable {
  /// The cells, row by row.
  ///
  /// A ``Screen/Cell/picture`` is a cell that `graphics` fills, and which is not written.
  package var cells: [Cell]
  /// What is sent after the cells; empty where all pictures are cells.
  package var graphics: [UInt8] = []
  /// Whether nothing of the frame was left to the next one.
  package var isComplete = true

  /// An encoded frame.
  package init(cells: [Cell], graphics: [UInt8] = [], isComplete: Bool = true) {
    self.cells = cells
    self.graphics = graphics
    self.isComplete = isComplete
  }
}

/// The encoder of a terminal.
package func pictureEncoder(
  for capabilities: TerminalCapabilities, over transport: PictureTransport = PictureTransport()
) -> any PictureEncoder {
  switch capabilities.pictureMode {
  case .characters, .backgrounds, .halfBlocks, .blocks, .sextants:
    cellEncoder(capabilities.pictureMode, capabilities)
  case .sixel:
    PixelEncoder(SixelProtocol(cellSize: capabilities.sixelCellSize, over: transport), capabilities)
  case .kitty: PixelEncoder(KittyProtocol(.cursor, over: transport), capabilities)
  case .kittyPlaceholders: PixelEncoder(KittyProtocol(.placeholders, over: transport), capabilities)
  }
}

/// The encoder of pictures as cells; where a mode shows pixels, that of the same terminal without them.
private func cellEncoder(_ mode: PictureMode, _ capabilities: TerminalCapabilities) -> any CellEncoder {
  let depth = capabilities.colourDepth
  return switch mode {
  case .characters: CharacterEncoder(isOnLight: (capabilities.background?.luminance ?? 0) > 127)
  case .backgrounds: BackgroundEncoder(dither: GreyDither(depth: depth))
  case .halfBlocks, .sixel, .kitty, .kittyPlaceholders: HalfBlockEncoder(dither: GreyDither(depth: depth))
  case .blocks: BlockEncoder(depth: depth, hasSextants: false)
  case .sextants: BlockEncoder(depth: depth, hasSextants: true)
  }
}

extension PixelEncoder {
  /// An encoder for a terminal that shows no picture yet.
  fileprivate init(_ pixelProtocol: Protocol, _ capabilities: TerminalCapabilities) {
    let plain = PictureMode.plain(capabilities.colourDepth, showsUnicode: capabilities.showsUnicode)
    self.init(pixelProtocol, coarse: cellEncoder(plain, capabilities))
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
