import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

@Test("an opened case shows its mask from the largest slice of its largest label")
func openingShowsTheMask() throws {
  let state = try openedState()
  #expect(state.phase == .reviewing)
  #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz"])
  #expect(state.shownVersion?.millilitres(of: 6) == 0.9)
  #expect(state.labelAtCrosshair?.name == "liver")
  #expect(state.view.windowName == "CT soft tissue")
}

@Test("a case that cannot be opened ends the session with its line")
func failedOpeningEnds() {
  var state = ReviewState(
    request: OpenCaseRequest(imagePath: "no.nii"), screen: ScreenSize(rows: 24, columns: 80),
    capabilities: trueColour)
  _ = state.begin()
  #expect(reduce(&state, .jobEnded(JobID(1), .failed("no.nii: cannot be read"))) == [])
  #expect(state.phase == .ended(failure: "no.nii: cannot be read"))
}

@Test(
  "labels are filled once the terminal says that it has all colours, unless a key or an earlier session chose"
)
func overlayFollowsColours() throws {
  let fewColours = TerminalCapabilities(colourDepth: .indexed256, showsUnicode: true)
  var state = try openedState(capabilities: fewColours)
  #expect(state.view.overlay.style == .outline)
  _ = reduce(&state, .terminal(.capabilities(trueColour)))
  #expect(state.view.overlay.style == .fill)

  var chosen = try openedState(capabilities: fewColours)
  chosen.type("uu")
  _ = reduce(&chosen, .terminal(.capabilities(trueColour)))
  #expect(chosen.view.overlay.style == .outline)

  var restored = try openedState(capabilities: fewColours, journal: OpenedJournal(view: chosen.view))
  _ = reduce(&restored, .terminal(.capabilities(trueColour)))
  #expect(restored.view.overlay.style == .outline)
}

@Test("slices scroll towards the head, the front and the right, and stop at the ends")
func slicesScroll() throws {
  let lps = grid(GridSize(24, 20, 16), .lps)
  var state = try openedState(phantomCase(lps))
  let start = state.view.crosshair
  state.press(.pageUp)
  #expect(state.view.crosshair == VoxelIndex(start.i, start.j, start.k + 1))
  state.type("c")
  state.press(.pageUp)
  // j grows to the back in this image, so that towards the front is down.
  #expect(state.view.crosshair.j == start.j - 1)
  state.type("s]")
  #expect(state.view.crosshair.i == start.i - 1)
  state.press(.end)
  #expect(state.view.crosshair.i == 0)
  state.type("<>")
  #expect(state.view.crosshair.i == 0)
  state.press(.home, .pageDown)
  #expect(state.view.crosshair.i == 23)
}

@Test("arrows and letters move the crosshair across the pane as it is seen")
func crosshairMoves() throws {
  var state = try openedState()
  let start = state.view.crosshair
  state.press(.right)
  // Radiological: the screen's right is the patient's left, where i shrinks.
  #expect(state.view.crosshair == VoxelIndex(start.i - 1, start.j, start.k))
  state.type("O")
  state.press(.right, .right)
  #expect(state.view.crosshair == VoxelIndex(start.i + 1, start.j, start.k))
  state.type("KK")
  #expect(state.view.crosshair.j == 19)
}

@Test("a target is typed as a slice, an index, millimetres or a label")
func placesAreTyped() throws {
  var state = try openedState()
  func go(_ text: String) -> VoxelIndex {
    state.type("g" + text)
    state.press(.enter)
    return state.view.crosshair
  }
  _ = go("1,2,3")
  #expect(state.view.crosshair == VoxelIndex(1, 2, 3))
  #expect(go("7") == VoxelIndex(1, 2, 7))
  #expect(go("4.4, 5, 6mm") == VoxelIndex(4, 5, 6))
  _ = go("spleen")
  #expect(state.labelAtCrosshair?.name == "spleen")
  #expect(state.selectedLabel == "spleen")
  _ = go("label 6")
  #expect(state.labelAtCrosshair?.name == "liver")
  let before = state.view.crosshair
  #expect(go("99") == before)
  #expect(state.message == Message("slice 99: the axial slices are 0 to 15", .error))
  #expect(go("1,2,99") == before)
  #expect(go("pancreas") == before)
  #expect(state.message?.kind == .error)
}

