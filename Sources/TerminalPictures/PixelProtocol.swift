import Screen

/// The cells of a tile, fewer at the edges of pictures.
struct PixelTileSize: Hashable, Sendable {
  var rows, columns: Int
}

/// A part of a picture that is sent at once: the pixels of a rectangle of cells.
struct PixelTile: Hashable, Sendable {
  /// The place on the screen: tiles that follow each other at one place have the same number, from 0.
  var number: Int
  /// The cells.
  var area: Rectangle
  /// Pixels of the tile; any number of them, which fill the cells evenly.
  var pixels: PixelBuffer
  /// Whether it is sent in fewer shades.
  var hasFewShades = false
}

/// A protocol in which a terminal takes pixels.
protocol PixelProtocol: Sendable {
  /// The cells of a whole tile.
  var tileSize: PixelTileSize { get }

  /// The pixels of a tile as they are sent, which is most of the work; tiles are encoded on several threads.
  func encode(_ tile: PixelTile) -> [UInt8]

  /// Appends what shows a tile over its cells; `last` is the tile that is shown at its place, nil for none.
  ///
  /// The cursor and the style may be changed.
  /// - Parameter encoded: The tile's pixels as ``encode(_:)`` gives them.
  mutating func show(
    _ tile: PixelTile, _ encoded: [UInt8], replacing last: PixelTile?, to bytes: inout [UInt8])

  /// Appends what removes a tile; its cells get text or another tile.
  mutating func remove(_ tile: PixelTile, to bytes: inout [UInt8])

  /// Appends what removes every tile; the screen may have been cleared.
  mutating func removeAll(to bytes: inout [UInt8])

  /// Whether tiles hide text that is written over their cells later.
  var coversText: Bool { get }

  /// What removes every tile that a program with the same transport may have sent, whatever happened to it.
  var removal: [UInt8] { get }
}
