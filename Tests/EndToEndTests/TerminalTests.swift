import Foundation
import Testing

/// The real terminal, through `segdeck terminal`.
@Suite(.serialized)
struct TerminalTests {
  private func showPattern(in session: TmuxSession, options: String = "") throws {
    try session.enter("clear; \(try BuiltProgram.path()) terminal --test-pattern \(options)")
    try session.waitFor("q quits.")
  }

  @Test(
    "keys, mouse and paste arrive decoded, whatever the terminal type",
    arguments: [
      "xterm-256color", "xterm", "tmux-256color", "vt100", "linux",
    ])
  func keysAreDecoded(terminalType: String) throws {
    let session = try TmuxSession(columns: 100, rows: 50, terminalType: terminalType)
    try showPattern(in: session)
    try session.press(
      "a", "Up", "Down", "Left", "Right", "PageUp", "PageDown", "Home", "End", "Tab", "BTab", "BSpace", "DC",
      "F1", "C-r",
      "Escape", "é", "Enter")
    let shown = try session.waitFor("key enter")
    let keys = shown.split(separator: "\n").compactMap { line -> String? in
      line.contains("│ key ")
        ? line.replacingOccurrences(of: "│", with: "").trimmingCharacters(in: .whitespaces) : nil
    }
    #expect(
      keys == [
        "key a", "key up", "key down", "key left", "key right", "key pageUp", "key pageDown", "key home",
        "key end",
        "key tab", "key backTab", "key backspace", "key delete", "key F1", "key control-r", "key escape",
        "key é",
        "key enter",
      ])
    try session.send(bytes: Array("\u{1B}[<0;11;6M\u{1B}[<32;12;6M\u{1B}[<0;12;6m\u{1B}[<81;250;6M".utf8))
    try session.waitFor("mouse press button 1 row 5 column 10")
    try session.waitFor("mouse drag button 1 row 5 column 11")
    try session.waitFor("mouse release button 1 row 5 column 11")
    try session.waitFor("mouse wheelDown button 0 row 5 column 249 control")
    try session.send(bytes: Array("\u{1B}[200~q\u{1B}[201~\u{1B}[99;99~".utf8))
    try session.waitFor("paste 1 characters: q")
    // Where the mouse is, kitty may not know.
    try session.send(bytes: Array("\u{1B}[<0;0;0M\u{1B}[<0;0;0m".utf8))
    try session.press("z")
    let last = try session.waitFor("key z")
    #expect(last.contains("q quits.") && !last.contains("mouse press button 1 row 0 column 0"))
  }

  @Test("the picture follows the size of the window")
  func resizing() throws {
    let session = try TmuxSession(columns: 100, rows: 30)
    try showPattern(in: session)
    try session.waitFor("segdeck terminal 100 x 30")
    try session.resize(columns: 61, rows: 17)
    try session.waitFor("segdeck terminal 61 x 17")
    try session.resize(columns: 150, rows: 45)
    let shown = try session.waitFor("resize 150 x 45")
    #expect(shown.split(separator: "\n").first?.count == 150)
  }

  @Test("leaving with q gives the terminal and the shell's screen back, then what went to standard error")
  func quitting() throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try showPattern(in: session)
    try session.press("q")
    let shown = try session.waitFor("this line went to standard error")
    #expect(!shown.contains("q quits."))
    #expect(try session.terminalModes() == before)
    #expect(
      try session.tmux(
        "display-message", "-p", "-t", "main", "#{mouse_any_flag}#{cursor_flag}#{alternate_on}") == "010\n")
  }

  @Test(
    "every signal that ends the program gives the terminal back first",
    arguments: [
      "TERM", "HUP", "INT", "QUIT", "SEGV", "BUS", "ILL", "TRAP", "ABRT", "FPE",
    ])
  func signals(name: String) throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try showPattern(in: session)
    try session.signalProgram(name)
    let shown = try session.waitFor("this line went to standard error")
    #expect(!shown.contains("q quits."))
    #expect(try session.terminalModes() == before)
    #expect(
      try session.tmux(
        "display-message", "-p", "-t", "main", "#{mouse_any_flag}#{cursor_flag}#{alternate_on}") == "010\n")
  }

  @Test("killed, which the program cannot notice, it leaves the terminal as it found it")
  func killing() throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try showPattern(in: session)
    try session.signalProgram("KILL")
    try session.waitUntil("shows the shell's screen") { !$0.contains("q quits.") }
    // The shell may have written its prompt on the program's screen, a moment before.
    try session.press("Enter")
    try session.waitFor("ready>")
    #expect(try session.terminalModes() == before)
    #expect(
      try session.tmux(
        "display-message", "-p", "-t", "main", "#{mouse_any_flag}#{cursor_flag}#{alternate_on}") == "010\n")
  }

  @Test("a failed precondition gives the terminal back and asks nothing")
  func trap() throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try showPattern(in: session, options: "--trap")
    try session.press("x")
    let shown = try session.waitFor("this line went to standard error")
    #expect(!shown.contains("Press space"))
    #expect(try session.terminalModes() == before)
  }

  @Test("Ctrl-Z stops the program and gives the terminal to the shell; fg draws everything again")
  func suspending() throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try showPattern(in: session)
    try session.press("C-z")
    try session.waitFor("Stopped")
    #expect(try session.terminalModes() == before)
    try session.enter("fg")
    try session.waitFor("q quits.")
    try session.press("k")
    try session.waitFor("key k")
    #expect(try session.tmux("display-message", "-p", "-t", "main", "#{mouse_any_flag}") == "1\n")
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try session.terminalModes() == before)
  }

  @Test("stopped by a signal that cannot be caught, the program takes the terminal back when it continues")
  func stopping() throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try showPattern(in: session)
    try session.signalProgram("STOP")
    try session.waitFor("Stopped")
    try session.enter("fg")
    try session.press("k")
    try session.waitFor("key k")
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try session.terminalModes() == before)
  }

  @Test(
    "the depth of colour follows the terminal type, COLORTERM, NO_COLOR and --color",
    arguments: [
      ("xterm-256color", [:], "", "256 "), ("tmux-256color", ["COLORTERM": "truecolor"], "", "24-bit "),
      ("xterm-256color", ["COLORTERM": "truecolor", "NO_COLOR": "1"], "", "none "),
      ("xterm-256color", ["NO_COLOR": "1"], "--color 256", "256 "), ("linux", [:], "", "16 "),
      ("vt100", [:], "", "none "),
      ("xterm", [:], "--color truecolor", "24-bit "), ("xterm-256color", ["SEGDECK_COLOR": "16"], "", "16 "),
      ("unheard-of", [:], "", "256 "),
    ] as [(String, [String: String], String, String)])
  func colourDepth(terminalType: String, environment: [String: String], options: String, expected: String)
    throws
  {
    let session = try TmuxSession(terminalType: terminalType, environment: environment)
    try session.enter("clear; \(try BuiltProgram.path()) terminal \(options)")
    let shown = try session.waitFor("cell height / width")
    let line = shown.split(separator: "\n").first { $0.hasPrefix("colours") }
    #expect(line?.dropFirst("colours".count).drop { $0 == " " }.hasPrefix(expected) == true, "\(shown)")
  }

  @Test("in the plain C locale the terminal is asked, and half blocks are still drawn")
  func plainLocale() throws {
    let session = try TmuxSession(environment: ["LANG": "C"])
    try showPattern(in: session)
    #expect(try session.screen().contains("▀"))
  }

  @Test("with --ascii nothing outside ASCII is drawn")
  func asciiOnly() throws {
    let session = try TmuxSession()
    try showPattern(in: session, options: "--ascii")
    #expect(try session.screen().unicodeScalars.allSatisfy { $0.value < 0x80 })
  }

  @Test("24-bit greys reach the terminal unchanged, and text beside them does not disturb them")
  func trueColour() throws {
    let session = try TmuxSession(columns: 100, rows: 30)
    try session.tmux("set-option", "-s", "-a", "terminal-overrides", ",*:RGB")
    try showPattern(in: session, options: "--color truecolor")
    try session.press("a", "b", "c")
    try session.waitFor("key c")
    let shown = try session.screen(withColours: true)
    #expect(Set(shown.matches(of: /48;2;(\d+);\1;\1m/).map { String($0.1) }).count > 60)
    #expect(!shown.contains("░"))
  }

  @Test("a terminal that answers its questions gets pixels, and no answer, late, cut or among keys, is a key")
  func answers() throws {
    let terminal = try PseudoTerminal(
      [try BuiltProgram.path(), "terminal", "--test-pattern"],
      environment: ["COLORTERM": "truecolor", "TMUX": ""])
    #expect(terminal.hasSent("q quits.", within: 20))
    #expect(terminal.hasSent("\u{1B}[16t", within: 5))
    // Longer than answers are awaited, and cut where a key could begin.
    usleep(1_500_000)
    terminal.type("\u{1B}P>|kitty(0.3")
    usleep(300_000)
    terminal.type("6.4)\u{1B}\\\u{1B}[6;18;9tj\u{1B}[?62;")
    usleep(300_000)
    terminal.type("c")
    #expect(terminal.hasSent("a=q", within: 5))
    terminal.type("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?1016;2$y\u{1B}[?62;c")
    #expect(terminal.hasSent("\u{1B}[?1016h", within: 5))
    #expect(terminal.hasSent("\u{1B}_Ga=T", within: 5))
    // kitty counts pixels from 0.
    terminal.type("\u{1B}[?1016;1$y\u{1B}[<0;9;18Mz")
    // Ctrl-L sends all cells.
    terminal.type("\u{C}")
    #expect(terminal.hasSent("key z", within: 5))
    #expect(terminal.hasSent("mouse press button 1 row 1 column 1 point 1.03, 1.06", within: 5))
    #expect(terminal.hasSent("key j", within: 5))
    #expect(!["key escape", "key c", "key 6", "key ;"].contains { terminal.hasSent($0, within: 0) })
    terminal.end(with: SIGTERM)
    // Pictures are removed just before a frame that may have been cut ends and the terminal gets its modes back.
    #expect(terminal.hasSent(",q=2\u{1B}\\\u{1B}[?2026l\u{1B}[?2004l", within: 5))
  }

  @Test("an answer whose beginning is read while the program starts, and the rest later, is no key")
  func answerCutAtTheStart() throws {
    let terminal = try PseudoTerminal(
      [try BuiltProgram.path(), "terminal", "--test-pattern"], environment: ["TMUX": ""])
    #expect(terminal.hasSent("\u{1B}P$qm\u{1B}\\\u{1B}[m\u{1B}[c", within: 20))
    terminal.type("\u{1B}P1$r48:2:1:2:3m\u{1B}\\\u{1B}[?62;")
    // It no longer waits for the rest.
    #expect(terminal.hasSent("\u{1B}[16t", within: 20))
    terminal.type("22c")
    terminal.type("\u{1B}P>|XTerm(390)\u{1B}\\\u{1B}[6;18;9t\u{1B}[?64;22c")
    // The questions after the first ones were answered, too.
    #expect(terminal.hasSent("\u{1B}[?1016$p", within: 5))
    terminal.type("z\u{C}")
    #expect(terminal.hasSent("key z", within: 5))
    #expect(!["key c", "key 2", "key ;"].contains { terminal.hasSent($0, within: 0) })
  }

  @Test("a terminal that knows the mouse in pixels, but does not keep the mode, is told once")
  func mouseModeThatIsNotKept() throws {
    let terminal = try PseudoTerminal(
      [try BuiltProgram.path(), "terminal", "--test-pattern"],
      environment: ["COLORTERM": "truecolor", "TMUX": ""])
    #expect(terminal.hasSent("\u{1B}[16t", within: 20))
    terminal.type("\u{1B}P>|XTerm(390)\u{1B}\\\u{1B}[6;18;9t\u{1B}[?64;22c")
    #expect(terminal.hasSent("\u{1B}[?1016$p", within: 5))
    terminal.type("\u{1B}[?1016;2$y\u{1B}[?64;22c")
    #expect(terminal.hasSent("\u{1B}[?1016h\u{1B}[?1016$p", within: 5))
    #expect(!terminal.respondsTo("\u{1B}[?1016;2$y\u{1B}[?64;22c", within: 2))
  }

  @Test(
    "the background is that which was asked for, else that of COLORFGBG where the terminal does not say it")
  func background() throws {
    let session = try TmuxSession(environment: ["COLORFGBG": "0;15"])
    for (variables, options, expected) in [
      ("", "--background dark", "dark (0, 0, 0) (decided by: asked for)"),
      ("SEGDECK_BACKGROUND=light ", "", "light (255, 255, 255) (decided by: asked for)"),
      ("", "", "light (255, 255, 255) (decided by: COLORFGBG)"),
    ] {
      try session.enter("clear; \(variables)\(try BuiltProgram.path()) terminal \(options)")
      try session.waitFor(expected)
    }
    try session.enter("clear; SEGDECK_BACKGROUND=grey \(try BuiltProgram.path()) terminal")
    try session.waitFor("segdeck: SEGDECK_BACKGROUND: unknown: found grey, expected dark, light")
  }

  @Test("pictures in the way that was asked for need no answer")
  func askedForPictures() throws {
    let session = try TmuxSession(environment: ["SEGDECK_PICTURES": "half-blocks"])
    try session.enter("clear; \(try BuiltProgram.path()) terminal --pictures characters")
    let shown = try session.waitFor("cell height / width")
    #expect(shown.contains("characters (decided by: asked for)"), "\(shown)")
    try session.enter("clear; SEGDECK_PICTURES=best \(try BuiltProgram.path()) terminal")
    try session.waitFor("segdeck: SEGDECK_PICTURES: unknown: found best, expected auto, characters,")
  }

  @Test("a review with --text prints lines in any terminal, moves no cursor, and gives the terminal back")
  func readAloud() throws {
    let state = FileManager.default.temporaryDirectory.appending(path: "segdeck-text-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: state) }
    let terminal = try PseudoTerminal(
      [try BuiltProgram.path(), "review", "--text"],
      environment: ["TERM": "dumb", "LANG": "C", "LC_ALL": "", "XDG_STATE_HOME": state])
    #expect(terminal.hasSent("keys: m model", within: 30))
    #expect(terminal.hasSent("\naxial k ", within: 5))
    terminal.type("w")
    #expect(terminal.hasSent("Window (centre/width)", within: 5))
    terminal.type("\u{1B}")
    usleep(300_000)
    terminal.type(":slice 40")
    #expect(terminal.hasSent(":slice 40", within: 5))
    terminal.type("\r")
    #expect(terminal.hasSent("axial k 40 of 0-99, label ", within: 5))
    // Neither an escape sequence nor anything outside ASCII.
    #expect(!terminal.hasSent("\u{1B}", within: 0))
    #expect(!terminal.hasSent("\u{FFFD}", within: 0))
    #expect(terminal.end(with: SIGTERM) == SIGTERM)
  }

  @Test("a review whose lines nobody reads any more ends as one whose terminal is closed")
  func readAloudToAProgramThatEnds() throws {
    let session = try TmuxSession()
    let before = try session.terminalModes()
    try session.enter("clear; (\(try BuiltProgram.path()) review --text; echo ended $?. >&2) | head -n 1")
    try session.waitFor("ended 129.")
    #expect(try session.terminalModes() == before)
  }

  @Test("Ctrl-Z stops a review with --text, fg goes on with it, and q gives the terminal back")
  func readAloudInAShell() throws {
    let session = try TmuxSession(columns: 160, rows: 50)
    let before = try session.terminalModes()
    try session.enter("clear; \(try BuiltProgram.path()) review --text")
    try session.waitFor("keys: m model")
    try session.press("C-z")
    try session.waitFor("Stopped")
    #expect(try session.terminalModes() == before)
    try session.enter("fg")
    try session.press("w")
    try session.waitFor("Window (centre/width)")
    try session.press("Escape")
    session.look()
    try session.press("q")
    session.look()
    #expect(try session.terminalModes() == before)
    try session.enter("echo the shell''s turn")
    try session.waitFor("the shells turn")
  }

  @Test("where the cursor cannot be placed a review prints lines, and other commands say so")
  func dumbTerminal() throws {
    let session = try TmuxSession(columns: 160, rows: 50, terminalType: "dumb")
    try session.enter("clear; \(try BuiltProgram.path()) terminal")
    try session.waitFor(
      "segdeck: terminal: the terminal type dumb (TERM) cannot place the cursor, which review --text does not need"
    )
    try session.enter("\(try BuiltProgram.path()) review")
    try session.waitFor("keys: m model")
  }

  @Test("without a terminal the command fails with one line")
  func noTerminal() throws {
    let result = try run([try BuiltProgram.path(), "terminal"])
    #expect(result.status == 1)
    #expect(result.output == "segdeck: terminal: standard input is not a terminal\n")
  }
}
