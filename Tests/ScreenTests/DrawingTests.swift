import Screen
import Testing

private let red = Style(foreground: .rgb(255, 0, 0))

@Test("text is cut at the edges of its rectangle, and a wide character takes two cells or none")
func textIsClipped() {
  var frame = Frame(rows: 3, columns: 8)
  let end = frame.write("abcdef", row: 0, column: -2)
  #expect(end == 4)
  frame.write("漢字漢", row: 1, column: 1, in: Rectangle(row: 1, column: 0, rows: 1, columns: 6))
  frame.write("outside", row: 2, column: 0, in: Rectangle(row: 0, column: 0, rows: 2, columns: 8))
  #expect(frame.text == ["cdef    ", " 漢字   ", "        "])
  #expect((0..<8).map { frame[1, $0].character.value } == [32, 0x6F22, 0, 0x5B57, 0, 32, 32, 32])
}

@Test("overwriting half of a wide character blanks its other half")
func halfOfWideCharacter() {
  var frame = Frame(rows: 1, columns: 4)
  frame.write("漢字", row: 0, column: 0)
  frame.write("x", row: 0, column: 1, style: red)
  frame.write("y", row: 0, column: 2, style: red)
  #expect(frame.text == [" xy "])
  #expect((0..<4).map { frame[0, $0].character.value } == [32, 120, 121, 32])
}

@Test("control characters, escape sequences and direction marks of a name never reach the screen")
func namesAreSanitised() {
  var frame = Frame(rows: 1, columns: 12)
  frame.write("a\u{1B}[31m\u{202E}\u{7}\u{9B}b\ne", row: 0, column: 0)
  #expect(frame.text == ["a?[31m??b?e "])
  #expect(TextWidth.columns("e\u{301}漢\u{1B}") == 4)
}

@Test(
  "truncated text keeps its columns and shows that something is missing",
  arguments: [
    ("liver", 5, "liver"), ("liver", 4, "liv…"), ("漢字漢", 4, "漢…"), ("漢字漢", 5, "漢字…"), ("ab", 0, ""),
    ("ab", 1, "…"),
  ])
func truncation(text: String, width: Int, expected: String) {
  #expect(TextWidth.truncated(text, to: width) == expected)
}

@Test("a box stays inside its rectangle and shows its title")
func box() {
  var frame = Frame(rows: 4, columns: 10)
  frame.drawBox(frame.bounds, title: "long title")
  #expect(frame.text == ["┌ long … ┐", "│        │", "│        │", "└────────┘"])
  var small = Frame(rows: 1, columns: 3)
  small.drawBox(small.bounds, title: "x")
  #expect(small == Frame(rows: 1, columns: 3))
}

@Test("text at the right edge and in the middle keeps inside its area")
func alignment() {
  var frame = Frame(rows: 3, columns: 9)
  frame.writeAtRight("12 mL", row: 0, in: frame.bounds)
  frame.writeCentred("mid", row: 1, in: frame.bounds)
  frame.writeAtRight("much too long", row: 2, in: Rectangle(row: 2, column: 4, rows: 1, columns: 5))
  #expect(frame.text == ["    12 mL", "   mid   ", "    much…"])
}

@Test("filling outside the frame changes only what lies inside it")
func filling() {
  var frame = Frame(rows: 2, columns: 3)
  frame.fill(Rectangle(row: 1, column: 2, rows: 5, columns: 5), Cell("#"))
  frame.fill(Rectangle(row: -3, column: 9, rows: 1, columns: 1), Cell("!"))
  #expect(frame.text == ["   ", "  #"])
}

@Test("parts of a rectangle cover it without overlap, however small it is")
func splitting() {
  let whole = Rectangle(row: 2, column: 3, rows: 5, columns: 11)
  let bottom = whole.splitBottom(2)
  #expect(bottom.bottom == Rectangle(row: 5, column: 3, rows: 2, columns: 11))
  #expect(bottom.rest == Rectangle(row: 2, column: 3, rows: 3, columns: 11))
  #expect(whole.splitTop(99).rest.isEmpty)
  #expect(whole.splitRight(4).right == Rectangle(row: 2, column: 10, rows: 5, columns: 4))
  #expect(whole.inset(3).isEmpty)
}
