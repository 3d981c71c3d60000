import Screen
import Testing

private func capabilities(
  _ depth: TerminalCapabilities.ColourDepth, unicode: Bool = true
) -> TerminalCapabilities {
  TerminalCapabilities(colourDepth: depth, showsUnicode: unicode)
}

/// A frame with an image over an area, as a terminal shows it.
private func shown(
  _ image: PixelBuffer, in area: Rectangle, rows: Int, columns: Int, _ capabilities: TerminalCapabilities
) -> Frame {
  var frame = Frame(rows: rows, columns: columns)
  frame.draw(Picture(area: area, image: image))
  return shown(frame, capabilities)
}

@Test("two unlike pixels make an upper half block, two equal ones an empty cell of their colour")
func halfBlocks() {
  var image = PixelBuffer(width: 2, height: 4, filling: RGB(9, 8, 7))
  image[0, 1] = RGB(1, 2, 3)
  let frame = shown(
    image, in: Rectangle(row: 0, column: 1, rows: 2, columns: 2), rows: 3, columns: 4,
    capabilities(.trueColour))
  let same = Cell(" ", Style(background: .rgb(9, 8, 7)))
  var expected = Frame(rows: 3, columns: 4)
  expected[0, 1] = Cell("▀", Style(foreground: .rgb(9, 8, 7), background: .rgb(1, 2, 3)))
  for (row, column) in [(0, 2), (1, 1), (1, 2)] { expected[row, column] = same }
  #expect(frame == expected)
}

@Test("a picture is cut at the frame")
func pictureIsClipped() {
  let image = PixelBuffer(width: 9, height: 18, filling: RGB(grey: 255))
  let frame = shown(
    image, in: Rectangle(row: 1, column: 1, rows: 9, columns: 9), rows: 2, columns: 2,
    capabilities(.trueColour))
  let white = Cell(" ", Style(background: .rgb(255, 255, 255)))
  #expect(frame.cells == [Cell(), Cell(), Cell(), white])
}

@Test(
  "without colours a ramp of characters shows brightness, from blank to @, on a light background the other way",
  arguments: [nil, RGB(grey: 0), RGB(grey: 255)])
func ramp(background: RGB?) {
  var image = PixelBuffer(width: 10, height: 2)
  for x in 0..<10 { for y in 0..<2 { image[x, y] = RGB(grey: UInt8(x * 255 / 9)) } }
  let area = Rectangle(row: 0, column: 0, rows: 1, columns: 10)
  var terminal = capabilities(.mono)
  terminal.background = background
  let frame = shown(image, in: area, rows: 1, columns: 10, terminal)
  let brightening = Array(" .:-=+*#%@")
  let order = background == RGB(grey: 255) ? brightening.reversed() : brightening
  #expect(frame.text[0].first == order.first && frame.text[0].last == order.last)
  let ranks = frame.text[0].map { order.firstIndex(of: $0) ?? -1 }
  for (x, rank) in ranks.enumerated() { #expect(abs(rank - x) <= 1, "\(frame.text[0])") }
  #expect(frame.cells.allSatisfy { $0.style == Style() })
}

@Test("with colours but no Unicode an empty cell has the mean of its two pixels")
func coloursWithoutUnicode() {
  var image = PixelBuffer(width: 1, height: 2, filling: RGB(200, 0, 0))
  image[0, 1] = RGB(0, 100, 0)
  let area = Rectangle(row: 0, column: 0, rows: 1, columns: 1)
  let frame = shown(image, in: area, rows: 1, columns: 1, capabilities(.indexed256, unicode: false))
  #expect(frame.cells == [Cell(" ", Style(background: .rgb(100, 50, 0)))])
}

@Test(
  "dithered greys are greys that the terminal has, average to what was asked, and stay fixed to the screen")
func dither() {
  func grey(rows: Int, columns: Int, in area: Rectangle) -> Frame {
    let image = PixelBuffer(width: area.columns, height: 2 * area.rows, filling: RGB(grey: 123))
    return shown(image, in: area, rows: rows, columns: columns, capabilities(.indexed256))
  }
  let frame = grey(rows: 8, columns: 8, in: Rectangle(row: 0, column: 0, rows: 8, columns: 8))
  let existing = Set(Palette.greys(.indexed256))
  var sum = 0
  for cell in frame.cells {
    guard case .rgb(let lower, _, _) = cell.style.background else { return #expect(Bool(false), "no colour") }
    var upper = lower
    if case .rgb(let value, _, _) = cell.style.foreground { upper = value }
    #expect(existing.contains(upper) && existing.contains(lower))
    sum += Int(upper) + Int(lower)
  }
  #expect(abs(Double(sum) / 128 - 123) < 1)
  let shifted = grey(rows: 8, columns: 8, in: Rectangle(row: 1, column: 1, rows: 7, columns: 7))
  for row in 1..<8 { for column in 1..<8 { #expect(shifted[row, column] == frame[row, column]) } }
}
