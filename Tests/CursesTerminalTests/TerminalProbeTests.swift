import CursesTerminal
import Screen
import Testing

/// A terminal that answers as its kind does.
struct SimulatedTerminal: Sendable, CustomTestStringConvertible {
  var name: String
  var version: String?
  var attributes: String
  var cell: String? = "[6;16;8t"
  var registers: String?
  var mode = "[?1016;2$y"
  var kitty: Bool?
  var surroundings = TerminalSurroundings(terminalType: "xterm-256color")

  var testDescription: String { name }

  /// Its answers to questions, in the order of the questions.
  func answers(to questions: String) -> [TerminalAnswer] {
    let known: [(question: String, answer: String?)] = [
      ("\u{1B}[>0q", version.map { "P>|\($0)\u{1B}\\" }), ("\u{1B}[16t", cell),
      ("\u{1B}]11;?\u{1B}\\", "]11;rgb:0000/0000/0000\u{1B}\\"),
      ("a=q", kitty.map { "_Gi=31;\($0 ? "OK" : "ENOTSUP")\u{1B}\\" }), ("\u{1B}[?1;1;0S", registers),
      ("\u{1B}[?1016$p", mode), ("\u{1B}[c", attributes),
    ]
    return known.filter { questions.contains($0.question) }.compactMap {
      $0.answer.flatMap(TerminalAnswer.init)
    }
  }

  /// A probe that asked everything and got all answers.
  var probe: TerminalProbe {
    var probe = TerminalProbe(surroundings)
    var questions = probe.begin(surroundings)
    while let asked = questions {
      questions = nil
      for answer in answers(to: asked) { questions = probe.take(answer) ?? questions }
    }
    return probe
  }

  func choice(
    wanted: PictureMode? = nil, depth: TerminalCapabilities.ColourDepth = .indexed256, unicode: Bool = true
  ) -> [String] {
    let probe = probe
    let choice = PictureChoice(
      wanted: wanted, colourDepth: depth, showsUnicode: unicode, cellSize: probe.answers.cellSize,
      surroundings: surroundings, probe: probe)
    return [choice.mode.rawValue, choice.reason]
  }

  static let kittyItself = SimulatedTerminal(
    name: "kitty", version: "kitty(0.36.4)", attributes: "[?62;c", kitty: true)

  static func insideTmux(
    _ outer: String, type: String = "xterm-256color", passthrough: Bool = true, sixel: Bool = false
  )
    -> SimulatedTerminal
  {
    SimulatedTerminal(
      name: "tmux in \(outer) \(type)", version: "tmux 3.4", attributes: sixel ? "[?1;2;4c" : "[?1;2c",
      surroundings: TerminalSurroundings(
        terminalType: "screen-256color", hasTmuxVariable: true,
        tmux: .init(allowsPassthrough: passthrough, outerType: type, outerVersion: outer)))
  }
}

private let choices: [(SimulatedTerminal, [String])] = [
  (.kittyItself, ["kitty", "the terminal shows kitty graphics"]),
  (
    SimulatedTerminal(
      name: "WezTerm", version: "WezTerm 20240203", attributes: "[?65;4;6;18;22c", kitty: true),
    ["kitty", "the terminal shows kitty graphics"]
  ),
  (
    SimulatedTerminal(name: "GNOME Terminal", version: "VTE(7006)", attributes: "[?65;1;9c"),
    ["sextants", "the terminal shows no pixels, but draws sextants itself"]
  ),
  (
    SimulatedTerminal(
      name: "xterm as VT340", version: "XTerm(390)", attributes: "[?63;1;2;4;6;9c", registers: "[?1;0;256S"),
    ["sixel", "the terminal shows sixel graphics"]
  ),
  (
    SimulatedTerminal(name: "xterm", version: "XTerm(390)", attributes: "[?64;1;2;6;9;15;18;21;22c"),
    ["half-blocks", "the terminal shows no pixels"]
  ),
  (
    SimulatedTerminal(
      name: "foot", version: "foot(1.16.2)", attributes: "[?62;4;22c", registers: "[?1;0;1024S"),
    ["sixel", "the terminal shows sixel graphics"]
  ),
  (
    SimulatedTerminal(name: "mlterm", attributes: "[?63;1;2;3;4;7;29c", registers: "[?1;0;256S"),
    ["sixel", "the terminal shows sixel graphics"]
  ),
  (
    SimulatedTerminal(name: "a liar", attributes: "[?62;4c", cell: "[6;0;0t"),
    ["half-blocks", "it has sixel graphics, but the size of a cell is not known"]
  ),
  (
    .insideTmux("kitty(0.28.1)"), ["kitty-placeholders", "tmux passes pictures on to kitty"]
  ),
  (.insideTmux("ghostty 1.0.1"), ["kitty-placeholders", "tmux passes pictures on to Ghostty"]),
  // Which kitty it is tmux learns a moment after it was attached.
  (
    .insideTmux("", type: "xterm-kitty"),
    ["half-blocks", "the terminal outside tmux is not known to show pictures there"]
  ),
  (
    .insideTmux("kitty(0.27.9)"),
    ["half-blocks", "the terminal outside tmux is not known to show pictures there"]
  ),
  (
    .insideTmux("kitty(0.36.4)", passthrough: false),
    ["half-blocks", "tmux passes no pictures on (allow-passthrough is off)"]
  ),
  (
    .insideTmux("WezTerm 20240203", sixel: true), ["sixel", "tmux shows sixel graphics"]
  ),
]

