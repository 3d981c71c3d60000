import Metrics
import Review
import ReviewFixtures
import Screen
import TestSupport
import Testing
import Volumes
import Work

/// The phantom with a second mask: the liver lacks a corner of 8 voxels and has one more voxel far away, and a part of
/// the spleen is liver.
private func pair(_ grid: VolumeGrid = grid(GridSize(24, 20, 16), spacing: 10)) -> ReviewCase {
  var content = phantomCase(grid)
  var other = content.masks[0]
  other.name = "second.nii.gz"
  other.path = "/cases/second.nii.gz"
  let size = grid.size
  other.labels = other.labels.relabelled { offset, label in
    let index = size.index(offset: offset)
    if index == VoxelIndex(22, 18, 14) { return 6 }
    if (4..<6).contains(index.i), (5..<7).contains(index.j), (3..<5).contains(index.k) { return 0 }
    if label == 1, index.i == 17 { return 6 }
    return label
  }
  content.masks.append(other)
  return content
}

private func pairState(_ content: ReviewCase = pair()) throws -> ReviewState {
  var state = try openedState(content, screen: ScreenSize(rows: 40, columns: 120))
  try state.finishComparison()
  return state
}

@Suite struct JumpTests {
  @Test("n steps through the differences of A and B, the largest first, and describes each")
  func differences() throws {
    var state = try pairState()
    state.type("n")
    #expect(state.message == Message("1 of 3, 16.0 mL, axial 5, spleen in A, liver in B"))
    #expect(state.view.crosshair == VoxelIndex(17, 7, 5))
    state.type("n")
    #expect(state.message == Message("2 of 3, 8.0 mL, axial 3, only A: liver"))
    #expect(state.view.crosshair == VoxelIndex(5, 5, 3))
    state.type("sn")
    #expect(state.message == Message("3 of 3, 1.0 mL, sagittal 22, only B: liver"))
    #expect(state.view.crosshair == VoxelIndex(22, 18, 14))
    state.type("nNN")
    #expect(state.message == Message("2 of 3, 8.0 mL, sagittal 4, only A: liver"))
  }

  @Test("the first step back goes to the last difference")
  func backwardsFirst() throws {
    var state = try pairState()
    state.type("N")
    #expect(state.message == Message("3 of 3, 1.0 mL, axial 14, only B: liver"))
  }

