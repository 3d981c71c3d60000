import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// The phantom's labels with the spleen gone and the liver one voxel larger along i.
private func changedLabels(_ content: ReviewCase) throws -> LabelVolume {
  var labels = try content.masks[0].labels.volume
  let size = labels.grid.size
  for offset in labels.voxels.indices {
    let index = size.index(offset: offset)
    if labels.voxels[offset] == 1 { labels.voxels[offset] = 0 }
    if index.i == 14, (5..<15).contains(index.j), (3..<12).contains(index.k) { labels.voxels[offset] = 6 }
  }
  return labels
}

@Test("a change of a knob refines the box, then the whole image; a newer change cancels both")
func newerTurnCancels() throws {
  var state = try openedState()
  let opening = state.type("t")
  let first = try #require(opening.started(PreviewJob.self))
  #expect(first.job.request.settings.appearanceWeight == 3)
  let second = try #require(state.press(.right).started(PreviewJob.self))
  #expect(second.job.request.settings.appearanceWeight == 3.1)
  // Events of the older job are late and change nothing.
  let before = state
  try state.finish(first, with: changedLabels(state.content))
  #expect(state == before)
  let follow = try state.finish(second, with: changedLabels(state.content))
  let following = try #require(follow.started(BackgroundRefinementJob.self))
  #expect(following.job.request.region == nil)
  #expect(following.job.request.settings == second.job.request.settings)
  #expect(state.live?.region?.part.changedVoxels == 90 + 64)
  let third = state.press(.right)
  #expect(third.contains(.cancel(following.id)))
  #expect(third.started(PreviewJob.self)?.job.request.settings.appearanceWeight == 3.2)
  #expect(state.jobs[.backgroundRefinement] == nil)
}

@Test("a key that is held down on a knob still shows a result: the third preview may finish")
func heldKnobShowsSomething() throws {
  var state = try openedState()
  state.type("t")
  let starts = (0..<5).map { _ in state.press(.right).started(PreviewJob.self) }
  #expect(starts.map { $0 != nil } == [true, true, false, false, false])
  let last = try #require(starts[1])
  let next = try state.finish(last, with: changedLabels(state.content))
  #expect(next.started(PreviewJob.self)?.job.request.settings.appearanceWeight == 3.5)
  #expect(next.started(BackgroundRefinementJob.self) == nil)
}

@Test("Enter keeps a finished refinement as a version at once; known knob values show the known result")
func keepingIsInstant() throws {
  var state = try openedState()
  let opening = try #require(state.type("t").started(PreviewJob.self))
  let follow = try state.finish(opening, with: changedLabels(state.content))
  let following = try #require(follow.started(BackgroundRefinementJob.self))
  try state.finish(following, with: changedLabels(state.content))
  #expect(state.live?.region == nil)
  state.type("y")
  #expect(
    state.message == Message("the shown refinement is not a version yet: Enter keeps it as one", .warning))
  let away = state.press(.right)
  #expect(away.started(PreviewJob.self) != nil)
  let back = state.press(.left)
  #expect(back.started(PreviewJob.self) == nil)
  #expect(state.jobs[.preview] == nil)
  let keeping = state.press(.enter)
  #expect(keeping.started(RefinementJob.self) == nil)
  #expect(state.shownVersion?.name == "CRF 1")
  #expect(try state.shownVersion?.labels.volume == changedLabels(state.content))
  #expect(state.shownVersion?.warnings == ["spleen vanished"])
}

@Test("Tab flips between before and after refinement, and d shows lost, gained and common voxels")
func liveFlips() throws {
  var state = try openedState(screen: ScreenSize(rows: 24, columns: 80))
  let opening = try #require(state.type("t").started(PreviewJob.self))
  try state.finish(opening, with: changedLabels(state.content))
  state.type("g19,8,7")
  state.press(.enter)
  #expect(state.labelAtCrosshair == nil)
  #expect(render(state).text[0].contains(" before manual.nii.gz   refined "))
  state.press(.tab)
  #expect(state.labelAtCrosshair?.name == "spleen")
  state.press(.tab)
  state.type("d")
  let legend = render(state).text[21]
  #expect(legend.contains("■ lost  ■ gained  ■ kept  ■ other label"))
}

@Test("the legend of the difference view fits 80 columns")
func legendFits() throws {
  var state = try openedState(screen: ScreenSize(rows: 24, columns: 80))
  try state.runNetwork()
  state.type("d")
  let legend = render(state).text[21]
  #expect(
    legend.trimmingCharacters(in: .whitespaces)
      == "window 40/400  radiological  ■ only A  ■ only B  ■ both  ■ other label")
}

