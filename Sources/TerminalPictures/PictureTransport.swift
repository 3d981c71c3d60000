import Screen

/// What lies between the program and the terminal that shows its pixels.
package struct PictureTransport: Hashable, Sendable {
  /// Whether tmux lies between: graphics are wrapped so that it passes them on (`allow-passthrough`).
  package var isInsideTmux: Bool
  /// Where the program's first cell is on the terminal itself: the corner of tmux's pane.
  ///
  /// tmux does not know of graphics that it passes on, so they are placed on the terminal, not in the pane. Placeholders
  /// of kitty are text and need no such place.
  package var origin: ScreenCell
  /// A number that programs on one terminal do not share, such as that of the process; it chooses the images' ids.
  package var programNumber: Int
  /// Colour registers that sixel images may use, 16 at least.
  package var sixelRegisters: Int

  /// A transport; by default a terminal without anything between.
  package init(
    isInsideTmux: Bool = false, origin: ScreenCell = ScreenCell(row: 0, column: 0), programNumber: Int = 0,
    sixelRegisters: Int = 256
  ) {
    self.isInsideTmux = isInsideTmux
    self.origin = origin
    self.programNumber = programNumber
    self.sixelRegisters = max(16, sixelRegisters)
  }

  /// Appends graphics, which `append` writes, so that the terminal itself receives them.
  func send(to bytes: inout [UInt8], _ append: (inout [UInt8]) -> Void) {
    guard isInsideTmux else { return append(&bytes) }
    var graphics: [UInt8] = []
    append(&graphics)
    bytes += "\u{1B}Ptmux;".utf8
    for byte in graphics {
      if byte == 0x1B { bytes.append(byte) }
      bytes.append(byte)
    }
    bytes += "\u{1B}\\".utf8
  }

  /// Appends graphics that begin at a cell; the cursor may be moved.
  func send(at cell: ScreenCell, to bytes: inout [UInt8], _ append: (inout [UInt8]) -> Void) {
    guard isInsideTmux else {
      bytes.moveCursor(to: cell)
      return append(&bytes)
    }
    send(to: &bytes) { graphics in
      // tmux keeps account of the terminal's cursor, which therefore must be where it was.
      graphics += "\u{1B}7".utf8
      graphics.moveCursor(to: ScreenCell(row: origin.row + cell.row, column: origin.column + cell.column))
      append(&graphics)
      graphics += "\u{1B}8".utf8
    }
  }
}

extension [UInt8] {
  /// Appends what moves the cursor to a cell.
  mutating func moveCursor(to cell: ScreenCell) {
    self += "\u{1B}[".utf8
    appendDecimal(cell.row + 1)
    append(UInt8(ascii: ";"))
    appendDecimal(cell.column + 1)
    append(UInt8(ascii: "H"))
  }

  /// Appends the digits of a number of at least 0.
  mutating func appendDecimal(_ number: Int) {
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}