@Test("windows are chosen, typed and dragged, and a CT gets the usual presets")
func windowsChange() throws {
  var state = try openedState()
  state.type(":window 40 400")
  state.press(.enter)
  #expect(state.view.window == IntensityWindow(centre: 40, width: 400))
  #expect(state.view.windowName == nil)
  for numbers in ["1e308 1e308", "1e39 1", "0 4e38"] {
    state.type(":window \(numbers)")
    state.press(.enter)
    #expect(state.message == Message("window: its ends must lie from -1e+38 to 1e+38", .error))
    #expect(state.view.window == IntensityWindow(centre: 40, width: 400))
  }
  state.type(":window 0 2e38")
  state.press(.enter)
  #expect(state.message == Message("window 0/2e+38"))
  state.type(":window lung")
  state.press(.enter)
  #expect(state.view.windowName == "CT lung")
  state.type("wk")
  state.press(.enter)
  #expect(state.view.windowName == "CT mediastinum")
  state.type("W")
  #expect(state.view.windowName == "auto 0.5-99.5 %")
  state.type(":window 40 -1")
  state.press(.enter)
  #expect(state.message?.kind == .error)
}

@Test("hiding, soloing and undoing show a message about the change")
func labelsHide() throws {
  var state = try openedState()
  state.type("b ")
  #expect(state.decisions.hiddenLabels == ["spleen"])
  state.press(.down)
  state.type("s")
  #expect(state.decisions.soloLabel == "liver")
  state.press(.escape)
  state.type("z")
  #expect(state.message == Message("undid: only liver"))
  state.type("z")
  #expect(state.message == Message("undid: hide spleen"))
  #expect(state.decisions.hiddenLabels == [])
  state.type("z")
  #expect(state.message == Message("nothing to undo"))
  state.type("Z")
  #expect(state.message == Message("redid: hide spleen"))
  #expect(state.decisions.hiddenLabels == ["spleen"])
}

@Test("a network's result becomes B, the mask before it A, and Tab flips them")
func networkAddsAVersion() throws {
  var state = try openedState()
  let asked = state.type("m")
  #expect(asked.started?.job == AnyJob(ModelsJob(image: state.content.image)))
  _ = reduce(&state, .jobEnded(asked.started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
  let run = state.press(.enter)
  #expect(
    run.started(SegmentationJob.self)?.job.request
      == SegmentationRequest(modelID: "liver", image: state.content.image))
  let id = run.started!.id
  _ = reduce(&state, .jobProgressed(id, fraction: 0.5, elapsedSeconds: 3))
  #expect(state.jobs[.segmentation]?.fraction == 0.5)
  // Slices can be scrolled while the network runs.
  let before = state.view.crosshair.k
  state.type("]")
  #expect(state.view.crosshair.k == before + 1)
  var result = networkResult(for: state.content)
  result.removed = [RemovedComponent(label: 1, millilitres: 310.4, keptMillilitres: 990)]
  let components = try LabelComponents(result.labels, work: WorkContext())
  let effects = reduce(
    &state, .jobEnded(id, .finished(SegmentationJob.self, with: .init(result, components))))
  #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz", "liver network"])
  #expect(state.shownVersion?.name == "liver network")
  #expect(
    state.shownVersion?.warnings == [
      "Liver: a part of 310 mL was removed beside the one of 990 mL; check that the right one was kept"
    ])
  #expect(state.decisions.knobs.refinement.appearanceWeight == 4)
  guard let request = effects.started(ComparisonJob.self)?.job.request else {
    Issue.record("no comparison was started")
    return
  }
  let comparison = try Comparison(request, .init())
  _ = reduce(&state, .jobEnded(effects.started!.id, .finished(ComparisonJob.self, with: comparison)))
  let liver = state.comparison?.rows.first { $0.pair.name == "liver" }
  #expect(liver?.voxelsA == 900)
  #expect(liver?.voxelsB == 990)
  #expect(liver?.dice == 1800.0 / 1890)
  state.press(.tab)
  #expect(state.shownVersion?.name == "manual.nii.gz")
  state.type("d")
  #expect(state.view.comparison == .difference)
}

@Test("keys that are pressed before the list of models is available reach it, and Escape discards them")
func modelsAreAwaited() throws {
  var state = try openedState()
  let asked = state.type("m")
  #expect(state.message == Message("looking at the models…"))
  #expect(state.press(.down, .up, .enter) == [])
  #expect(state.dialog == .models(selected: 0))
  #expect(!state.view.isMaximised)
  var dropped = state
  dropped.press(.escape)
  #expect(
    reduce(&dropped, .jobEnded(asked.started!.id, .finished(ModelsJob.self, with: [pretendedModel]))) == [])
  let run = reduce(&state, .jobEnded(asked.started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
  #expect(
    run.started(SegmentationJob.self)?.job.request
      == SegmentationRequest(modelID: "liver", image: state.content.image))
  #expect(state.dialog == nil)
}