  @Test("n reports why there is no difference to go to: no version, one version, still searching, none")
  func nowhere() throws {
    var none = try openedState(phantomCase(withMask: false))
    none.type("n")
    #expect(none.message == Message("no version to compare: open masks, or run a network (m)", .warning))
    var one = try openedState()
    one.type("n")
    #expect(
      one.message
        == Message(
          "there is only one version; I goes through the islands of a label", .warning)
    )
    var early = try openedState(pair())
    early.type("n")
    #expect(early.message == Message("still searching for differences of A and B"))
    var content = phantomCase()
    content.masks.append(content.masks[0])
    var same = try pairState(content)
    same.type("n")
    #expect(same.message == Message("A and B agree about every voxel of the labels that both know"))
  }

  @Test("a label that only B has is a difference, is in the label table, and counts in the numbers of B")
  func labelOfB() throws {
    var content = twoReaders()
    let liver = LabelTable([Label(value: 6, name: "liver", colour: RGBColour(1, 2, 3))])
    content.masks[0].labels = content.masks[0].labels.relabelled { $1 == 6 ? 6 : 0 }
    content.masks[1].labels = content.masks[0].labels.relabelled { offset, label in offset < 40 ? 2 : label }
    for position in 0...1 { content.masks[position].table = liver }
    var state = try pairState(content)
    state.screen = ScreenSize(rows: 40, columns: 120)
    state.type("n")
    #expect(state.message == Message("1 of 1, 2.6 mL, axial 0, only B: label 2"))
    let text = render(state).text
    let row = try #require(text.firstIndex { $0.contains("only B: label 2 2.6 mL") })
    let start = try #require(text[row].firstRange(of: "only B")).lowerBound
    let cell = ScreenCell(row: row, column: text[row].distance(from: text[row].startIndex, to: start))
    for focus in ["", "b"] {
      var clicked = state
      clicked.type(focus)
      _ = reduce(&clicked, .terminal(.mouse(MouseEvent(action: .press, button: 1, cell: cell))))
      #expect(clicked.decisions.shownSide == .b && clicked.selectedLabel == "label 2")
      #expect(clicked.message == Message("label 2 is in B, which is shown now"))
    }
    var typed = state
    typed.command("label 2")
    #expect(
      typed.decisions.shownSide == .b && typed.message == Message("label 2 is in B, which is shown now"))
    state.press(.tab)
    #expect(render(state).text.contains { $0.contains(/label 2 +2.56 +\+2.56 0.000/) })
  }

  @Test("labels that only one version can have are not a difference")
  func unknownLabels() throws {
    var state = try openedState()
    try state.runNetwork()
    try state.finishComparison()
    state.type("n")
    #expect(state.message?.text.hasPrefix("1 of 1, ") == true)
    #expect(state.message?.text.hasSuffix("only B: Liver") == true)
  }

  @Test("after an edit the versions are compared again, and the earlier differences are discarded")
  func editsDiscardDifferences() throws {
    var state = try pairState()
    state.type("n")
    state.paint(VoxelIndex(1, 1, 1), "spleen")
    #expect(state.spatialComparison == nil && state.disagreementPosition == 0)
    try state.finishComparison()
    state.type("n")
    #expect(state.message?.text.hasSuffix("1 of 1, 1.0 mL, axial 1, only B: spleen") == true)
    #expect(state.view.crosshair == VoxelIndex(1, 1, 1))
  }

  @Test("I steps through the islands of the selected label, and I again returns to differences")
  func islands() throws {
    var state = try pairState()
    state.press(.tab)
    state.selectedLabel = "liver"
    state.type("I")
    #expect(
      state.message
        == Message("n and N go through the islands of liver in second.nii.gz; I goes back to differences"))
    state.type("n")
    #expect(state.message == Message("still searching for the islands of liver"))
    try state.finishSpatialComparison()
    state.type("n")
    #expect(state.message == Message("island 1 of 3 of liver, 892.0 mL, axial 5"))
    state.type("nn")
    #expect(state.message == Message("island 3 of 3 of liver, 1.0 mL, axial 14"))
    #expect(state.view.crosshair == VoxelIndex(22, 18, 14))
    // Another label, other islands.
    state.type(".")
    #expect(state.selectedLabel == "spleen" && state.islands == nil)
    try state.finishSpatialComparison()
    state.type("n")
    #expect(state.message == Message("island 1 of 1 of spleen, 48.0 mL, axial 5"))
    state.type("In")
    #expect(state.message == Message("1 of 3, 16.0 mL, axial 5, spleen in A, liver in B"))
  }

  @Test("first and last slice of the selected label, in the active plane", arguments: ["RAS", "LPI", "SAR"])
  func labelEnds(code: String) throws {
    let turned = grid(GridSize(24, 20, 16), try #require(Orientation(code: code)))
    var state = try openedState(phantomCase(turned))
    state.selectedLabel = "spleen"
    let axis = turned.orientation.sliceAxis(of: .axial)
    let box = try #require(state.shownVersion?.statistics(of: 1)?.bounds)
    state.type("^")
    let isUp = turned.orientation[axis].isPositive
    #expect(state.view.crosshair[axis] == (isUp ? box.lower[axis] : box.upper[axis]))
    #expect(state.labelAtCrosshair?.name == "spleen")
    state.type("$")
    #expect(state.view.crosshair[axis] == (isUp ? box.upper[axis] : box.lower[axis]))
    #expect(state.message?.text.hasPrefix("last axial slice of spleen: ") == true)
  }

  @Test("images of one slice have their differences too")
  func oneSlice() throws {
    var content = phantomCase(grid(GridSize(24, 20, 1), spacing: 10))
    let size = content.image.grid.size
    content.masks[0].labels = content.masks[0].labels.relabelled { offset, _ in
      size.index(offset: offset).i < 5 ? 6 : 0
    }
    content.masks.append(content.masks[0])
    content.masks[1].labels = content.masks[1].labels.relabelled { offset, _ in
      size.index(offset: offset).i < 7 ? 6 : 0
    }
    var state = try pairState(content)
    state.type("n")
    #expect(state.message == Message("1 of 1, 40.0 mL, axial 0, only B: liver"))
    #expect(state.view.crosshair == VoxelIndex(6, 9, 0))
    #expect(render(state).text.count == 40)
  }

  @Test("searching for differences and for islands stops at each poll")
  func stops() throws {
    let content = twoReaders()
    var state = try openedState(content)
    try state.finishComparison()
    let request = try #require(state.spatialComparison?.request)
    try expectStops(atEachOf: 20) { _ = try SpatialComparison(request, $0) }
    let labels = content.masks[0].labels
    let islands = IslandsRequest(labels: labels, value: 6, other: labels, otherValue: 6)
    try expectStops(atEachOf: 20) { _ = try Islands(islands, $0) }
  }
}

