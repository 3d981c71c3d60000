import Screen
import Testing

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

@Test("every character that the program draws has an ASCII replacement")
func standIns() {
  let drawn = "┌─┐│└┘├┤▀▄█░▒▓…→←↑↓×µ±≥≤●○✓μθαβγτ■"
  #expect(drawn.unicodeScalars.allSatisfy { $0.asciiReplacement.value < 0x80 && $0.asciiReplacement != "?" })
  #expect(Unicode.Scalar("漢").asciiReplacement == "?")
}
