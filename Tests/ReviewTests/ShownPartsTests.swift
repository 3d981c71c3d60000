import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Worklist

/// The texts of a frame on which a click has no effect, row by row, except those inside some areas.
private func textsWithoutClick(_ frame: Frame, outside areas: [Rectangle]) -> [String] {
  (0..<frame.rows).flatMap { row -> [String] in
    var texts: [String] = []
    var text = ""
    for column in 0...frame.columns {
      let cell = ScreenCell(row: row, column: column)
      let hasNoClick =
        column < frame.columns && !areas.contains { $0.contains(cell) } && frame.clickTarget(at: cell) == nil
      if hasNoClick {
        text.unicodeScalars.append(frame[row, column].character)
      } else {
        let shown = text.trimmingCharacters(in: .whitespaces)
        if !shown.isEmpty { texts.append("\(row): \(shown)") }
        text = ""
      }
    }
    return texts
  }
}

private func press(_ session: inout SessionState, _ row: Int, _ column: Int) throws -> [SessionEffect] {
  let event = MouseEvent(action: .press, button: 1, cell: ScreenCell(row: row, column: column))
  return try session.finish(reduce(&session, .terminal(.mouse(event))))
}

/// The row and column of a text's first character.
private func position(of text: String, in lines: [String]) throws -> (row: Int, column: Int) {
  let row = try #require(lines.firstIndex { $0.contains(text) }, "\(text)")
  let range = try #require(lines[row].range(of: text))
  return (row, lines[row].distance(from: lines[row].startIndex, to: range.lowerBound))
}

@Suite("Everything that is shown can be clicked")
struct ShownPartsTests {
  @Test("every text outside the panes can be clicked", arguments: [(24, 80), (40, 120), (60, 200)])
  func picture(rows: Int, columns: Int) throws {
    for keys in ["", "#", "D", "v", "b", "y"] {
      var state = try comparedState(rows, columns)
      state.type(keys)
      let panes = state.layout.panes.flatMap { [$0.title, $0.picture, $0.strip] }
      #expect(textsWithoutClick(render(state), outside: panes) == [], "\(keys)")
    }
    let bare = try openedState(phantomCase(withMask: false), screen: ScreenSize(rows: rows, columns: columns))
    #expect(
      textsWithoutClick(
        render(bare), outside: bare.layout.panes.flatMap { [$0.title, $0.picture, $0.strip] }) == [])
  }

  @Test("a click on a candidate puts it into the line, and once more does what the line says")
  func candidates() throws {
    var state = try comparedState(40, 120)
    state.type(":compar")
    func click(_ text: String) throws {
      let (row, column) = try position(of: text, in: render(state).text)
      let cell = ScreenCell(row: row, column: column)
      _ = reduce(&state, .terminal(.mouse(MouseEvent(action: .press, button: 1, cell: cell))))
      _ = reduce(&state, .terminal(.mouse(MouseEvent(action: .release, button: 1, cell: cell))))
    }
    try click("compare  ")
    guard case .command(let line) = state.dialog else {
      Issue.record("no line")
      return
    }
    #expect(line.entry.text == "compare ")
    state.type("c")
    try click("contours")
    guard case .command(let completed) = state.dialog else {
      Issue.record("no line")
      return
    }
    #expect(completed.entry.text == "compare contours")
    #expect(state.view.comparison == .off)
    try click("contours")
    #expect(state.dialog == nil && state.view.comparison == .contours)
  }

  @Test(
    "keys that a message names are clicked as such, and the rest of it opens the messages",
    arguments: [
      ("selected Liver, 1 of 2; G goes there", ["G"]),
      ("nothing to flip to: run a network (m) or the CRF (t) first", ["m", "t"]),
      ("versions are shown of one plane (a, c, s); # shows one version again", ["#"]),
      ("contours: A filled, B outlined; D is the next view, Esc ends it", ["D", "Esc"]),
      ("B is net.nii.gz", []), ("one version; Tab flips", ["Tab"]), ("3 of 36, 12.4 mL, axial 61", []),
    ])
  func keysInMessages(text: String, keys: [String]) throws {
    var state = try comparedState(40, 120)
    state.message = Message(text)
    let frame = render(state)
    let row = state.layout.messageLine.row
    var found: [String] = []
    var before: ClickTarget?
    for column in 0..<text.count + 1 {
      let target = frame.clickTarget(at: ScreenCell(row: row, column: column))
      if case .pictureKey(let key) = target, key != "M", target != before { found.append(key.label) }
      before = target
    }
    #expect(found == keys)
    #expect(frame.clickTarget(at: ScreenCell(row: row, column: 3)) == .pictureKey("M"))
    #expect(frame.text[row].hasPrefix(" " + text))
  }

  @Test(
    "in the list of cases a heading sorts, once more in reverse, and a click on the details of a case opens it"
  )
  func list() throws {
    var session = try measuredList()
    #expect(textsWithoutClick(render(session), outside: []) == ["0: segdeck  12 cases"])
    func click(_ text: String) throws -> [SessionEffect] {
      let (row, column) = try position(of: text, in: render(session).text)
      return try press(&session, row, column)
    }
    _ = try click("Dice")
    #expect(session.worklist.order.first == CaseID(2))
    _ = try click("Dice")
    #expect(session.worklist.order.first != CaseID(2))
    _ = try click("case  ")
    #expect(session.worklist.order.map(\.position) == Array(0..<12))
    _ = try click("unread ")
    #expect(session.worklist.filter == "unread")
    _ = try click("filter unread")
    #expect(session.worklist.list?.entry?.text == "unread")
    try session.press(.escape, "u")
    #expect(session.worklist.filter.isEmpty)
    _ = try click("case-3")
    #expect(session.worklist.list?.selected == CaseID(2))
    _ = try click("cohort median")
    #expect(session.worklist.list == nil && session.current == CaseID(2))
  }

  @Test("the title opens the list of cases and the decisions, and keys of the opening screen can be clicked")
  func session() throws {
    var (session, effects) = begunSession(3)
    let quit = try position(of: "q quits", in: render(session).text)
    var left = session
    _ = try press(&left, quit.row, quit.column)
    #expect(left.end == .left)
    let next = try position(of: "Ctrl-N", in: render(session).text)
    var moved = session
    _ = try press(&moved, next.row, next.column)
    #expect(moved.current == CaseID(1))
    effects = try session.finish(effects)
    try session.press("y")
    let verdict = try position(of: "accepted", in: render(session).text)
    _ = try press(&session, verdict.row, verdict.column)
    guard case .history = session.review.dialog else {
      Issue.record("no decisions")
      return
    }
    try session.press(.escape)
    let listPosition = try position(of: "1/3", in: render(session).text)
    _ = try press(&session, listPosition.row, listPosition.column)
    #expect(session.worklist.list != nil)
  }
}
