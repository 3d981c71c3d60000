import Screen
import TerminalPictures

/// A terminal of the tests, which turns bytes back into pixels: text cells, images of kitty's protocol, placeholders and
/// sixel graphics.
struct DecodedTerminal {
  /// What is between the program and the terminal.
  let transport: PictureTransport
  let cellSize: PixelsPerCell
  private(set) var rows = 0
  private(set) var columns = 0
  /// What a real terminal would ignore or show wrongly.
  private(set) var faults: [String] = []
  /// Images that were sent since the last ``forgetCounts()``.
  private(set) var imagesSent = 0
  var images = KittyImages()
  /// The pixels of sixel graphics; nil where there are none.
  private var pixels: [RGB?] = []
  private var placeholders: [KittyImages.Part?] = []
  private var cells: [Cell] = []
  private var cursor = ScreenCell(row: 0, column: 0)
  private var savedCursor = ScreenCell(row: 0, column: 0)
  /// The foreground colour, where it is of 24 bits.
  private var foreground = 0

  init(cellSize: PixelsPerCell, over transport: PictureTransport = PictureTransport()) {
    self.cellSize = cellSize
    self.transport = transport
  }

  /// Shows a frame as the program does: cells that changed, then graphics.
  mutating func receive(_ encoded: EncodedFrame, rows: Int, columns: Int) {
    if rows != self.rows || columns != self.columns {
      (self.rows, self.columns) = (rows, columns)
      cells = [Cell](repeating: Cell(), count: rows * columns)
      placeholders = [KittyImages.Part?](repeating: nil, count: rows * columns)
      pixels = [RGB?](repeating: nil, count: rows * columns * cellSize.rows * cellSize.columns)
    }
    for cell in encoded.cells.indices where encoded.cells[cell] != cells[cell] {
      cells[cell] = encoded.cells[cell]
      if cells[cell] != .picture { writeText(cell) }
    }
    read(encoded.graphics[...], isPassedOn: false)
  }

  /// Reads bytes that a signal handler writes.
  mutating func receive(_ bytes: [UInt8]) { read(bytes[...], isPassedOn: false) }

  mutating func forgetCounts() { imagesSent = 0 }

  /// All pixels of the screen, row by row; nil where text is seen.
  mutating func screen() -> [RGB?] {
    var screen = pixels
    for image in images.placed {
      for row in image.area.row..<image.area.row + image.area.rows {
        for column in image.area.column..<image.area.column + image.area.columns {
          if screen[first(row, column)] != nil { fault("two images in cell \(row), \(column)") }
          let part = KittyImages.Part(
            id: image.id, row: row - image.area.row, column: column - image.area.column)
          draw(part, row: row, column: column, on: &screen)
        }
      }
    }
    for cell in placeholders.indices {
      if let part = placeholders[cell] {
        draw(part, row: cell / columns, column: cell % columns, on: &screen)
      }
    }
    return screen
  }

  /// The position of a cell's first pixel.
  private func first(_ row: Int, _ column: Int) -> Int {
    (row * cellSize.rows * columns + column) * cellSize.columns
  }

  private mutating func draw(_ part: KittyImages.Part, row: Int, column: Int, on screen: inout [RGB?]) {
    guard row < rows, column < columns else { return fault("an image outside the screen") }
    guard let image = images.image(part.id), part.row < image.rows, part.column < image.columns else {
      return fault("a part of no image: \(part)")
    }
    let (width, height) = (image.columns * cellSize.columns, image.rows * cellSize.rows)
    for y in 0..<cellSize.rows {
      for x in 0..<cellSize.columns {
        screen[first(row, column) + y * columns * cellSize.columns + x] =
          image.pixels[
            (part.column * cellSize.columns + x) * image.pixels.width / width,
            (part.row * cellSize.rows + y) * image.pixels.height / height]
      }
    }
  }

  private mutating func writeText(_ cell: Int) {
    placeholders[cell] = nil
    let start = first(cell / columns, cell % columns)
    for y in 0..<cellSize.rows {
      for x in 0..<cellSize.columns { pixels[start + y * columns * cellSize.columns + x] = nil }
    }
  }

  private mutating func fault(_ text: String) { faults.append(text) }

  // ---- Bytes ----