@Test("each terminal gets the finest pictures that it is known to show", arguments: choices)
func choice(terminal: SimulatedTerminal, expected: [String]) {
  #expect(terminal.choice() == expected)
}

@Test("the first questions are harmless everywhere; the others follow where the first were answered")
func rounds() {
  let surroundings = TerminalSurroundings(terminalType: "xterm-kitty")
  var probe = TerminalProbe(surroundings)
  #expect(probe.begin(surroundings) == "\u{1B}[>0q\u{1B}[16t\u{1B}]11;?\u{1B}\\\u{1B}[c")
  #expect(probe.take(.version("kitty(0.36.4)")) == nil)
  #expect(
    probe.take(.attributes([62, 4]))
      == "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}[?1;1;0S\u{1B}[?1016$p\u{1B}[c")
  #expect(probe.take(.kitty(isUnderstood: true)) == nil)
  #expect(!probe.isDecided)
  #expect(probe.take(.attributes([62, 4])) == nil)
  #expect(probe.isDone)
}

@Test(
  "reports of the mouse count pixels from 1, those of kitty and Ghostty from 0",
  arguments: [
    ("XTerm(390)", 1), ("foot(1.16.2)", 1), ("kitty(0.26.5)", 0), ("ghostty 1.0.1", 0), (nil, 1),
  ] as [(String?, Int)])
func firstMousePixel(version: String?, expected: Int) {
  let surroundings = TerminalSurroundings(terminalType: "xterm")
  var probe = TerminalProbe(surroundings)
  _ = probe.begin(surroundings)
  if let version { _ = probe.take(.version(version)) }
  #expect(probe.firstMousePixel == expected)
}

@Test("a terminal without a name is not asked about modes, whose question some print")
func namelessTerminal() {
  let surroundings = TerminalSurroundings(terminalType: "xterm-256color")
  var probe = TerminalProbe(surroundings)
  _ = probe.begin(surroundings)
  #expect(probe.take(.attributes([1, 2])) == "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}[c")
}

@Test("tmux is asked for the terminal outside by what it passes on, also where only its answer names it")
func throughTmux() {
  let surroundings = TerminalSurroundings(terminalType: "xterm-256color")
  var probe = TerminalProbe(surroundings)
  _ = probe.begin(surroundings)
  _ = probe.take(.version("tmux 3.4"))
  #expect(
    probe.take(.attributes([1, 2]))
      == "\u{1B}Ptmux;\u{1B}\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\u{1B}\\\u{1B}\\\u{1B}[c")
  _ = probe.take(.attributes([1, 2]))
  #expect(probe.isDecided && !probe.isDone)
  _ = probe.take(.kitty(isUnderstood: true))
  #expect(probe.isDone)
}

@Test(
  "terminals that would print a question are not asked",
  arguments: [
    ("vt100", false), ("vt340", false), ("linux", false), ("dumb", false), ("ansi", false), ("", false),
    ("screen", false), ("screen-256color", false), ("xterm", true), ("tmux-256color", true), ("foot", true),
  ])
func notAsked(terminalType: String, isAsked: Bool) {
  let surroundings = TerminalSurroundings(environment: ["TERM": terminalType])
  var probe = TerminalProbe(surroundings)
  #expect((probe.begin(surroundings) != nil) == isAsked)
  #expect(probe.isDone == !isAsked)
}

@Test("GNU screen inside tmux is not asked, tmux with screen's name is")
func screenAndTmux() {
  #expect(TerminalSurroundings(environment: ["TERM": "screen", "TMUX": "/tmp/t,1,0"]).canBeAsked)
  #expect(
    !TerminalSurroundings(environment: ["TERM": "screen", "TMUX": "/tmp/t,1,0", "STY": "1.pts"]).canBeAsked)
}