@Test("a CT opens with the soft-tissue window, other images with percentiles")
func openingWindows() throws {
  let content = phantomCase()
  #expect(try openedState(content).view.window == IntensityWindow(centre: 40, width: 400))
  var other = content
  other.image.voxels = IntensityVoxels(content.image.voxels.map { $0 + 200 })
  #expect(try openedState(other).view.windowName == "auto 0.5-99.5 %")
}

@Test("Escape cancels the running network, and its late events change nothing")
func lateEventsAreIgnored() throws {
  var state = try openedState()
  _ = reduce(
    &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
  let id = state.press(.enter).started!.id
  #expect(state.press(.escape) == [.cancel(id)])
  let result = networkResult(for: state.content)
  let before = state
  _ = reduce(&state, .jobProgressed(id, fraction: 0.9, elapsedSeconds: 4))
  _ = reduce(
    &state,
    .jobEnded(
      id,
      .finished(
        SegmentationJob.self, with: .init(result, try LabelComponents(result.labels, work: WorkContext())))))
  _ = reduce(&state, .jobEnded(id, .cancelled))
  #expect(state == before)
}

@Test("an outcome under the id of a job of another type changes nothing")
func outcomesBelongToTheirJob() throws {
  var state = try openedState()
  let id = state.type("m").started!.id
  let before = state
  #expect(reduce(&state, .jobEnded(id, .finished(JournalJob.self, with: OpenedJournal()))) == [])
  #expect(state == before)
  #expect(state.jobs[.models]?.id == id)
}

@Test("the CRF runs on a loaded mask with the current knobs, and warns of a label that vanished")
func refinementOfAMask() throws {
  var state = try openedState()
  state.type("t")
  let preview = state.press(.right)
  guard let request = preview.started(PreviewJob.self)?.job.request else {
    Issue.record("no preview was started")
    return
  }
  #expect(request.settings.appearanceWeight == 3.1)
  #expect(request.region == VoxelBounds(GridSize(24, 20, 16)))
  #expect(request.labelsBefore == state.decisions.versions[0].labels)
  state.press(.down)
  state.type("6,6,8")
  state.press(.enter)
  #expect(state.decisions.knobs.refinement.thetaAlphaMillimetres == Spacing(6, 6, 8))
  let run = state.press(.enter)
  guard let full = run.started(RefinementJob.self)?.job.request else {
    Issue.record("no refinement was started")
    return
  }
  #expect(full.source == .mask(state.decisions.versions[0].labels, confidence: 0.9))
  #expect(full.region == nil)
  var refined = try state.decisions.versions[0].labels.volume
  for offset in refined.voxels.indices where refined.voxels[offset] == 1 { refined.voxels[offset] = 0 }
  let labels = RefinedLabels(box: VoxelBounds(refined.grid.size), labels: refined)
  let part = try RefinedPart(labels, of: full, WorkContext())
  _ = reduce(&state, .jobEnded(run.started!.id, .finished(RefinementJob.self, with: part)))
  #expect(state.shownVersion?.name == "CRF 1")
  #expect(state.shownVersion?.warnings == ["spleen vanished"])
  #expect(state.message == Message("CRF 1: spleen vanished", .warning))
  // A second run starts from the mask again, not from its own result.
  state.press(.right)
  let again = state.press(.enter)
  guard let second = again.started(RefinementJob.self)?.job.request else {
    Issue.record("no second refinement was started")
    return
  }
  #expect(second.source == full.source)
  #expect(
    state.provenance(of: state.decisions.versions[1]).steps
      == [.mask(path: "/cases/manual.nii.gz"), .refinement(full.settings, maskConfidence: 0.9)])
}

@Test("knobs refuse invalid values, and reset to the model's settings")
func knobsAreChecked() throws {
  var state = try openedState()
  state.type("t1,2")
  state.press(.enter)
  #expect(state.message == Message("μ1 appearance: \"1,2\" is not a number", .error))
  // The refused text stays in the line to be corrected; Escape discards it and leaves the panel open.
  #expect(state.knobEntry?.text == "1,2")
  state.press(.escape)
  #expect(state.knobEntry == nil)
  #expect(state.focus == .refinement)
  state.type("500")
  state.press(.enter)
  #expect(state.message == Message("μ1 appearance: 500 lies outside 0 to 100", .error))
  #expect(state.decisions.knobs == KnobSettings())
  state.press(.backspace, .backspace, .backspace)
  state.type("7")
  state.press(.enter)
  #expect(state.decisions.knobs.refinement.appearanceWeight == 7)
  state.type("r")
  #expect(state.decisions.knobs == KnobSettings())
}

