import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

private func click(_ state: inout ReviewState, _ cell: ScreenCell) {
  _ = reduce(&state, .terminal(.mouse(MouseEvent(action: .press, button: 1, cell: cell))))
  _ = reduce(&state, .terminal(.mouse(MouseEvent(action: .release, button: 1, cell: cell))))
}

/// The cell of the first character of a text on the screen; nil where the text is not shown.
private func cell(of text: String, in state: ReviewState) -> ScreenCell? {
  for (row, line) in render(state).text.enumerated() {
    if let range = line.range(of: text) {
      return ScreenCell(row: row, column: line.distance(from: line.startIndex, to: range.lowerBound))
    }
  }
  return nil
}

/// States with their names; each is what a reviewer sees often.
private func states(_ rows: Int, _ columns: Int) throws -> [(String, ReviewState)] {
  var states: [(String, ReviewState)] = [("picture", try comparedState(rows, columns))]
  for (name, keys) in [
    ("difference", "d"), ("labels", "b"), ("versions", "v"), ("borders", "B"), ("windows", "w"),
  ] {
    var state = try comparedState(rows, columns)
    state.type(keys)
    states.append((name, state))
  }
  var asked = try openedState(screen: ScreenSize(rows: rows, columns: columns))
  asked.type("yq")
  return states + [("question", asked)]
}

@Suite struct ClickTests {
  @Test("a click on a key that the screen shows has the effect of the key, on every screen")
  func clicksAreKeys() throws {
    for (rows, columns) in [(24, 80), (60, 200)] {
      for (name, state) in try states(rows, columns) {
        let frame = render(state)
        for area in frame.clickAreas {
          guard case .key(let key) = area.target, !area.area.isEmpty else { continue }
          let cell = ScreenCell(row: area.area.row, column: area.area.column)
          guard frame.clickTarget(at: cell) == area.target else { continue }
          var (clicked, pressed) = (state, state)
          click(&clicked, cell)
          pressed.press(key)
          #expect(clicked == pressed, "\(name): \(key.label)")
        }
      }
    }
  }

  @Test("every key that the key bar names can be clicked where it is named")
  func keyBar() throws {
    let state = try comparedState(24, 200)
    let frame = render(state)
    let bar = frame.clickAreas.filter { $0.area.row == 23 }
    let keys = bar.compactMap { if case .key(let key) = $0.target { key } else { nil } }
    for key: Key in [.pageUp, .pageDown, .tab, "d", "D", "w", "m", "t", "y", "E", "?", "q", "a", "c", "s"] {
      #expect(keys.contains(key), "\(key.label)")
    }
  }

  @Test("a click on a label selects it and focuses the table; a second click goes to its largest slice")
  func labels() throws {
    var state = try openedState()
    let liver = try #require(cell(of: "liver", in: state))
    click(&state, liver)
    #expect(state.selectedLabel == "liver")
    #expect(state.focus != .picture)
    var entered = state
    click(&state, try #require(cell(of: "liver", in: state)))
    entered.press(.enter)
    #expect(state == entered)
  }

  @Test(
    "a click on the version that is not shown flips to it, and one on the window opens the list of windows")
  func statusLines() throws {
    var state = try comparedState(24, 120)
    #expect(state.decisions.shownSide == .a)
    click(&state, try #require(cell(of: "B reader_two", in: state)))
    #expect(state.decisions.shownSide == .b)
    click(&state, try #require(cell(of: "radiological", in: state)))
    #expect(state.view.convention == .neurological)
    click(&state, try #require(cell(of: "ijk", in: state)))
    #expect(state.dialog == .command(CommandLine(.goTo)))
    state.press(.escape)
    click(&state, try #require(cell(of: "window", in: state)))
    guard case .windows(let selected) = state.dialog else {
      Issue.record("no list of windows")
      return
    }
    // In a list, a click selects an entry, and a second click accepts it.
    let full = try #require(cell(of: "full range", in: state))
    click(&state, full)
    #expect(state.dialog != .windows(selected: selected))
    click(&state, full)
    #expect(state.dialog == nil && state.view.windowName == "full range")
  }

  @Test("a click where nothing can be clicked, and a drag that began there, change nothing")
  func nothing() throws {
    var state = try openedState()
    let before = state
    let empty = ScreenCell(row: 0, column: 79)
    #expect(render(state).clickTarget(at: empty) == nil)
    click(&state, empty)
    #expect(state == before)
    let pane = state.layout.panes[0].picture
    _ = reduce(&state, .terminal(.mouse(MouseEvent(action: .press, button: 1, cell: empty))))
    _ = reduce(
      &state,
      .terminal(
        .mouse(
          MouseEvent(action: .drag, button: 1, cell: ScreenCell(row: pane.row + 3, column: pane.column + 3))))
    )
    #expect(state == before)
  }

  @Test("while a dialog is open only its own parts can be clicked")
  func dialogs() throws {
    var state = try openedState(screen: ScreenSize(rows: 40, columns: 120))
    state.type("w")
    var before = state
    click(&state, ScreenCell(row: 0, column: 30))
    click(&state, ScreenCell(row: 2, column: 100))
    before.message = state.message
    #expect(state == before)
  }
}
