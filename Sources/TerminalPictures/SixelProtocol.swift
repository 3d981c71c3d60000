import Screen

/// Sixel graphics: tiles are drawn over the cells and belong to them, as text does.
///
/// Terminals that scroll after an image (DEC's VT340 does) show no picture in their last row.
struct SixelProtocol: PixelProtocol {
  // xterm keeps 16 images and takes as long for a small one as for a large one, so there are few.
  static var tileSize: PixelTileSize { PixelTileSize(rows: 20, columns: 64) }

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
      numbers: colours.numbers, width: pixels.width, height: pixels.height,
      registerCount: colours.registers.count, shownWidth: width, shownHeight: height)
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

/// The bands of six rows of a sixel image, whose pixels may be larger than those of the terminal.
private struct SixelBands {
  private let numbers: [UInt16]
  private let width, height, shownHeight: Int
  /// The terminal's column at which each column of the picture begins, and the end.
  private let edges: [Int]

  /// In a band, a column of the picture and the rows in it that have one colour.
  private struct Column {
    var x: Int32
    var bits: UInt8
    /// The position of the colour's next column; -1 for none.
    var next: Int32
  }
  private var columns: [Column]
  /// The first and last column of each colour in the band; -1 for none.
  private var first, last: [Int32]
  /// The colours of the band, in the order in which they occur.
  private var present: [UInt16] = []

  /// - Parameters:
  ///   - numbers: The register of each of `width * height` pixels.
  ///   - shownWidth, shownHeight: Pixels of the terminal that they fill.
  init(
    numbers: [UInt16], width: Int, height: Int, registerCount: Int, shownWidth: Int, shownHeight: Int
  ) {
    self.numbers = numbers
    self.width = width
    self.height = height
    self.shownHeight = shownHeight
    edges = (0...width).map { $0 * shownWidth / width }
    columns = [Column](repeating: Column(x: 0, bits: 0, next: -1), count: 6 * width)
    first = [Int32](repeating: -1, count: registerCount)
    last = first
  }

  /// Appends all bands; each has a pass over the columns for each of its colours.
  mutating func append(to bytes: inout [UInt8]) {
    for top in stride(from: 0, to: shownHeight, by: 6) {
      if top > 0 { bytes.append(UInt8(ascii: "-")) }
      findColumns(top: top)
      for (position, colour) in present.enumerated() {
        if position > 0 { bytes.append(UInt8(ascii: "$")) }
        bytes.append(UInt8(ascii: "#"))
        bytes.appendDecimal(Int(colour))
        appendRuns(of: Int(colour), to: &bytes)
        first[Int(colour)] = -1
        last[Int(colour)] = -1
      }
    }
  }

  /// Lists the columns of each colour of a band.
  private mutating func findColumns(top: Int) {
    // The rows of the picture in the band, each with the bits of the terminal's rows that show it.
    var rows: [(start: Int, bits: UInt8)] = []
    for row in top..<min(top + 6, shownHeight) {
      let start = row * height / shownHeight * width
      let bit = UInt8(1) << UInt8(row - top)
      if let end = rows.indices.last, rows[end].start == start {
        rows[end].bits |= bit
      } else {
        rows.append((start, bit))
      }
    }
    present.removeAll(keepingCapacity: true)
    var count: Int32 = 0
    var found = present
    numbers.withUnsafeBufferPointer { numbers in
      columns.withUnsafeMutableBufferPointer { columns in
        first.withUnsafeMutableBufferPointer { first in
          last.withUnsafeMutableBufferPointer { last in
            // SAFETY: a register is below the number of registers; a column of the picture adds at most six columns, one
            // for each row.
            for x in 0..<Int32(width) {
              for row in rows {
                let colour = Int(numbers[row.start + Int(x)])
                let end = Int(last[colour])
                if end >= 0, columns[end].x == x {
                  columns[end].bits |= row.bits
                  continue
                }
                columns[Int(count)] = Column(x: x, bits: row.bits, next: -1)
                if end >= 0 {
                  columns[end].next = count
                } else {
                  first[colour] = count
                  found.append(UInt16(colour))
                }
                last[colour] = count
                count += 1
              }
            }
          }
        }
      }
    }
    present = found
  }

  /// Appends the columns of a colour as runs of equal sixels.
  private func appendRuns(of colour: Int, to bytes: inout [UInt8]) {
    columns.withUnsafeBufferPointer { columns in
      edges.withUnsafeBufferPointer { edges in
        // SAFETY: lists of columns end with -1, and a column's x is below the picture's width.
        var (end, start, bits) = (0, 0, UInt8(0))
        var position = Int(first[colour])
        while position >= 0 {
          let column = columns[position]
          let left = edges[Int(column.x)]
          if left != end || column.bits != bits {
            bytes.appendRun(bits, count: end - start)
            bytes.appendRun(0, count: left - end)
            start = left
            bits = column.bits
          }
          end = edges[Int(column.x) + 1]
          position = Int(column.next)
        }
        bytes.appendRun(bits, count: end - start)
      }
    }
  }
}

extension [UInt8] {
  /// Appends a sixel several times.
  fileprivate mutating func appendRun(_ bits: UInt8, count: Int) {
    let sixel = 63 + bits
    if count <= 3 {
      for _ in 0..<count { append(sixel) }
      return
    }
    // Some terminals read no larger counts.
    var rest = count
    while rest > 0 {
      append(UInt8(ascii: "!"))
      appendDecimal(Swift.min(rest, 255))
      append(sixel)
      rest -= Swift.min(rest, 255)
    }
  }
}
