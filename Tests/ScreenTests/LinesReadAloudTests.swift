import Screen
import Testing

@Suite("Lines that are read aloud")
struct LinesReadAloudTests {
  @Test("are printed when they are new; a key that changes nothing has the last one said again")
  func newLines() {
    var lines = LinesReadAloud()
    func text(_ rows: String..., isAnswer: Bool = true) -> String {
      lines.text(of: Frame(lines: rows), isAnswer: isAnswer)
    }
    #expect(text("case", "slice 1", isAnswer: false) == "case\nslice 1\n")
    #expect(text("case", "slice 2") == "slice 2\n")
    #expect(text("case", "slice 2") == "slice 2\n")
    #expect(text("case", "slice 2", isAnswer: false) == "")
    #expect(text("case", "list", "second", "first") == "list\nsecond\nfirst\n")
    #expect(text("case", "list", "first", "second") == "second\n")
    #expect(text("case", "slice 2") == "slice 2\n")
  }

  @Test("grow where they are being typed, and begin anew where something else was changed or said")
  func typedLine() {
    var lines = LinesReadAloud()
    func text(_ typed: String?, _ rows: String...) -> String {
      lines.text(of: Frame(lines: rows + ["end"], typed: typed), isAnswer: true)
    }
    #expect(text(nil) == "end\n")
    #expect([text(":"), text(":w"), text(":window "), text(":window ")] == [":", "w", "indow ", ""])
    #expect(text(":window lung", "lung, -600/1500") == "\nlung, -600/1500\n:window lung")
    #expect(text(":window") == "\n:window")
    #expect(text(nil) == "\nend\n")
    #expect(text(nil, "done") == "done\n")
    #expect(text("/a") == "/a")
    #expect(lines.end() == "\n")
    #expect(lines.end() == "")
  }

  @Test(
    "are the same after they were a frame, wide characters and blanks at the end of what is typed included")
  func frames() {
    let frame = Frame(lines: ["肝臓 1.5 mL", "", "a"], typed: "go to 肝 ")
    #expect(frame.lines.whole == ["肝臓 1.5 mL", "", "a"])
    #expect(frame.lines.typed == "go to 肝 ")
    #expect(frame.cursor == ScreenCell(row: 3, column: 9))
    #expect(Frame(lines: ["a"]).lines.typed == nil)
  }
}