@Suite struct StripTests {
  @Test("a strip shows where each version has the label and where they agree, the shown slice marked")
  func strip() throws {
    var state = try pairState()
    state.selectedLabel = "spleen"
    let pane = state.layout.panes[0]
    #expect(pane.strip.columns == 4 && pane.picture.columns + 4 == pane.title.columns)
    let frame = render(state)
    func cells(_ column: Int) -> String {
      (0..<pane.strip.rows).reduce(into: "") {
        $0.unicodeScalars.append(frame[pane.strip.row + $1, pane.strip.column + column].character)
      }
    }
    // 16 slices, head above; the spleen lies in 5 to 8, and B has three quarters of it.
    let scale = (0..<pane.strip.rows).map { 15 - $0 * 16 / pane.strip.rows }
    #expect(cells(0) == scale.map { $0 == state.view.crosshair.k ? "▸" : " " }.joined())
    #expect(cells(1) == scale.map { (5...8).contains($0) ? "█" : " " }.joined())
    #expect(cells(2) == scale.map { (5...8).contains($0) ? "▊" : " " }.joined())
    #expect(cells(3) == scale.map { (5...8).contains($0) ? "░" : " " }.joined())
  }

  @Test("| hides and shows strips; narrow panes and cases without a mask have none")
  func switching() throws {
    var state = try pairState()
    state.type("o")
    let wide = state.layout.panes[0].picture.columns
    state.type("|")
    #expect(state.message == Message("strips off"))
    #expect(state.layout.panes.allSatisfy { $0.strip.isEmpty })
    #expect(state.layout.panes[0].picture.columns == wide + 4)
    state.type("|")
    #expect(state.layout.panes[0].picture.columns == wide)
    let narrow = try openedState(screen: ScreenSize(rows: 20, columns: 61))
    #expect(narrow.layout.panes.allSatisfy { $0.strip.isEmpty })
    let bare = try openedState(phantomCase(withMask: false))
    #expect(bare.layout.panes.allSatisfy { $0.strip.isEmpty })
    #expect(try openedState().layout.panes[0].strip.columns == 2)
  }

  @Test("a press on a strip goes to the slice, and a drag follows the pointer's row until the release")
  func mouse() throws {
    var state = try pairState()
    let pane = state.layout.panes[1]
    func mouse(_ action: MouseEvent.Action, _ row: Int, _ column: Int) {
      _ = reduce(
        &state,
        .terminal(.mouse(MouseEvent(action: action, button: 1, cell: ScreenCell(row: row, column: column)))))
    }
    let before = state.view.crosshair
    mouse(.press, pane.strip.row, pane.strip.column + 1)
    #expect(state.view.activePlane == .coronal)
    #expect(state.view.crosshair == VoxelIndex(before.i, 19, before.k))
    mouse(.drag, pane.strip.row + pane.strip.rows + 30, 0)
    #expect(state.view.crosshair == VoxelIndex(before.i, 0, before.k))
    mouse(.release, 0, 0)
    #expect(state.draggedStrip == nil)
  }
}

@Suite struct IslandTableTests {
  private func state() throws -> ReviewState {
    var state = try pairState()
    state.press(.tab)
    state.selectedLabel = "liver"
    state.type("T")
    try state.finishSpatialComparison()
    return state
  }