@Test("each label's gain, loss, Dice and components are counted, and the regions in which labels changed")
func changesAreCounted() throws {
  let content = phantomCase()
  let components = try LabelComponents(content.masks[0].labels, work: WorkContext())
  let request = RefinementRequest(
    image: content.image, source: .mask(content.masks[0].labels, confidence: 0.9),
    table: content.masks[0].table, settings: RefinementSettings(), labelsBefore: content.masks[0].labels,
    componentsBefore: components)
  let part = try request.result(changedLabels(content))
  #expect(
    part.rows == [
      RefinedPart.Row(
        label: 1, voxelsBefore: 64, voxelsAfter: 0, voxelsCommon: 0, componentsBefore: 1, componentsAfter: 0),
      RefinedPart.Row(
        label: 6, voxelsBefore: 900, voxelsAfter: 990, voxelsCommon: 900, componentsBefore: 1,
        componentsAfter: 1),
    ])
  #expect(part.changedVoxels == 154)
  #expect(part.changedRegions == 2)
  #expect(part.rows[0].dice == 0)
  #expect(abs(part.rows[1].dice - 1800 / 1890) < 1e-12)
}

@Test("a preset sets every knob, the list marks the one in use, and saving asks for a name")
func presetsAreChosen() throws {
  var state = try openedState()
  let opening = state.type("t")
  let measurement = try #require(opening.started(MeasurementJob.self)).id
  let suggested = RefinementSettings(thetaBeta: 33, thetaGammaMillimetres: Spacing(2, 2, 5))
  _ = reduce(
    &state,
    .jobEnded(
      measurement,
      .finished(MeasurementJob.self, with: ImageMeasures(noise: 22, edgeContrast: 80, suggested: suggested))))
  state.type("P")
  #expect(state.dialog == .presets(selected: 1))
  state.press(.up)
  let box = render(state).text.joined(separator: "\n")
  #expect(box.contains("from this image"))
  #expect(box.contains("μ1 3 θα 4 θβ 33 μ2 1.5 θγ 2,2,5 x5"))
  state.press(.enter)
  #expect(state.decisions.knobs.refinement == suggested)
  state.type("S")
  state.type("mine")
  let mine = NamedKernels(name: "mine", settings: suggested)
  let saving = try #require(state.press(.enter).started)
  #expect(saving.job == AnyJob(PresetsJob(saving: mine)))
  _ = reduce(&state, .jobEnded(saving.id, .finished(PresetsJob.self, with: .exists(mine))))
  #expect(state.dialog == .question(.replaceKernels(mine)))
  #expect(state.type("y").started?.job == AnyJob(PresetsJob(saving: mine, replacesExisting: true)))
  state.type(":save-preset ../x")
  state.press(.enter)
  #expect(state.message?.kind == .error)
  state.type(":preset def")
  state.press(.enter)
  #expect(state.decisions.knobs.refinement == RefinementSettings())
}

@Test("a kernel width changes along one axis, and labels are chosen one by one or by name")
func axesAndLabelsTurn() throws {
  var state = try openedState()
  state.type("tji")
  state.press(.right)
  #expect(state.decisions.knobs.refinement.thetaAlphaMillimetres == Spacing(4.25, 4, 4))
  state.type("ii")
  state.type("+")
  #expect(state.decisions.knobs.refinement.thetaAlphaMillimetres == Spacing(4.25, 4, 6))
  state.type(":set labels spleen")
  state.press(.enter)
  #expect(state.decisions.knobs.refinement.changedLabels == [1])
  state.type(":set labels all")
  state.press(.enter)
  #expect(state.decisions.knobs.refinement.changedLabels == [])
  state.press(.up, .up)
  #expect(state.selectedKnob == .changedLabels)
  let values = (0..<3).map { _ -> [UInt16] in
    state.press(.right)
    return state.decisions.knobs.refinement.changedLabels
  }
  #expect(values == [[6], [1], []] || values == [[1], [6], []])
}

/// The warnings on the screen of a state whose knobs were changed.
private func warnings(_ spacing: Spacing = Spacing(1), _ change: (inout KnobSettings) -> Void) throws
  -> [String]
{
  var grid = grid(GridSize(24, 20, 16))
  grid.affine = Affine(spacing: spacing)
  var state = try openedState(phantomCase(grid), screen: ScreenSize(rows: 60, columns: 203))
  state.type("t")
  change(&state.decisions.knobs)
  return warnings(on: state)
}

private func warnings(on state: ReviewState) -> [String] {
  render(state).text.compactMap { line in
    line.range(of: "! ").map { line[$0.upperBound...].trimmingCharacters(in: .whitespaces) }
  }
}

