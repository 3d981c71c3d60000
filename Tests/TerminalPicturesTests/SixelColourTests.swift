import Screen
import TerminalPictures
import Testing

/// The mean of a channel over the pixels that are no text.
private func mean(_ pixels: [RGB?], _ channel: KeyPath<RGB, UInt8>) -> Double {
  let values = pixels.compactMap { $0 }.map { Double($0[keyPath: channel]) }
  return values.reduce(0, +) / Double(max(1, values.count))
}

private func setup(registers: Int) -> PixelSetup {
  PixelSetup(mode: .sixel, transport: PictureTransport(sixelRegisters: registers))
}

/// A frame that a random image fills.
private func frame(_ kind: ImageKind) -> Frame {
  var numbers = SeededNumbers(seed: 3)
  var frame = Frame(rows: 6, columns: 30)
  frame.draw(
    Picture(area: frame.bounds, image: .random(width: 180, height: 72, kind, &numbers)))
  return frame
}

@Test(
  "more colours than registers are mixed from those there are, with the same mean",
  arguments: [16, 64, 256], [ImageKind.greys, .labels, .manyColours])
func coloursAreMixed(registers: Int, kind: ImageKind) {
  let setup = setup(registers: registers)
  var encoder = setup.encoder
  var terminal = setup.terminal
  let frame = frame(kind)
  terminal.receive(encoder.encode(frame), rows: frame.rows, columns: frame.columns)
  #expect(terminal.faults == [])
  let (shown, wanted) = (terminal.screen(), setup.expected(frame))
  #expect(shown.allSatisfy { $0 != nil })
  #expect(Set(shown.compactMap { $0 }).count <= registers)
  for channel in [\RGB.red, \RGB.green, \RGB.blue] {
    let difference = abs(mean(shown, channel) - mean(wanted, channel))
    #expect(difference < 4, "\(difference)")
  }
}

@Test("a flat grey between the greys of 16 registers becomes a pattern that is fixed to the screen")
func ditherIsFixed() {
  let setup = setup(registers: 16)
  func screen(_ area: Rectangle) -> [RGB?] {
    var frame = Frame(rows: 8, columns: 24)
    var image = PixelBuffer(width: area.columns * 6, height: area.rows * 12, filling: RGB(grey: 100))
    // More colours than registers, so that the palette is the fixed one.
    for x in 0..<image.width { (image[x, 0], image[x, 1]) = (RGB(UInt8(x), 0, 0), RGB(0, UInt8(x), 0)) }
    frame.draw(Picture(area: area, image: image))
    var encoder = setup.encoder
    var terminal = setup.terminal
    terminal.receive(encoder.encode(frame), rows: frame.rows, columns: frame.columns)
    #expect(terminal.faults == [])
    return terminal.screen()
  }
  let whole = screen(Rectangle(row: 0, column: 0, rows: 8, columns: 24))
  let part = screen(Rectangle(row: 2, column: 3, rows: 6, columns: 20))
  let width = 24 * 6
  var compared = 0
  for pixel in part.indices where part[pixel] != nil && pixel / width > 25 {
    #expect(part[pixel] == whole[pixel])
    compared += 1
  }
  #expect(compared == 20 * 6 * (6 * 12 - 2))
  #expect(Set(whole[(width * 20)...].compactMap { $0 }).count == 2)
}

/// A frame of rows whose grey rises slowly from left to right, with noise, half of it under a label, and a line across.
private func noisyFrame(lineAtRow line: Int, detail: PictureDetail) -> Frame {
  var numbers = SeededNumbers(seed: 17)
  var frame = Frame(rows: 40, columns: 60)
  var image = PixelBuffer(width: 360, height: 480)
  for y in 0..<image.height {
    for x in 0..<image.width {
      let grey = RGB(grey: UInt8(60 + (x + y) / 8 + Int.random(in: 0...24, using: &numbers)))
      let isLabelled = x % 120 < 60
      image[x, y] =
        y == line
        ? RGB(200, 180, 60) : isLabelled ? grey.blended(with: RGB(230, 159, 0), opacity: 0.4) : grey
    }
  }
  frame.draw(Picture(area: frame.bounds, image: image, detail: detail))
  return frame
}

@Test("fewer shades of a picture with noise and labels take less than 45 % of the bytes of all shades")
func noiseInFewShades() {
  let setup = PixelSetup(mode: .sixel)
  let counts = [PictureDetail.full, .fewShades].map { detail in
    var encoder = setup.encoder
    var terminal = setup.terminal
    let frame = noisyFrame(lineAtRow: 100, detail: detail)
    setup.check(frame, &encoder, on: &terminal)
    var other = setup.encoder
    return other.encode(frame).graphics.count
  }
  #expect(100 * counts[1] < 45 * counts[0], "\(counts)")
}

@Test("where a line across a picture moves up, only pixels near it are sent")
func movedLine() {
  for setup in PixelSetup.all {
    var encoder = setup.encoder
    var terminal = setup.terminal
    setup.check(noisyFrame(lineAtRow: 250, detail: .full), &encoder, on: &terminal)
    var other = setup.encoder
    let whole = other.encode(noisyFrame(lineAtRow: 249, detail: .full)).graphics.count
    let moved = other.encode(noisyFrame(lineAtRow: 250, detail: .full)).graphics.count
    #expect(moved > 0 && 3 * moved < whole, "\(moved) of \(whole)")
    setup.check(noisyFrame(lineAtRow: 249, detail: .full), &encoder, on: &terminal)
  }
}

@Test(
  "images have at most as many pixels as xterm shows, whatever the size of a cell",
  arguments: [
    PixelsPerCell(columns: 4, rows: 8), PixelsPerCell(columns: 8, rows: 16),
    PixelsPerCell(columns: 17, rows: 37), PixelsPerCell(columns: 64, rows: 128),
  ])
func imagesForXterm(_ cellSize: PixelsPerCell) {
  var setup = PixelSetup(mode: .sixel)
  setup.cellSize = cellSize
  var numbers = SeededNumbers(seed: 2)
  var frame = Frame(rows: 22, columns: 300 * 4 / cellSize.columns)
  frame.draw(
    Picture(
      area: frame.bounds,
      image: .random(
        width: frame.columns * cellSize.columns, height: frame.rows * cellSize.rows, .fewColours, &numbers)))
  var encoder = setup.encoder
  var terminal = setup.terminal
  // Images that xterm does not show are faults.
  setup.check(frame, &encoder, on: &terminal)
}
