import Screen
import Testing

private func capabilities(_ depth: TerminalCapabilities.ColourDepth, unicode: Bool = true)
  -> TerminalCapabilities
{
  TerminalCapabilities(colourDepth: depth, showsUnicode: unicode)
}

@Test("the 256-colour palette has 30 neutral greys, none further than 17 from the next")
func thirtyGreys() {
  let values = Palette.neutralGreys.map { Int($0.value) }
  #expect(values.count == 30)
  #expect(values.first == 0 && values.last == 255)
  #expect(zip(values, values.dropFirst()).map { $1 - $0 }.max() == 17)
}

@Test("every palette entry is nearest to itself, and every grey stays grey")
func entriesMapToThemselves() {
  let entries = Palette.xterm256
  for index in 16..<256 { #expect(entries[Palette.index256(entries[index])] == entries[index]) }
  for value in UInt8.min...UInt8.max {
    let shown = entries[Palette.index256(RGB(grey: value))]
    #expect(shown.red == shown.green && shown.green == shown.blue)
    #expect(abs(Int(shown.red) - Int(value)) <= 9)
  }
  for index in 0..<16 { #expect(Palette.index16(Palette.sixteen[index]) == index) }
}

@Test("a tint of a third over grey keeps a hue in the 256-colour palette")
func tintKeepsHue() {
  for label in [RGB(230, 159, 0), RGB(86, 180, 233), RGB(0, 158, 115), RGB(204, 121, 167)] {
    for grey in stride(from: 40, through: 200, by: 40) {
      let tinted = RGB(grey: UInt8(grey)).blended(with: label, opacity: 0.5)
      let shown = Palette.xterm256[Palette.index256(tinted)]
      #expect(Set([shown.red, shown.green, shown.blue]).count > 1, "\(tinted) became \(shown)")
    }
  }
}

@Test("two unlike pixels make an upper half block, two equal ones an empty cell of their colour")
func halfBlocks() {
  var picture = PixelBuffer(width: 2, height: 3, filling: RGB(9, 8, 7))
  picture[0, 1] = RGB(1, 2, 3)
  var frame = Frame(rows: 3, columns: 4)
  frame.draw(picture, in: Rectangle(row: 0, column: 1, rows: 2, columns: 3), for: capabilities(.trueColour))
  let same = Cell(" ", Style(background: .rgb(9, 8, 7)))
  #expect(frame[0, 1] == Cell("▀", Style(foreground: .rgb(9, 8, 7), background: .rgb(1, 2, 3))))
  #expect([frame[0, 2], frame[1, 1], frame[1, 2]] == [same, same, same])
  #expect([frame[0, 0], frame[0, 3], frame[2, 1]] == [Cell(), Cell(), Cell()])
}

@Test("a picture is cut at its rectangle and at the frame")
func pictureIsClipped() {
  var frame = Frame(rows: 2, columns: 2)
  let picture = PixelBuffer(width: 9, height: 9, filling: RGB(grey: 255))
  frame.draw(picture, in: Rectangle(row: 1, column: 1, rows: 9, columns: 9), for: capabilities(.trueColour))
  let white = Cell(" ", Style(background: .rgb(255, 255, 255)))
  #expect(frame.cells == [Cell(), Cell(), Cell(), white])
}

@Test("without colours a ramp of characters shows brightness, from blank to @")
func ramp() {
  var picture = PixelBuffer(width: 10, height: 2)
  for x in 0..<10 { for y in 0..<2 { picture[x, y] = RGB(grey: UInt8(x * 255 / 9)) } }
  var frame = Frame(rows: 1, columns: 10)
  frame.draw(picture, in: frame.bounds, for: capabilities(.mono))
  #expect(frame.text[0].first == " " && frame.text[0].last == "@")
  let order = Array(" .:-=+*#%@")
  let ranks = frame.text[0].map { order.firstIndex(of: $0) ?? -1 }
  for (x, rank) in ranks.enumerated() { #expect(abs(rank - x) <= 1, "\(frame.text[0])") }
  #expect(frame.cells.allSatisfy { $0.style == Style() })
}

@Test("with colours but no Unicode an empty cell has the mean of its two pixels")
func coloursWithoutUnicode() {
  var picture = PixelBuffer(width: 1, height: 2, filling: RGB(200, 0, 0))
  picture[0, 1] = RGB(0, 100, 0)
  var frame = Frame(rows: 1, columns: 1)
  frame.draw(picture, in: frame.bounds, for: capabilities(.indexed256, unicode: false))
  #expect(frame[0, 0] == Cell(" ", Style(background: .rgb(100, 50, 0))))
}

@Test(
  "dithered greys are greys that the terminal has, average to what was asked, and stay fixed to the screen")
func dither() {
  let picture = PixelBuffer(width: 8, height: 16, filling: RGB(grey: 123))
  var frame = Frame(rows: 8, columns: 8)
  frame.draw(picture, in: frame.bounds, for: capabilities(.indexed256))
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
  var shifted = Frame(rows: 8, columns: 8)
  shifted.draw(picture, in: Rectangle(row: 1, column: 1, rows: 7, columns: 7), for: capabilities(.indexed256))
  for row in 1..<8 { for column in 1..<8 { #expect(shifted[row, column] == frame[row, column]) } }
}

@Test("every character that the program draws has an ASCII replacement")
func standIns() {
  let drawn = "┌─┐│└┘├┤▀▄█░▒▓…→←↑↓×µ±≥≤●○✓μθαβγτ■"
  #expect(drawn.unicodeScalars.allSatisfy { $0.asciiReplacement.value < 0x80 && $0.asciiReplacement != "?" })
  #expect(Unicode.Scalar("漢").asciiReplacement == "?")
}