@Test("warnings: kernel narrower than a voxel, mask too certain for the weights, nothing to do")
func knobsAreWarnedOf() throws {
  #expect(try warnings { _ in } == [])
  #expect(
    try warnings(Spacing(1, 1, 5)) {
      $0.refinement.appearanceWeight = 0; $0.refinement.smoothnessWeight = 3
    }
      == ["θγ is narrower than a voxel: k 5 mm"])
  // Three classes: ln(0.9 * 2 / 0.1) = 2.89; an influence of 2.9 is just larger.
  #expect(try warnings { $0.refinement.appearanceWeight = 1.4 } == [])
  #expect(
    try warnings { $0.refinement.appearanceWeight = 1.3 }
      == ["mask too confident: 2.9 outweighs μ1 + μ2 = 2.8"])
  #expect(try warnings { $0.refinement.iterations = 0 } == ["nothing to do: weights or iterations are 0"])
}

@Test("warnings: labels that vanish, explode or shrink, and borders that no kernel can move")
func resultsAreWarnedOf() throws {
  var state = try openedState(screen: ScreenSize(rows: 60, columns: 203))
  let opening = try #require(state.type("t").started(PreviewJob.self))
  try state.finish(opening, with: changedLabels(state.content))
  #expect(warnings(on: state) == ["spleen vanished in the box"])
  var labels = try state.content.masks[0].labels.volume
  for offset in labels.voxels.indices where labels.voxels[offset] != 1 {
    labels.voxels[offset] = labels.grid.size.index(offset: offset).k < 8 ? 6 : 0
  }
  let next = try #require(state.press(.right).started(PreviewJob.self))
  try state.finish(next, with: labels)
  #expect(warnings(on: state) == ["liver grew 4.2-fold in the box"])
}

@Test("the CRF panel at 80 columns: knobs, the meaning of the selected one, and its effect")
func panelIsWritten() throws {
  var state = try openedState(screen: ScreenSize(rows: 24, columns: 80))
  let effects = state.type("tjj")
  let opening = try #require(effects.started(PreviewJob.self))
  if let (id, _) = effects.started(MeasurementJob.self) {
    let measures = ImageMeasures(noise: 12.4, edgeContrast: 61.7, suggested: RefinementSettings())
    _ = reduce(&state, .jobEnded(id, .finished(MeasurementJob.self, with: measures)))
  }
  try state.finish(opening, with: changedLabels(state.content))
  let panel = render(state).text[1...19].map {
    String($0.suffix(35)).trimmingCharacters(in: .whitespaces)
  }
  #expect(
    panel == [
      "CRF on manual.nii.gz",
      "μ1 appearance  ──●──────      3",
      "θα width       ──v─●────      4 mm",
      "θβ contrast    ───●─e───     20 HU",
      "μ2 smoothness  ─●───────    1.5",
      "θγ width       ──v●─────      2 mm",
      "iterations     ──●──────      5",
      "mask certainty ──────●──    0.9",
      "labels                      all",
      "Intensity difference up to which",
      "voxels count as similar",
      "noise 12 HU, edges 62 HU",
      "",
      "←→ 1  -+ 10 HU",
      "box: 154 vox in 2 places image 0%",
      "label            mL change  Dice",
      "■ spleen         0.00  -0.06 0.000",
      "■ liver          0.99  +0.09 0.952",
      "! spleen vanished in the box",
    ])
}

@Test(
  "where memory is too small for the whole image, only the box is refined, with one message"
)
func largeImagesWaitForEnter() throws {
  var state = try openedState()
  let opening = try #require(state.type("t").started(PreviewJob.self))
  let following = try state.finish(opening, with: changedLabels(state.content))
  let follow = try #require(following.started(BackgroundRefinementJob.self))
  let line =
    "CRF: refining 61 classes on 128x104x100 voxels takes much memory: found 12600 MiB, expected at most 5000 MiB"
  _ = reduce(&state, .jobEnded(follow.id, .failed(line)))
  #expect(
    state.message
      == Message(
        "only the box is refined while knobs change, Enter refines the whole image: \(line)", .warning))
  #expect(state.live?.region != nil)
  let next = try #require(state.press(.right).started(PreviewJob.self))
  let effects = try state.finish(next, with: changedLabels(state.content))
  #expect(effects.started(BackgroundRefinementJob.self) == nil)
  #expect(state.press(.enter).started(RefinementJob.self) != nil)
}

@Test("labels of the CRF are those that the version has, by name or value")
func unknownLabelsAreRefused() throws {
  var state = try openedState()
  for (text, unknown) in [("77", "77"), ("6,kidney", "kidney"), ("1.5", "1.5")] {
    state.type(":set labels \(text)")
    state.press(.enter)
    #expect(
      state.message?.text.hasPrefix("labels: no label is called \"\(unknown)\"; the labels are") == true,
      "\(text)"
    )
  }
  state.type(":set labels 6,spleen")
  state.press(.enter)
  #expect(state.decisions.knobs.refinement.changedLabels == [1, 6])
}
