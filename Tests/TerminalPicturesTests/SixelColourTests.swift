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
