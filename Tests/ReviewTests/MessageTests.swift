import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

@Test("an error stays while the crosshair moves, and any other action clears or replaces it")
func errorsAreReplaced() throws {
  var state = try openedState()
  func fail() { state.type(":window 50 0"); state.press(.enter) }
  let error = Message("window: the width must be at least 0.000001", .error)
  fail()
  #expect(state.message == error)
  state.press(.pageUp, .left, .end)
  state.type("[hJ")
  #expect(state.message == error)
  state.type(":window lung")
  state.press(.enter)
  #expect(state.message == Message("window CT lung, -600/1500"))
  fail()
  state.type("g1,2,3")
  state.press(.enter)
  #expect(state.message == nil)
  fail()
  state.type(":set theta-alpha 6")
  state.press(.enter)
  #expect(state.message == Message("θα width: 6 mm"))
  for keys in ["u", " ", "O", "x", "y", "."] {
    fail()
    state.type(keys)
    #expect(state.message?.kind != .error, "after \(keys)")
  }
}

@Test("unknown names of labels are refused by name, and names may have spaces")
func unknownLabelsAreNamed() throws {
  var content = phantomCase()
  content.masks[0].table = LabelTable([
    Label(value: 6, name: "left liver", colour: RGBColour(1, 2, 3)),
    Label(value: 1, name: "spleen", colour: RGBColour(3, 2, 1)),
  ])
  var state = try openedState(content)
  func set(_ text: String) { state.type(":set labels \(text)"); state.press(.enter) }
  set("liver,spleen")
  #expect(
    state.message
      == Message("labels: no label is called \"liver\"; the labels are spleen, left liver", .error))
  set("left liver, spleen")
  #expect(state.decisions.knobs.refinement.changedLabels == [1, 6])
  set("6,6")
  #expect(state.decisions.knobs.refinement.changedLabels == [6])
  for text in ["spleen,,", ",6"] {
    set(text)
    #expect(state.message == Message("labels: \"\(text)\" lacks a label beside a comma", .error))
  }
  #expect(state.decisions.knobs.refinement.changedLabels == [6])
}

@Test("every message of the session is listed whole, the newest last; pages, ends and searches")
func messagesAreListed() throws {
  var state = try openedState(screen: ScreenSize(rows: 16, columns: 60))
  for number in 0..<30 {
    state.type("g99\(number)")
    state.press(.enter)
  }
  let last = "slice 9929: the axial slices are 0 to 15"
  #expect(state.messageLog.messages.count == 31)
  #expect(state.messageLog.messages.last == Message(last, .error))
  state.type("M")
  func lines() -> [String] {
    render(state).text[2...12].map { $0.dropFirst(2).dropLast(2).trimmingCharacters(in: .whitespaces) }
  }
  #expect(lines().last == "· \(last)")
  #expect(lines().first == "· slice 9919: the axial slices are 0 to 15")
  state.press(.pageUp)
  #expect(lines().first == "· slice 9910: the axial slices are 0 to 15")
  state.press(.home)
  #expect(lines().first == "· ? lists the keys")
  state.press(.end, .up)
  #expect(lines().last == "· slice 9928: the axial slices are 0 to 15")
  state.type("/9915")
  state.press(.enter)
  #expect(lines().first == "· slice 9915: the axial slices are 0 to 15")
  state.press(.escape)
  #expect(state.dialog == nil)
  state.type(":messages")
  state.press(.enter)
  #expect(lines().last == "· \(last)")
}

@Test("a message that is too long for the screen names the key that shows all of it")
func longMessagesOpen() throws {
  var state = try openedState(screen: ScreenSize(rows: 24, columns: 80))
  let text =
    "a part of 98 mL was removed beside the one of 175 mL; check that the right one was kept, posterior or anterior"
  state.message = Message(text, .warning)
  let line = render(state).text[22]
  #expect(line.hasPrefix(" a part of 98 mL was removed beside the one of 175 mL"))
  #expect(line.hasSuffix("… M: all of it"))
  state.type("M")
  let shown = render(state).text.map {
    $0.filter { !"│┌┐└┘\u{FFFC}".contains($0) }.trimmingCharacters(in: .whitespaces)
  }
  #expect(shown.joined(separator: " ").contains("· " + text))
}

