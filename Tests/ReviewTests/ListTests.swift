import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// The phantom with 116 regions on a strip each.
private func manyLabels() -> ReviewCase {
  var content = phantomCase()
  content.masks[0].labels = content.masks[0].labels.relabelled { offset, _ in UInt16(offset % 117) }
  content.masks[0].table = LabelTable(
    (1...116).map {
      Label(value: UInt16($0), name: "region \($0)", colour: LabelTable.colour(ofValue: UInt16($0)))
    })
  return content
}

@Test("PgUp, PgDn, Home and End act on the label table, never on the picture behind it")
func labelTablePages() throws {
  var state = try openedState(manyLabels())
  let crosshair = state.view.crosshair
  state.type("b")
  #expect(state.selectedLabel == "region 1")
  state.press(.end)
  #expect(state.selectedLabel == "region 116")
  #expect(render(state).text.contains { $0.contains("■›region 116") })
  state.press(.down)
  #expect(state.selectedLabel == "region 1")
  // 19 rows for the panel, of which versions and CRF keep three each and islands two; heading and titles, and a page
  // overlaps by one.
  state.press(.pageDown)
  #expect(state.selectedLabel == "region 9")
  state.press(.pageDown, .pageUp, .pageUp, .pageUp)
  #expect(state.selectedLabel == "region 1")
  state.press(.end, .home)
  #expect(state.selectedLabel == "region 1")
  #expect(state.view.crosshair == crosshair)
  state.type("]")
  #expect(state.view.crosshair.k == crosshair.k + 1)
}

@Test(
  "what is typed after / is no key where the list is empty, is not known yet, or where there is no list",
  arguments: ["b", "v", "B", "I", ""])
func nothingIsSearched(opening: String) throws {
  var state = try openedState(phantomCase(withMask: false))
  state.type(opening + "/5ef")
  state.type("Yq")
  #expect(state.decisions.verdicts == Verdicts())
  #expect(state.phase == .reviewing)
  state.press(.escape)
  state.press(.escape)
  state.type("f")
  #expect(state.decisions.verdicts == Verdicts(isFlagged: true))
}

@Test("the name of a label that the version shown lacks cannot be typed, and its letters are no keys")
func noLabelIsNamed() throws {
  var state = try openedState(phantomCase(withMask: false))
  state.type("brfee5")
  #expect(state.dialog == nil)
  #expect(state.decisions.verdicts == Verdicts())
  #expect(
    state.message?.text
      == "the version shown has no selected label to name: what is typed is ignored until Enter or Esc")
  state.press(.enter)
  state.type("f")
  #expect(state.decisions.verdicts == Verdicts(isFlagged: true))
}

@Test("/ searches a list while typing, n and N continue, Esc returns to the start")
func listsAreSearched() throws {
  var state = try openedState(manyLabels())
  state.type("b")
  let decisions = state.decisions
  state.type("/10")
  #expect(state.selectedLabel == "region 10")
  state.type("9")
  #expect(state.selectedLabel == "region 109")
  #expect(render(state).text[23].hasPrefix(" /109"))
  state.press(.backspace)
  state.press(.enter)
  #expect(state.selectedLabel == "region 10")
  let found = (0..<3).map { _ in
    state.type("n")
    return state.selectedLabel
  }
  #expect(found == ["region 100", "region 101", "region 102"])
  state.type("N")
  #expect(state.selectedLabel == "region 101")
  state.type("/Region 11")
  #expect(state.selectedLabel == "region 110")
  state.press(.escape)
  #expect(state.selectedLabel == "region 101")
  state.type("/xyz")
  #expect(render(state).text[23].contains("nothing has this"))
  state.press(.enter)
  #expect(state.message == Message("nothing in this list has \"xyz\"", .warning))
  #expect(state.selectedLabel == "region 101")
  // Typing never fires a shortcut, and a search ends with its list.
  #expect(state.decisions == decisions)
  state.press(.escape)
  #expect(state.focus == .picture)
  #expect(state.search == nil)
}

@Test("windows, models, kernels, versions, help and messages page and search like the label table")
func everyListPages() throws {
  var state = try openedState()
  state.type("w")
  state.press(.end)
  #expect(state.dialog == .windows(selected: 9))
  state.press(.home)
  state.type("/lung")
  state.press(.enter, .enter)
  #expect(state.view.windowName == "CT lung")

  let models = (1...40).map {
    ModelDescription(id: "m\($0)", name: "network \($0)", labels: LabelTable(), size: "1 M", input: "CT")
  }
  _ = reduce(&state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: models)))
  state.press(.end)
  #expect(state.dialog == .models(selected: 39))
  let box = render(state).text.joined(separator: "\n")
  #expect(box.contains(" network 40 "))
  #expect(box.contains("Run a network, 31-40 of 40"))
  state.type("/rk 3")
  state.press(.enter)
  #expect(state.dialog == .models(selected: 2))
  state.press(.pageDown)
  #expect(state.dialog == .models(selected: 11))
  state.press(.escape)

  state.type("?")
  #expect(state.dialog == .help(line: 0))
  state.type("/tune and run")
  state.press(.enter)
  #expect(render(state).text[2].contains("tune and run the CRF"))
  state.press(.home, .pageDown)
  #expect(state.dialog == .help(line: 17))
  state.press(.escape)

  state.type("v")
  let crosshair = state.view.crosshair
  state.press(.pageDown, .end, .home, .pageUp)
  #expect(state.selectedVersion == VersionID(1))
  #expect(state.view.crosshair == crosshair)
}

@Test("the next and the previous label are named and highlighted, with their visibility")
func selectionIsSaid() throws {
  var state = try openedState()
  state.type(".")
  #expect(state.message == Message("selected spleen, 1 of 2; G goes there"))
  #expect(render(state).text.contains { $0.contains("■›spleen") && $0.contains("■ liver") == false })
  state.type(",")
  #expect(state.message == Message("selected liver, 2 of 2; G goes there"))
  state.type("b ")
  state.press(.escape)
  state.type("..")
  #expect(state.message == Message("selected liver, 2 of 2; it is hidden"))
}

@Test("hidden labels are counted below the picture and above the table")
func hiddenLabelsAreSaid() throws {
  var state = try openedState(manyLabels(), screen: ScreenSize(rows: 40, columns: 130))
  state.type("b ")
  #expect(render(state).text[37].contains(", 1 of 116 hidden"))
  #expect(render(state).text[1].contains("Labels, 1 hidden"))
  state.type("js")
  #expect(render(state).text[37].contains(", only region 2"))
  #expect(render(state).text[1].contains("Labels, 115 hidden"))
  state.type("a")
  #expect(!render(state).text.joined().contains("hidden"))
}