  @Test(
    "the table lists the islands, with how much of each the other version has; the crosshair follows the pointer"
  )
  func table() throws {
    var state = try state()
    #expect(state.islandPosition == 0)
    let text = render(state).text
    #expect(text.contains { $0.contains("3 islands of liver") })
    #expect(text.contains { $0.contains("›1  axial 5") && $0.contains("892.00 100%") })
    #expect(text.contains { $0.contains("2  axial 5") && $0.contains("16.00   0%") })
    state.press(.down)
    #expect(state.view.crosshair == VoxelIndex(17, 7, 5))
    state.press(.end)
    #expect(state.view.crosshair == VoxelIndex(22, 18, 14))
  }

  @Test("x removes an island and nothing else, as a step that undo takes back")
  func removing() throws {
    var state = try state()
    let before = try #require(state.shownVersion)
    state.press(.down)
    state.type("x")
    let edited = try #require(state.shownVersion)
    #expect(edited.name == "second.nii.gz edited" && edited.origin == .edit(of: before.id))
    #expect(state.history.steps.last?.name == "remove island 2 of liver")
    let size = state.grid.size
    #expect(
      edited.labels
        == before.labels.relabelled { offset, label in
          size.index(offset: offset).i == 17 && label == 6 ? 0 : label
        })
    try state.finishComparison()
    #expect(state.islandPosition == 1 && state.islands?.list?.count == 2)
    state.type("x")
    #expect(state.shownVersion?.id == edited.id)
    #expect(state.shownVersion?.labels[VoxelIndex(22, 18, 14)] == 0)
    state.type("z")
    #expect(state.shownVersion?.labels == edited.labels)
  }

  @Test("K keeps the marked islands, or the one that the table points at")
  func keeping() throws {
    var state = try state()
    let before = try #require(state.shownVersion)
    state.type(" ")
    #expect(state.markedComponents == [0] && state.islandPosition == 1)
    state.press(.down)
    state.type(" K")
    #expect(state.history.steps.last?.name == "keep 2 of 3 islands of liver")
    let size = state.grid.size
    #expect(
      state.shownVersion?.labels
        == before.labels.relabelled { offset, label in
          size.index(offset: offset).i == 17 && label == 6 ? 0 : label
        })
    try state.finishComparison()
    state.type("K")
    #expect(state.history.steps.last?.name == "keep 1 of 2 islands of liver")
    #expect(state.shownVersion?.statistics(of: 6)?.componentCount == 1)
    try state.finishComparison()
    state.type("K")
    #expect(state.message == Message("nothing changes: all islands of liver are kept"))
  }

  @Test("a label of 5 000 islands is listed in its visible part, and its last island can be removed")
  func manyIslands() throws {
    let size = GridSize(100, 100, 3)
    var content = phantomCase(grid(size))
    content.masks[0].labels = content.masks[0].labels.relabelled { offset, _ in
      let index = size.index(offset: offset)
      return index.i % 2 == 0 && index.j % 2 == 0 && index.k != 1 ? 6 : 0
    }
    var state = try openedState(content, screen: ScreenSize(rows: 40, columns: 120))
    try state.finishSpatialComparison()
    state.selectedLabel = "liver"
    state.type("T")
    try state.finishSpatialComparison()
    state.press(.end)
    #expect(render(state).text.contains { $0.contains("›5000  axial 2") })
    state.type("x")
    #expect(state.shownVersion?.statistics(of: 6)?.voxelCount == 4999)
  }

  @Test("without a label, and before the islands are known, nothing changes and the reason is shown")
  func tooEarly() throws {
    var state = try openedState()
    state.type("Tx")
    #expect(state.message == Message("still searching for the islands", .warning))
    #expect(state.decisions.versions.count == 1)
    var bare = try openedState(phantomCase(withMask: false))
    bare.type("TxK")
    #expect(bare.decisions.versions.isEmpty)
    bare.type("qI")
    #expect(bare.message == Message("no label to go through: open a mask, or run a network (m)", .warning))
  }
}
