import Screen

/// Sixel graphics: tiles are drawn over the cells and belong to them, as text does.
///
/// Terminals that scroll after an image (DEC's VT340 does) show no picture in their last row.
struct SixelProtocol: PixelProtocol {
  /// Few and wide, because xterm takes as long for a small image as for a large one.
  ///
  /// A line of a crosshair that moves up or down changes few of them. xterm does not show an image that is wider or higher
  /// than 1000 pixels.
  var tileSize: PixelTileSize {
    PixelTileSize(
      rows: min(10, max(1, 1000 / cellSize.rows)), columns: min(128, max(1, 1000 / cellSize.columns)))
  }

  /// The size of a cell in pixels of the terminal.
  private let cellSize: PixelsPerCell
  private let transport: PictureTransport

  init(cellSize: PixelsPerCell, over transport: PictureTransport) {
    self.cellSize = cellSize
    self.transport = transport
  }

  func encode(_ tile: PixelTile) -> [UInt8] {
    let pixels = tile.pixels
    guard !tile.area.isEmpty, pixels.width > 0, pixels.height > 0 else { return [] }
    let perCell = PixelsPerCell(
      columns: pixels.width / tile.area.columns, rows: pixels.height / tile.area.rows)
    let colours = SixelColours(
      pixels, limit: transport.sixelRegisters, hasFewShades: tile.hasFewShades,
      column: tile.area.column * perCell.columns,
      row: tile.area.row * perCell.rows)
    let (width, height) = (tile.area.columns * cellSize.columns, tile.area.rows * cellSize.rows)
    var graphics: [UInt8] = []
    graphics.reserveCapacity(width * height)
    // Pixels that are not set stay as they are; here all of them are set.
    graphics += "\u{1B}P0;1;0q\"1;1;\(width);\(height)".utf8
    graphics.appendRegisters(colours.registers)
    var bands = SixelBands(
      colours, width: pixels.width, height: pixels.height, shownWidth: width, shownHeight: height)
    bands.append(to: &graphics)
    graphics += "\u{1B}\\".utf8
    return graphics
  }

  mutating func show(
    _ tile: PixelTile, _ encoded: [UInt8], replacing last: PixelTile?, to bytes: inout [UInt8]
  ) {
    guard !encoded.isEmpty else { return }
    transport.send(at: ScreenCell(row: tile.area.row, column: tile.area.column), to: &bytes) { $0 += encoded }
  }

  /// Text or another tile covers it.
  mutating func remove(_ tile: PixelTile, to bytes: inout [UInt8]) {}

  mutating func removeAll(to bytes: inout [UInt8]) {}

  var coversText: Bool { false }

  /// Images go with the cells of the screen.
  var removal: [UInt8] { [] }
}

extension [UInt8] {
  /// Appends the definitions of colour registers.
  fileprivate mutating func appendRegisters(_ registers: [SixelColours.Percents]) {
    for (register, colour) in registers.enumerated() {
      append(UInt8(ascii: "#"))
      appendDecimal(register)
      self += ";2;".utf8
      appendDecimal(Int(colour.red))
      append(UInt8(ascii: ";"))
      appendDecimal(Int(colour.green))
      append(UInt8(ascii: ";"))
      appendDecimal(Int(colour.blue))
    }
  }
}