@Test("while a terminal is asked again, what it said before counts")
func askedAgain() {
  let terminal = SimulatedTerminal.kittyItself
  var probe = terminal.probe
  let before = probe.answers
  let questions = probe.begin(terminal.surroundings) ?? ""
  #expect(probe.answers == before)
  var other = terminal
  other.version = "XTerm(390)"
  other.kitty = nil
  other.cell = "[6;20;10t"
  var second: String?
  for answer in other.answers(to: questions) { second = probe.take(answer) ?? second }
  #expect(probe.answers == before)
  for answer in other.answers(to: second ?? "") { _ = probe.take(answer) }
  #expect(probe.answers == other.probe.answers)
}

@Test("xterm is known by its name, also while it is asked again; no other terminal is taken for it")
func xterm() {
  let surroundings = TerminalSurroundings(terminalType: "xterm-256color")
  var probe = SimulatedTerminal(name: "xterm", version: "XTerm(379)", attributes: "[?62;4c").probe
  #expect(probe.isXterm)
  _ = probe.begin(surroundings)
  #expect(probe.isXterm)
  #expect(!SimulatedTerminal.kittyItself.probe.isXterm)
  #expect(!SimulatedTerminal(name: "without a name", version: nil, attributes: "[?62;4c").probe.isXterm)
}

@Test("an answer that is owed for an earlier question ends no round")
func owedAnswer() {
  let surroundings = TerminalSurroundings(terminalType: "xterm-256color")
  var probe = TerminalProbe(surroundings, isLate: true)
  _ = probe.begin(surroundings)
  #expect(probe.take(.attributes([64])) == nil)
  #expect(probe.take(.attributes([64])) != nil)
}

@Test("a size that no cell can have is no answer")
func impossibleCells() {
  let sizes = [(0, 0), (8, 16), (3, 8), (64, 128), (10, 41), (16, 15), (65, 128), (9, 18)]
  #expect(
    sizes.map { PixelsPerCell(columns: $0, rows: $1).isPlausible }
      == [false, true, false, true, false, false, false, true])
}

@Test(
  "what the user asks for is done as far as it can be seen",
  arguments: [
    (.sixel, .indexed256, true, ["sixel", "asked for"]), (.kitty, .mono, false, ["kitty", "asked for"]),
    (.halfBlocks, .trueColour, true, ["half-blocks", "asked for"]),
    (.sextants, .sixteen, true, ["sextants", "asked for"]),
    (.blocks, .mono, true, ["characters", "blocks needs colours"]),
    (.blocks, .indexed256, false, ["backgrounds", "blocks needs Unicode"]),
    (.backgrounds, .indexed256, true, ["backgrounds", "asked for"]),
    (.kittyPlaceholders, .trueColour, false, ["backgrounds", "kitty-placeholders needs Unicode"]),
    (nil, .mono, true, ["characters", "there are no colours"]),
    (nil, .sixteen, true, ["half-blocks", "there are few colours"]),
  ] as [(PictureMode?, TerminalCapabilities.ColourDepth, Bool, [String])])
func asked(wanted: PictureMode?, depth: TerminalCapabilities.ColourDepth, unicode: Bool, expected: [String]) {
  #expect(SimulatedTerminal.kittyItself.choice(wanted: wanted, depth: depth, unicode: unicode) == expected)
}

@Test(
  "tmux' own answer names the terminal outside, what it gets, and where the pane is",
  arguments: [
    (
      "on\nxterm-kitty\nkitty(0.36.4)\n3\n40\noff\n",
      TerminalSurroundings.Tmux(
        allowsPassthrough: true, outerType: "xterm-kitty", outerVersion: "kitty(0.36.4)",
        origin: ScreenCell(row: 3, column: 40))
    ),
    (
      "0\nxterm-256color\n\n0\n0\non\n",
      TerminalSurroundings.Tmux(
        allowsPassthrough: false, outerType: "xterm-256color", outerVersion: "",
        origin: ScreenCell(row: 1, column: 0))
    ),
    (
      "all\n\n\n2\n0\n2\n",
      .init(allowsPassthrough: true, outerType: "", outerVersion: "", origin: .init(row: 4, column: 0))
    ),
    ("no server running\n", nil),
  ])
func tmuxAnswer(text: String, expected: TerminalSurroundings.Tmux?) {
  #expect(TerminalSurroundings.Tmux(answer: text) == expected)
}

@Test(
  "COLORFGBG names an entry of the palette as the background, and nothing else does",
  arguments: [
    ("15;0", RGB(0, 0, 0)), ("0;15", RGB(255, 255, 255)), ("0;default;15", RGB(255, 255, 255)),
    ("0;default", nil), ("0;16", nil), ("15", nil), ("", nil),
  ] as [(String, RGB?)])
func backgroundOfTheEnvironment(text: String, expected: RGB?) {
  #expect(TerminalSurroundings(environment: ["TERM": "rxvt", "COLORFGBG": text]).background == expected)
}
