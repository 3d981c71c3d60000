import Pictures
import Testing
import Volumes

private func written(_ text: String) -> [String] {
  var picture = Picture(width: max(6, BitmapFont.width(of: text)), height: BitmapFont.height)
  picture.write(text, x: 0, y: 0, colour: white)
  return drawing(picture, [black: ".", white: "#"])
}

@Test("letters are written row by row")
func letters() {
  #expect(
    written("Aé") == [
      "............", "............", "..#......#..", ".#.#....#...", "#...#.......", "#...#..###..",
      "#...#.#...#.", "#####.#####.", "#...#.#.....", "#...#.#...#.", "#...#..###..", "............",
      "............",
    ])
}

@Test(
  "a letter of two code points is one glyph, controls are not written, and a character without a glyph is a mark"
)
func oddLetters() {
  #expect(written("e\u{301}") == written("é"))
  #expect(written("a\u{202e}b\u{1b}c") == written("ab c"))
  #expect(written("\u{4e2d}") == written("\u{fffd}"))
  #expect(written("\u{4e2d}") != written(" "))
  #expect(written("Ж") != written("\u{fffd}"))
}

@Test("a text that is too wide is truncated with a mark")
func shortening() {
  #expect(BitmapFont.shortened("liver", to: 30) == "liver")
  #expect(BitmapFont.shortened("liver", to: 29) == "liv…")
  #expect(BitmapFont.shortened("liver", to: 6) == "…")
  #expect(BitmapFont.shortened("liver", to: 5) == "")
}

@Test("a sheet's columns are as wide as their widest picture, and its rows as high as their highest")
func sheet() {
  let (red, blue, ground) = (RGBColour(255, 0, 0), RGBColour(0, 0, 255), RGBColour(24, 26, 31))
  let cells = [
    Picture(width: 2, height: 1, filling: red), Picture(width: 1, height: 2, filling: blue),
    Picture(width: 1, height: 1, filling: red),
  ]
  let sheet = ContactSheet(columns: 2, gap: 1)
  #expect(
    drawing(sheet.picture(of: cells), [red: "r", blue: "b", ground: "."]) == ["rr.b", "...b", "....", "r..."])
  #expect(sheet.picture(of: []) == Picture(width: 0, height: 0))
  #expect(sheet.cellWidth(ofWidth: 21) == 10)
}

@Test("a legend takes as many lines as it needs, each entry with its colour")
func legend() {
  let (red, ground) = (RGBColour(255, 0, 0), RGBColour(24, 26, 31))
  let entry = LegendEntry(red, "liver")
  let picture = Picture(width: 120, height: 10)
  // An entry is 50 pixels wide, so two stand in a line.
  let whole = PictureCaption(["case1"], legend: [entry, entry, entry]).below(picture)
  #expect([whole.width, whole.height] == [120, 10 + 3 * 15 + 4])
  #expect((0..<120).filter { whole[$0, 32] == red }.count == 16)
  #expect((0..<120).filter { whole[$0, 47] == red }.count == 8)
  #expect(whole[119, 58] == ground)
  #expect(PictureCaption([]).below(picture) == picture)
}