@Test("two columns stay free between a message that is cut and the job that runs")
func longMessagesKeepOffJobs() throws {
  for columns in [60, 80, 120] {
    var state = try openedState(screen: ScreenSize(rows: 24, columns: columns))
    let models = try #require(state.type("m").started(.models))
    _ = reduce(&state, .jobEnded(models, .finished(ModelsJob.self, with: [pretendedModel])))
    state.press(.enter)
    state.message = Message(String(repeating: "abcdefgh ", count: 20), .warning)
    let line = render(state).text[22]
    #expect(line.contains(/M: all of( it|…)  running/), "\(line)")
    #expect(line.contains("Esc cancels"), "\(line)")
  }
}

@Test("cancelling a job shows a message")
func stoppedJobsAreNamed() throws {
  var state = try openedState()
  _ = reduce(
    &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
  state.press(.enter, .escape)
  #expect(state.message == Message("stopped liver network; no version was added"))
}

@Test("a mask that does not fit is named with the reason, and the rest opens")
func refusedMasksAreNamed() throws {
  var content = phantomCase()
  content.refusals = [
    "b.nii.gz: the grid differs: found 3x3x3, expected 24x20x16", "c.nii.gz: cannot be opened",
  ]
  content.findings = ["case-1: 2 voxels are NaN"]
  let state = try openedState(content)
  #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz"])
  #expect(
    state.message
      == Message("not opened: b.nii.gz: the grid differs: found 3x3x3, expected 24x20x16 (M: 2 more)", .error)
  )
  #expect(
    Set(state.messageLog.messages.map(\.text)).isSuperset(of: [
      "not opened: c.nii.gz: cannot be opened", "case-1: 2 voxels are NaN",
    ]))
}

@Test("oblique, sheared and one-slice images are reported on opening and in the view line")
func oddGridsAreSaid() throws {
  var oblique = grid(GridSize(24, 20, 16))
  oblique.affine = Affine(
    stepI: WorldPoint(0.8, 0.6, 0), stepJ: WorldPoint(-0.6, 0.8, 0), stepK: WorldPoint(0, 0, 1),
    origin: WorldPoint(0, 0, 0))
  let turned = try openedState(phantomCase(oblique))
  #expect(
    turned.message
      == Message(
        "the image lies oblique by 37°: its planes are named after the nearest anatomical ones", .warning))
  #expect(render(turned).text[21].contains("  oblique 37° "))
  var sheared = grid(GridSize(24, 20, 16))
  sheared.affine.stepJ = WorldPoint(0.2, 0.9797958971132712, 0)
  #expect(render(try openedState(phantomCase(sheared))).text[21].contains("  sheared 12° "))
  let straight = render(try openedState())
  #expect(!straight.text[21].contains("oblique") && !straight.text[21].contains("sheared"))

  var one = phantomCase()
  one.image = ScalarVolume(grid: grid(GridSize(24, 1, 16)), voxels: [Float](repeating: 5, count: 24 * 16))
  one.masks = []
  let state = try openedState(one, screen: ScreenSize(rows: 40, columns: 130))
  #expect(state.view.activePlane == .coronal)
  #expect(state.message == Message("the image is one coronal slice"))
  #expect(render(state).text.joined().contains("  the image is one coronal slice  "))
  #expect(render(state).text[37].hasPrefix(" window one intensity, 5  radiological"))
}

@Test("the largest slice of a network's result is shown, unless the reader has moved in the meantime")
func resultsAreLookedAt() throws {
  for moves in [false, true] {
    var state = try openedState(phantomCase(withMask: false))
    state.type("g0,0,0")
    state.press(.enter)
    _ = reduce(
      &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
    let id = state.press(.enter).started!.id
    if moves { state.press(.pageUp) }
    let result = networkResult(for: state.content)
    let components = try LabelComponents(result.labels, work: WorkContext())
    _ = reduce(&state, .jobEnded(id, .finished(SegmentationJob.self, with: .init(result, components))))
    #expect(state.view.crosshair == (moves ? VoxelIndex(0, 0, 1) : components.statistics[0].centre))
    #expect(state.message?.text == "liver network is shown" + (moves ? "; G goes to Liver" : ""))
    state.type("G")
    #expect(state.view.crosshair == components.statistics[0].centre)
  }
}
