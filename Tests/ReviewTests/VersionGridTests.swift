import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// Two readers' masks and so many more versions, which have the labels of the second.
func stateWithVersions(
  _ more: Int, _ rows: Int = 40, _ columns: Int = 120, _ capabilities: TerminalCapabilities = trueColour
) throws -> ReviewState {
  var state = try comparedState(rows, columns, capabilities)
  let second = state.decisions.versions[1]
  for number in 0..<more {
    state.decisions.versions.append(
      Version(
        id: VersionID(7 + number), name: "model_\(number + 1)", origin: second.origin, labels: second.labels,
        table: second.table, components: second.components, family: second.family))
  }
  return state
}

/// The colours of a pane's cells.
private func cells(_ frame: Frame, _ pane: ScreenLayout.Pane) -> [Cell] {
  let area = pane.picture
  return (0..<area.rows).flatMap { row in
    (0..<area.columns).map { frame[area.row + row, area.column + $0] }
  }
}

private func mouse(
  _ state: inout ReviewState, _ action: MouseEvent.Action, _ row: Int, _ column: Int
) -> [ReviewEffect] {
  reduce(
    &state,
    .terminal(.mouse(MouseEvent(action: action, button: 1, cell: ScreenCell(row: row, column: column)))))
}

@Suite("Several versions at once")
struct VersionGridTests {
  @Test(
    "two versions stand beside each other, three and four in two rows, A and B first, then the newest",
    arguments: [(24, 80), (40, 120), (60, 200)])
  func panes(rows: Int, columns: Int) throws {
    for (more, expected) in [(0, [1, 2]), (1, [1, 2, 7]), (2, [1, 2, 7, 8]), (3, [1, 2, 8, 9])] {
      var state = try stateWithVersions(more, rows, columns)
      let ids =
        [state.decisions.a, state.decisions.b].compactMap(\.self)
        + expected.dropFirst(2).map { VersionID($0) }
      state.type("s#")
      let panes = state.layout.panes
      #expect(panes.map(\.version) == ids.map { .version($0) })
      #expect(panes.allSatisfy { $0.plane == .sagittal && $0.picture.columns >= 16 && $0.picture.rows >= 5 })
      #expect(Set(panes.map(\.millimetresPerColumn)).count == 1)
      let corners = panes.map { [$0.title.row, $0.title.column] }
      if panes.count > 2 {
        #expect(corners[0][0] == corners[1][0] && corners[0][0] < corners[2][0])
        #expect(corners[0][1] == corners[2][1] && corners[0][1] < corners[1][1])
      }
      if panes.count == 4 { #expect(corners[3] == [corners[2][0], corners[1][1]]) }
      let text = render(state).text
      #expect(text[0].contains("\(ids.count) versions"))
      for (pane, letter) in zip(panes, ["A ", "B "]) {
        let title = text[pane.title.row].dropFirst(pane.title.column)
        #expect(title.hasPrefix(" \(letter)reader"))
      }
      for pane in panes.dropFirst(2) {
        #expect(text[pane.title.row].dropFirst(pane.title.column).hasPrefix(" model_"))
      }
      for pane in panes {
        let title = text[pane.title.row].dropFirst(pane.title.column).prefix(pane.title.columns)
        #expect(title.contains("i \(state.view.crosshair.i)"))
      }
    }
  }

  @Test("# and :compare versions show each version's own labels in its pane, and # shows one version again")
  func labels() throws {
    var state = try stateWithVersions(2)
    // No crosshair and no letters, and labels outlined.
    state.type("xXu")
    state.view.crosshair = VoxelIndex(13, 6, 28)
    var typed = state
    state.type("#")
    typed.type(":compare versions")
    typed.press(.enter)
    #expect(typed.view == state.view)
    #expect(
      state.message == Message("versions: 4 versions of one plane; D is the next view, Esc ends it"))
    let frame = shown(state)
    let panes = state.layout.panes
    let seen = panes.map { cells(frame, $0) }
    // The panes of a row have one size; both below have the labels of B.
    #expect(seen[2] == seen[3] && seen[0] != seen[1])
    state.press(.tab)
    let flipped = shown(state)
    #expect(panes.map { cells(flipped, $0) } == seen)
    state.type(" ")
    let bare = shown(state)
    #expect(state.layout.panes == panes)
    #expect(Set(panes.prefix(2).map { cells(bare, $0) }).count == 1)
    state.type(" #")
    #expect(state.view.comparison == .off && state.layout.panes.count == 3)
  }

  @Test(
    "a click moves the crosshair in every pane, the wheel scrolls all of them, and each strip goes to a slice"
  )
  func mouseInPanes() throws {
    var state = try stateWithVersions(2, 60, 200)
    state.type("#")
    try state.finishSpatialComparison()
    for pane in state.layout.panes {
      let cell = ScreenCell(row: pane.picture.row + 7, column: pane.picture.column + 20)
      let expected = state.voxel(at: ScreenPoint(middleOf: cell), in: pane)
      _ = mouse(&state, .press, cell.row, cell.column)
      _ = mouse(&state, .release, cell.row, cell.column)
      #expect(state.view.crosshair == expected)
      _ = mouse(&state, .wheelUp, cell.row, cell.column)
      #expect(state.view.crosshair == VoxelIndex(expected.i, expected.j, expected.k + 1))
      _ = mouse(&state, .wheelDown, cell.row, cell.column)
      #expect(!pane.strip.isEmpty)
      _ = mouse(&state, .press, pane.strip.row, pane.strip.column)
      #expect(state.view.crosshair.k == state.grid.size.k - 1)
      // A drag below the strip of the upper row stays with that strip.
      _ = mouse(&state, .drag, pane.strip.row + pane.strip.rows - 1, pane.strip.column)
      #expect(state.view.crosshair.k == 0)
      _ = mouse(&state, .release, 0, 0)
      state.view.crosshair = expected
    }
  }

  @Test("a click on the title of the other of A and B flips, on another title it opens the versions")
  func titles() throws {
    var state = try stateWithVersions(2)
    state.type("#")
    let panes = state.layout.panes
    let frame = shown(state)
    #expect(frame[panes[0].title.row, panes[0].title.column].style.background == .rgb(0, 95, 135))
    _ = mouse(&state, .press, panes[1].title.row, panes[1].title.column + 2)
    #expect(state.decisions.shownSide == .b)
    let flipped = shown(state)
    #expect(flipped[panes[1].title.row, panes[1].title.column].style.background == .rgb(0, 95, 135))
    _ = mouse(&state, .press, panes[3].title.row, panes[3].title.column + 2)
    #expect(
      state.keyContext
        == {
          var other = state; other.press(.escape); other.type("v"); return other.keyContext
        }())
  }

  @Test("the planes stay where they are for Enter, and the CRF panel compares before and refined")
  func others() throws {
    var state = try stateWithVersions(1)
    state.type("#")
    state.press(.enter)
    #expect(state.layout.panes.count == 3)
    #expect(
      state.message
        == Message("versions are shown of one plane (a, c, s); # shows one version again", .warning))
    state.type("c")
    #expect(state.layout.panes.allSatisfy { $0.plane == .coronal })
    try state.refineLive()
    #expect(state.layout.panes.map(\.version).contains(.side(.b)))
    // The first one says what would be lost.
    state.press(.escape, .escape)
    #expect(state.layout.panes.count == 3)
    var one = try openedState()
    one.type("#")
    #expect(
      one.message == Message("nothing to compare: run a network (m) or the CRF (t) first", .warning))
  }
}