@Test("a version is accepted and exported; an existing file is replaced only after a question")
func exportAsks() throws {
  var state = try openedState()
  #expect(state.type("E") == [])
  #expect(state.message?.kind == .warning)
  state.type("y")
  #expect(state.decisions.verdicts == Verdicts(accepted: VersionID(1)))
  // Quitting now would lose the decision.
  state.type("q")
  #expect(state.dialog == .question(.quit(losing: [.acceptedVersion(VersionID(1))])))
  state.type("n")
  let first = state.type("E")
  guard let request = first.started(ExportJob.self)?.job.request else {
    Issue.record("no export was started")
    return
  }
  #expect(request.path == "/cases/case-1_seg.nii.gz")
  #expect(request.replacesExisting == false)
  #expect(request.provenance.verdict == "accepted")
  _ = reduce(
    &state,
    .jobEnded(
      first.started!.id,
      .finished(ExportJob.self, with: .exists(paths: [request.path, "/cases/case-1_seg.json"]))))
  #expect(
    state.dialog
      == .question(
        .replaceFiles(
          existing: [request.path, "/cases/case-1_seg.json"], path: request.path, version: VersionID(1),
          quitsAfterwards: false)))
  #expect(render(state).text.joined().contains("exist. Replace"))
  let second = state.type("y")
  guard let replacing = second.started(ExportJob.self)?.job.request else {
    Issue.record("no second export was started")
    return
  }
  #expect(replacing.replacesExisting)
  _ = reduce(
    &state,
    .jobEnded(
      second.started!.id,
      .finished(ExportJob.self, with: .written(path: request.path, notes: ["i.nii is gone"]))))
  #expect(state.message == Message("exported /cases/case-1_seg.nii.gz; i.nii is gone", .warning))
  let third = state.type("E")
  _ = reduce(
    &state, .jobEnded(third.started!.id, .finished(ExportJob.self, with: .written(path: request.path))))
  #expect(state.message == Message("exported /cases/case-1_seg.nii.gz"))
  let fourth = state.type("E")
  _ = reduce(
    &state,
    .jobEnded(
      fourth.started!.id,
      .finished(
        ExportJob.self, with: .written(path: request.path, segmentation: "/cases/case-1_seg.dcm"))))
  #expect(state.message == Message("exported /cases/case-1_seg.nii.gz and case-1_seg.dcm"))
  state.type("q")
  #expect(state.phase == .ended(failure: nil))
}

@Test(
  "an export gets a number after _seg where a mask of the case has its name in any format",
  arguments: [
    (["/cases/case-1_seg.seg.nrrd"], "/cases/case-1_seg2.nii.gz"),
    (["/cases/case-1_seg.nii.gz", "/cases/case-1_seg2.mha"], "/cases/case-1_seg3.nii.gz"),
    (["/cases/case-1_segment.nii.gz"], "/cases/case-1_seg.nii.gz"),
    (["/labels/case-1_seg.nii.gz"], "/cases/case-1_seg.nii.gz"),
  ])
func exportBesideMask(masks: [String], exported: String) throws {
  var content = phantomCase()
  content.masks = masks.map { path in
    var mask = content.masks[0]
    mask.path = path
    return mask
  }
  var state = try openedState(content)
  state.type("y")
  #expect(state.type("E").started(ExportJob.self)?.job.request.path == exported)
}

@Test("typing a line never triggers keys, and Escape discards it")
func typingIsModal() throws {
  var state = try openedState()
  let before = state.decisions
  state.type(":yqez m")
  #expect(state.dialog == .command(CommandLine(.command, "yqez m")))
  state.press(.escape)
  #expect(state.dialog == nil)
  #expect(state.decisions == before)
}

@Test("zooming in keeps the crosshair visible wherever it moves")
func crosshairStaysInSight() throws {
  var state = try openedState(screen: ScreenSize(rows: 40, columns: 130))
  state.type("++++++++++++")
  for position in ["0,0,0", "23,19,15", "0,19,7", "12,0,15"] {
    state.type("g" + position)
    state.press(.enter)
    state.type("jjjjjkkkkkhhhhhlllll")
    for pane in state.layout.panes {
      let pixel = state.projection(pane).pixel(of: state.view.crosshair)
      #expect((0..<pane.picture.columns).contains(pixel.x), "\(position) \(pane.plane)")
      #expect((0..<pane.picture.rows * 2).contains(pixel.y), "\(position) \(pane.plane)")
    }
  }
}