  /// Reads text and sequences; `isPassedOn` says whether tmux passed them on, so that they reach the terminal itself.
  private mutating func read(_ bytes: ArraySlice<UInt8>, isPassedOn: Bool) {
    var rest = bytes
    while let byte = rest.first {
      if byte == 0x1B {
        let sequence = Self.sequence(rest)
        rest = rest.dropFirst(sequence.count)
        act(sequence, isPassedOn: isPassedOn)
      } else {
        let text = rest.prefix { $0 != 0x1B }
        rest = rest.dropFirst(text.count)
        write(String(decoding: text, as: UTF8.self))
      }
    }
  }

  /// The sequence at the start of bytes that start with an escape.
  private static func sequence(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let start = bytes.startIndex
    switch bytes.dropFirst().first {
    case UInt8(ascii: "["):
      let end = bytes.dropFirst(2).firstIndex { (0x40...0x7E).contains($0) } ?? bytes.endIndex - 1
      return bytes[start...end]
    case UInt8(ascii: "P"), UInt8(ascii: "_"):
      var at = start + 2
      while at + 1 < bytes.endIndex {
        if bytes[at] == 0x1B, bytes[at + 1] == UInt8(ascii: "\\") { return bytes[start...at + 1] }
        at += bytes[at] == 0x1B ? 2 : 1
      }
      return bytes
    default: return bytes.prefix(2)
    }
  }

  private mutating func act(_ sequence: ArraySlice<UInt8>, isPassedOn: Bool) {
    let text = String(decoding: sequence.dropFirst(), as: UTF8.self)
    let content = sequence.dropFirst(2).dropLast(2)
    let reachesTerminal = isPassedOn == transport.isInsideTmux
    if text == "7" {
      savedCursor = cursor
    } else if text == "8" {
      cursor = savedCursor
    } else if text.hasPrefix("["), text.hasSuffix("H") {
      let numbers = text.dropFirst().dropLast().split(separator: ";").compactMap { Int($0) }
      guard numbers.count == 2 else { return fault(text) }
      let origin = isPassedOn ? transport.origin : ScreenCell(row: 0, column: 0)
      cursor = ScreenCell(row: numbers[0] - 1 - origin.row, column: numbers[1] - 1 - origin.column)
    } else if text.hasPrefix("["), text.hasSuffix("m") {
      let numbers = text.dropFirst().dropLast().split(separator: ";").compactMap { Int($0) }
      foreground = numbers.count == 6 ? numbers[3] << 16 | numbers[4] << 8 | numbers[5] : 0
      if numbers != [0], !numbers.starts(with: [0, 38, 2]) { fault(text) }
    } else if text.hasPrefix("Ptmux;"), transport.isInsideTmux, !isPassedOn {
      read(Self.withoutDoubledEscapes(content.dropFirst(5))[...], isPassedOn: true)
    } else if text.hasPrefix("_G"), reachesTerminal {
      do {
        if try images.perform(content.dropFirst(), at: cursor) { imagesSent += 1 }
      } catch {
        fault("\(error)")
      }
    } else if text.hasPrefix("P"), reachesTerminal {
      do {
        draw(try SixelImage(content, registerLimit: transport.sixelRegisters))
        imagesSent += 1
      } catch {
        fault("\(error)")
      }
    } else {
      fault("unknown sequence \(text.prefix(40).debugDescription)")
    }
  }

  private static func withoutDoubledEscapes(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var single: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      single.append(byte)
      if byte == 0x1B, rest.popFirst() != 0x1B { return [] }
    }
    return single
  }

  /// Writes placeholders at the cursor.
  private mutating func write(_ text: String) {
    let scalars = Array(text.unicodeScalars)
    var at = 0
    while at < scalars.count {
      guard scalars[at] == "\u{10EEEE}", at + 2 < scalars.count,
        let row = KittyImages.diacritics.firstIndex(of: scalars[at + 1]),
        let column = KittyImages.diacritics.firstIndex(of: scalars[at + 2]),
        cursor.row < rows, cursor.column < columns
      else { return fault("text \(scalars[at]) at \(cursor)") }
      placeholders[cursor.row * columns + cursor.column] = KittyImages.Part(
        id: foreground, row: row, column: column)
      cursor.column += 1
      at += 3
    }
  }

  private mutating func draw(_ image: SixelImage) {
    let left = cursor.column * cellSize.columns
    let top = cursor.row * cellSize.rows
    for y in 0..<image.height {
      for x in 0..<image.width {
        guard let colour = image.pixels[y * image.width + x] else { continue }
        guard left + x < columns * cellSize.columns, top + y < rows * cellSize.rows else {
          return fault("a sixel image outside the screen")
        }
        pixels[(top + y) * columns * cellSize.columns + left + x] = colour
      }
    }
  }
}
