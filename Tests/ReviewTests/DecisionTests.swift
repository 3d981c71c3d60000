import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

@Suite struct DecisionTests {
  @Test("undo restores the shown versions and the verdicts; versions and results stay")
  func versionsStay() throws {
    var state = try openedState()
    try state.runNetwork()
    try state.refineLive()
    state.press(.enter, .escape)
    state.type("y")
    #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz", "liver network", "CRF 1"])
    let versions = state.decisions.versions
    var undone: [String] = []
    for _ in 0..<6 {
      state.type("z")
      undone.append(state.message?.text ?? "")
    }
    #expect(
      undone == [
        "undid: accept CRF 1", "undid: show CRF 1", "undid: show liver network", "nothing to undo",
        "nothing to undo", "nothing to undo",
      ])
    #expect(state.decisions.versions == versions)
    #expect(state.decisions.a == VersionID(1))
    #expect(state.decisions.b == nil)
    #expect(state.decisions.verdicts == Verdicts())
    // Any version can be shown again, and a new step destroys nothing.
    state.type("v")
    state.press(.down, .down, .enter, .escape)
    #expect(state.decisions.versions == versions)
  }

  @Test("window, plane and zoom are not steps, and steps can still be redone after them")
  func viewIsNoStep() throws {
    var state = try openedState()
    state.type("b ")
    state.type("qz")
    let history = state.history
    state.type("w")
    state.press(.down, .enter)
    state.type(":window 40 400")
    state.press(.enter)
    state.type("Wc+O")
    for action in [MouseEvent.Action.press, .drag, .release] {
      let cell = ScreenCell(row: 8, column: action == .press ? 10 : 14)
      _ = reduce(&state, .terminal(.mouse(MouseEvent(action: action, button: 3, cell: cell))))
    }
    #expect(state.history == history)
    state.type("Z")
    #expect(state.message == Message("redid: hide spleen"))
  }

  @Test("a step after an undo keeps the undone steps: further undos reach them, and U goes to any step")
  func undoneStaysReachable() throws {
    var state = try openedState()
    state.type("b ")
    state.press(.down)
    state.type(" q")
    let both = state.decisions
    state.type("zzf")
    #expect(
      state.history.steps.map(\.name)
        == ["opening", "hide spleen", "hide liver", "back to before hide spleen", "flag the case"])
    #expect(state.decisions.hiddenLabels == [])
    state.type("zz")
    #expect(state.message == Message("undid: back to before hide spleen"))
    #expect(state.decisions == both)
    state.type("ZZ")
    #expect(state.decisions.verdicts.isFlagged)
    state.type("U")
    #expect(state.dialog == .history(selected: 4))
    state.press(.up, .up, .enter)
    #expect(state.message == Message("went to: hide liver"))
    #expect(state.decisions == both)
  }

  @Test("consecutive changes of one knob are one step, and undoing one in the middle loses none")
  func turnsJoin() throws {
    var state = try openedState()
    state.type("t")
    state.press(.right, .right, .down, .right)
    #expect(state.history.steps.map(\.name) == ["opening", "change μ1 appearance", "change θα width"])
    #expect(state.decisions.knobs.refinement.appearanceWeight == 3.2)
    state.type("zz")
    #expect(state.decisions.knobs == KnobSettings())
    state.press(.right)
    #expect(
      state.history.steps.map(\.name).suffix(2) == ["back to before change μ1 appearance", "change θα width"])
  }

  @Test("after undo inside the CRF panel, the panel refines the version that is then shown")
  func panelFollowsUndo() throws {
    var state = try openedState()
    try state.runNetwork()
    state.type("t")
    let network = VersionID(2)
    let measures = ImageMeasures(noise: 4, edgeContrast: 60, suggested: RefinementSettings(thetaBeta: 12))
    _ = reduce(
      &state,
      .jobEnded(try #require(state.jobs[.measurement]?.id), .finished(MeasurementJob.self, with: measures)))
    #expect(state.measures?.version == network)
    state.selectedKnob = .auxiliaryWeight(0)
    let effects = state.type("z")
    #expect(state.message == Message("undid: show liver network"))
    #expect(state.refinementBase?.id == VersionID(1))
    #expect(state.selectedKnob == .appearanceWeight)
    let started = effects.compactMap { effect -> JobKind? in
      if case .start(_, let job) = effect { job.kind } else { nil }
    }
    #expect(started.contains(.measurement))
    let preview = try #require(state.running(PreviewJob.self))
    #expect(preview.base == VersionID(1) && preview.knobs == state.decisions.knobs)
    #expect(state.running(MeasurementJob.self)?.base == VersionID(1))
  }

  @Test("accepting, rejecting and flagging are independent, and each change is reported")
  func verdictsStandBesideEachOther() throws {
    var state = try openedState()
    try state.runNetwork()
    state.type("yf")
    #expect(state.decisions.verdicts == Verdicts(accepted: VersionID(2), isFlagged: true))
    state.press(.tab)
    state.type("e")
    #expect(
      state.decisions.verdicts == Verdicts(accepted: VersionID(2), rejected: [VersionID(1)], isFlagged: true))
    #expect(state.message == Message("rejected manual.nii.gz"))
    state.type("y")
    #expect(
      state.message
        == Message(
          "accepted manual.nii.gz, no longer rejected, instead of liver network; E exports it"))
    state.type("e")
    #expect(state.message == Message("rejected manual.nii.gz; it is no longer accepted"))
    #expect(state.decisions.verdicts == Verdicts(rejected: [VersionID(1)], isFlagged: true))
    state.type("zyf")
    let provenance = state.provenance(of: state.decisions.versions[0])
    #expect(provenance.verdict == "accepted")
    #expect(provenance.isCaseFlagged)
  }

  @Test(
    "q closes the panel or list that is open, and quits only from the picture",
    arguments: ["b", "v", "t", "P", "w", "?", "U"])
  func panelsClose(key: String) throws {
    var state = try openedState()
    state.type(key)
    state.type("q")
    #expect(state.phase == .reviewing)
    #expect(state.keyContext == .picture)
    state.type("q")
    #expect(state.phase == .ended(failure: nil))
  }

  @Test("needs work, accepted and rejected replace each other: the last key counts, and the flag stays")
  func lastVerdictCounts() throws {
    var state = try openedState()
    let manual = VersionID(1)
    state.type("fAe")
    #expect(state.message == Message("rejected manual.nii.gz; the case no longer needs work"))
    #expect(state.decisions.verdicts == Verdicts(rejected: [manual], isFlagged: true))
    #expect(render(state).text[0].contains(" rejected, case flagged "))
    state.type("A")
    #expect(state.message == Message("the case needs work; nothing is rejected any more"))
    #expect(state.decisions.verdicts == Verdicts(isFlagged: true, needsWork: true))
    #expect(render(state).text[0].contains(" needs work, case flagged "))
    state.type("y")
    #expect(state.decisions.verdicts == Verdicts(accepted: manual, isFlagged: true))
    state.type("A")
    #expect(state.message == Message("the case needs work; manual.nii.gz is no longer accepted"))
    state.type("ey")
    #expect(state.decisions.verdicts == Verdicts(accepted: manual, isFlagged: true))
    state.type("zz")
    #expect(state.decisions.verdicts == Verdicts(isFlagged: true, needsWork: true))
  }

  @Test("a case without any version can be rejected, flagged and need work, but not be accepted")
  func casesWithoutVersionsAreRejected() throws {
    var state = try openedState(phantomCase(withMask: false))
    state.type("e")
    #expect(state.message == Message("rejected the case: it has no version to accept"))
    #expect(state.decisions.verdicts == Verdicts(isCaseRejected: true))
    #expect(render(state).text[0].contains(" case rejected "))
    state.type("y")
    #expect(state.decisions.verdicts == Verdicts(isCaseRejected: true))
    state.type("A")
    #expect(state.decisions.verdicts == Verdicts(needsWork: true))
    state.type("e")
    #expect(state.decisions.verdicts == Verdicts(isCaseRejected: true))
    // A version that comes later has a verdict of its own.
    try state.runNetwork()
    state.type("y")
    #expect(state.decisions.verdicts == Verdicts(accepted: VersionID(1)))
    state.type("z")
    #expect(state.decisions.verdicts == Verdicts(isCaseRejected: true))
    state.type("e")
    #expect(state.decisions.verdicts == Verdicts(rejected: [VersionID(1)]))
  }

  @Test(
    "a key that was pressed twice decides once, and the second press says how to take it back",
    arguments: [
      ("y", true, "manual.nii.gz is accepted already; z undoes, e rejects it, E exports it"),
      ("e", true, "manual.nii.gz is rejected already; z undoes, :retract verdict takes it back"),
      ("e", false, "the case is rejected already; z undoes, :retract verdict takes it back"),
      ("A", true, "the case needs work already; z undoes, :retract verdict takes it back"),
      ("f", true, "the case is flagged already; z undoes, :retract flag takes it back"),
      ("4", true, "score 4 of 5 already; :score 0 removes it"),
    ])
  func pressedTwice(key: String, hasMask: Bool, text: String) throws {
    var state = try openedState(phantomCase(withMask: hasMask))
    state.type(key)
    let (verdicts, history) = (state.decisions.verdicts, state.history)
    #expect(verdicts != Verdicts())
    state.type(key)
    #expect(state.decisions.verdicts == verdicts)
    #expect(state.history == history)
    #expect(state.message == Message(text))
    state.type("z")
    #expect(state.decisions.verdicts == Verdicts())
  }

  @Test("a verdict and the flag can be taken back by themselves, whatever was decided since")
  func retracting() throws {
    var state = try openedState()
    state.type("e4f:retract verdict")
    state.press(.enter)
    #expect(state.message == Message("the case has no verdict any more"))
    #expect(state.decisions.verdicts == Verdicts(isFlagged: true, score: 4))
    state.type(":retract flag")
    state.press(.enter)
    #expect(state.message == Message("the case is no longer flagged"))
    #expect(state.decisions.verdicts == Verdicts(score: 4))
    #expect(
      state.history.steps.map(\.name) == [
        "opening", "reject manual.nii.gz", "score 4", "flag the case", "take back the verdict",
        "take back the flag",
      ])
    for (line, text) in [
      ("retract verdict", "the case has no verdict"), ("retract flag", "the case is not flagged"),
      ("retract", "retract: type verdict or flag"),
    ] {
      state.type(":" + line)
      state.press(.enter)
      #expect(state.message?.text == text)
      #expect(state.decisions.verdicts == Verdicts(score: 4))
    }
  }

  @Test("a case without any version can be flagged, but not accepted")
  func casesWithoutVersionsAreFlagged() throws {
    var state = try openedState(phantomCase(withMask: false))
    state.type("y")
    #expect(state.message?.text == "no version to accept: open a mask, or run a network (m)")
    state.type("f")
    #expect(state.message == Message("flagged the case"))
    #expect(state.decisions.verdicts == Verdicts(isFlagged: true))
    state.type("z")
    #expect(state.decisions.verdicts == Verdicts())
  }

  @Test("Ctrl-C cancels the running job; without one it quits as q does")
  func interruption() throws {
    var state = try openedState()
    _ = reduce(
      &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
    let id = state.press(.enter).started!.id
    state.type("t")
    #expect(state.press(.control("c")).contains(.cancel(id)))
    #expect(state.message == Message("stopped liver network; no version was added"))
    #expect(state.focus == .refinement)
    state.type("qy")
    state.press(.control("c"))
    #expect(state.dialog == .question(.quit(losing: [.acceptedVersion(VersionID(1))])))
    state.press(.control("c"))
    #expect(state.phase == .reviewing)
    // Accepting again, as a second answer would, keeps the acceptance.
    state.type("ny")
    #expect(state.decisions.verdicts.accepted == VersionID(1))
    #expect(state.message?.text.hasPrefix("manual.nii.gz is accepted already") == true)
    state.type("z")
    state.press(.control("c"))
    #expect(state.phase == .ended(failure: nil))
  }

  @Test("quitting lists everything that would be lost")
  func quitting() throws {
    var state = try openedState()
    _ = reduce(
      &state, .jobEnded(state.type("m").started!.id, .finished(ModelsJob.self, with: [pretendedModel])))
    state.press(.enter)
    state.type("y:q")
    state.press(.enter)
    #expect(
      state.dialog
        == .question(.quit(losing: [.acceptedVersion(VersionID(1)), .job(title: "running liver network")])))
    #expect(
      render(state).text.joined(separator: " ").contains("manual.nii.gz is accepted and was not exported."))
    state.type("y")
    #expect(state.phase == .ended(failure: nil))
  }

  @Test(
    "leaving the CRF with a refined image that is not kept warns once",
    arguments: [Key.escape, "q", "t", "b", "v"])
  func unkeptResult(key: Key) throws {
    var state = try openedState()
    try state.refineLive()
    state.press(key)
    #expect(state.focus == .refinement)
    #expect(
      state.message
        == Message("the refined image is not kept: Enter keeps it as a version, once more drops it", .warning)
    )
    var kept = state
    kept.press(.enter)
    #expect(kept.decisions.versions.map(\.name) == ["manual.nii.gz", "CRF 1"])
    kept.press(.escape)
    #expect(kept.focus == .picture)
    state.press(key)
    #expect(state.focus != .refinement)
    #expect(state.live == nil)
  }

  @Test("quitting from the CRF asks for a refined image that is not kept", arguments: [":q\n", "\u{3}"])
  func unkeptResultAtTheEnd(keys: String) throws {
    var state = try openedState()
    try state.refineLive()
    for character in keys {
      state.press(character == "\n" ? .enter : character == "\u{3}" ? .control("c") : .character(character))
    }
    #expect(state.dialog == .question(.quit(losing: [.refinement])))
    #expect(render(state).text.contains { $0.contains("The refined image is not kept as a version.") })
    state.type("n")
    #expect(state.phase == .reviewing)
    // After the warning it is not asked about again; kept as a version, it is not lost.
    var kept = state
    kept.press(.enter, .escape)
    kept.type("q")
    #expect(kept.phase == .ended(failure: nil))
    state.press(.escape, .escape)
    state.type("q")
    #expect(state.phase == .ended(failure: nil))
  }

  @Test("Ctrl-C in the CRF first stops the background refinement, and only then quits")
  func followingIsStopped() throws {
    var state = try openedState()
    state.type("t")
    try state.finishRefining(PreviewJob.self)
    let job = try #require(state.jobs[.backgroundRefinement]?.id)
    #expect(state.press(.control("c")).contains(.cancel(job)))
    #expect(
      state.phase == .reviewing && state.jobs[.backgroundRefinement] == nil && state.focus == .refinement)
    #expect(state.message == Message("stopped refining the whole image; changing a knob starts it again"))
    state.press(.control("c"))
    #expect(state.phase == .ended(failure: nil))
  }

  @Test("Escape after a refused line leaves the panel open")
  func refusedLine() throws {
    var state = try openedState()
    state.type("t:set theta-alpha 5000")
    state.press(.enter)
    #expect(state.message?.kind == .error)
    state.press(.escape)
    #expect(state.message == nil)
    #expect(state.focus == .refinement)
  }
}
