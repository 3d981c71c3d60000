import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// A case with a network's result that was refined and accepted, with a changed view, and its journal entries.
private func reviewedCase() throws -> (state: ReviewState, notes: [JournalEntry]) {
  var state = try openedState(journal: nil)
  let id = try #require(state.jobs[.journal]?.id)
  var notes = reduce(&state, .jobEnded(id, .finished(JournalJob.self, with: OpenedJournal()))).notes
  notes += try state.runNetwork().notes
  state.type("t")
  try state.finishRefining(PreviewJob.self)
  try state.finishRefining(BackgroundRefinementJob.self)
  notes += state.press(.enter, .escape).notes
  notes += state.type("yf]").notes
  return (state, notes)
}

/// The content of a journal of these notes; without voxels of versions that the case opens itself, unless `keepsMasks`.
private func journal(_ notes: [JournalEntry], knownMasks: [Int: VersionID] = [0: VersionID(1)])
  -> OpenedJournal
{
  var opened = OpenedJournal(knownMasks: knownMasks, time: "14:46")
  for note in notes {
    switch note {
    case .version(let version): opened.versions.append(version)
    case .labels: break
    case .step(let step):
      opened.steps.removeAll { $0.number == step.number }
      opened.steps.append(step)
      (opened.step, opened.decisions) = (step.number, step.decisions)
    case .position(let step, let decisions): (opened.step, opened.decisions) = (step, decisions)
    case .exported(let id, let path): opened.exported[id] = path
    case .view(let view): opened.view = view
    }
  }
  return opened
}

/// A short name of each note.
private func names(_ notes: [JournalEntry]) -> [String] {
  notes.map { note in
    switch note {
    case .version(let version): "version \(version.name)"
    case .labels(let id, _): "labels \(id.number)"
    case .step(let step): step.name
    case .position(let step, _): "position \(step)"
    case .exported(_, let path): "exported \(path ?? "no longer")"
    case .view: "view"
    }
  }
}

@Suite struct JournalTests {
  @Test("every event is journalled once, in order")
  func notes() throws {
    let (state, notes) = try reviewedCase()
    #expect(
      names(notes) == [
        "version manual.nii.gz", "opening", "view", "version liver network", "show liver network",
        "version CRF 1", "show CRF 1", "accept CRF 1", "flag the case", "view",
      ])
    let decided = try #require(journal(notes).decisions)
    #expect(decided.verdicts == Verdicts(accepted: VersionID(3), isFlagged: true))
    #expect(decided.versions == [])
    #expect(state.journal == .writing)
  }

  @Test("a case opened again has all versions, decisions and the view, and their time is shown")
  func restoring() throws {
    let (before, notes) = try reviewedCase()
    var state = try laterSession()
    let effects = try state.read(journal(notes))
    #expect(state.message == Message("restored 2 versions from 14:46"))
    #expect(state.decisions == before.decisions)
    #expect(state.view == before.view)
    #expect(
      state.history.steps.map(\.name) == [
        "opening", "show liver network", "show CRF 1", "accept CRF 1", "flag the case",
      ])
    #expect(effects.notes == [])
    // A decision can be undone, and the next refinement gets a new name.
    state.type("zz")
    #expect(state.decisions.verdicts == Verdicts())
    state.type("t")
    try state.finishRefining(PreviewJob.self)
    try state.finishRefining(BackgroundRefinementJob.self)
    state.press(.right)
    try state.finishRefining(PreviewJob.self)
    try state.finishRefining(BackgroundRefinementJob.self)
    state.press(.enter)
    #expect(state.decisions.versions.map(\.name) == ["manual.nii.gz", "liver network", "CRF 1", "CRF 2"])
  }

  @Test("undone steps are still undone in the next session, can be redone, and are named in messages")
  func undoneStepsAreRestored() throws {
    var (before, notes) = try reviewedCase()
    notes += before.type("e").notes
    notes += before.type("zz").notes
    #expect(before.decisions.verdicts == Verdicts(accepted: VersionID(3)))
    var state = try laterSession()
    let effects = try state.read(journal(notes))
    #expect(effects.notes == [])
    #expect(state.decisions == before.decisions)
    #expect(state.history == before.history)
    for keys in ["z", "z", "Z", "Z", "Z", "Z", "Z", "z"] {
      state.type(keys)
      before.type(keys)
      #expect(state.message == before.message)
      #expect(state.decisions == before.decisions)
    }
    // A third session stands where the second one left off; a decision there forks off as in one session.
    notes += state.type("z").notes + state.type("f").notes
    before.type("zf")
    var third = try laterSession()
    #expect(try third.read(journal(notes + state.type("zzz").notes)).notes == [])
    before.type("zzz")
    #expect(third.decisions == before.decisions)
    #expect(third.history.steps.map(\.name) == before.history.steps.map(\.name))
    #expect(third.history.position == before.history.position)
  }

  @Test("names and colours can be undone in the next session too")
  func relabellingsAreRestored() throws {
    var (before, notes) = try reviewedCase()
    notes += before.type("br").notes
    for _ in 0..<8 { notes += before.press(.backspace).notes }
    notes += before.type("Leber").notes + before.press(.enter, .escape).notes
    var opened = journal(notes)
    // The journal's versions have the names that were given last.
    opened.versions = before.decisions.versions
    var state = try laterSession()
    _ = try state.read(opened)
    #expect(state.history.steps.last?.name == before.history.steps.last?.name)
    #expect(state.history == before.history)
    state.type("z")
    before.type("z")
    #expect(state.message == before.message)
    #expect(state.decisions == before.decisions)
  }

  @Test("changes of one knob are one step in the next session too")
  func joinedStepsAreRestored() throws {
    var (before, notes) = try reviewedCase()
    notes += before.type("t").notes
    for _ in 0..<3 { notes += before.press(.right).notes }
    var state = try laterSession()
    _ = try state.read(journal(notes))
    #expect(state.history.steps.map(\.name).suffix(2) == ["flag the case", "change μ1 appearance"])
    state.type("z")
    #expect(state.decisions.knobs.refinement.appearanceWeight == 4)
  }

  @Test("the frame that was shown is read again, and named among what was restored")
  func framesAreRestored() throws {
    var content = phantomCase()
    content.frameCount = 3
    var view = ViewState()
    view.frame = 2
    view.zoom = 2
    var state = try laterSession(content)
    let opened = OpenedJournal(view: view, time: "14:46")
    guard case .start(let id, let job)? = try state.read(opened).first,
      let request = (job.base as? FrameJob)?.request
    else {
      Issue.record("no frame was asked for")
      return
    }
    #expect(request.frame == 2 && state.view.zoom == 2)
    _ = reduce(
      &state, .jobEnded(id, .finished(FrameJob.self, with: ReadFrame(frame: 2, image: content.image))))
    #expect(state.content.frame == 2)
    let text = try #require(state.message?.text)
    #expect(text.hasPrefix("restored the view from 14:46; ") && text.hasSuffix("; frame 2 of 0-2"))
  }

  @Test("a mask that is not in the journal is added and shown; one that is in it is not duplicated")
  func masksJoin() throws {
    let (_, notes) = try reviewedCase()
    var content = phantomCase()
    content.masks.append(content.masks[0])
    content.masks[1].name = "second.nii.gz"
    content.masks[1].labels = content.masks[1].labels.relabelled { $0 == 0 ? 1 : $1 }
    var state = try laterSession(content)
    let effects = try state.read(journal(notes))
    #expect(
      state.decisions.versions.map(\.name) == ["manual.nii.gz", "liver network", "CRF 1", "second.nii.gz"])
    #expect(state.decisions.a == VersionID(1))
    #expect(state.decisions.b == VersionID(1001))
    #expect(state.decisions.verdicts == Verdicts(accepted: VersionID(3), isFlagged: true))
    #expect(names(effects.notes).contains("version second.nii.gz"))
    #expect(!names(effects.notes).contains("version manual.nii.gz"))
  }

  @Test("decisions made before the journal was read stay and are journalled")
  func lateJournal() throws {
    let (_, notes) = try reviewedCase()
    var state = try laterSession()
    state.type("t")
    try state.finishRefining(PreviewJob.self)
    try state.finishRefining(BackgroundRefinementJob.self)
    state.press(.enter, .escape)
    state.type("e]")
    let view = state.view
    let effects = try state.read(journal(notes))
    #expect(state.view == view)
    #expect(state.decisions.versions.map(\.id) == [1, 2, 3, 1001].map { VersionID($0) })
    #expect(state.decisions.a == VersionID(1))
    #expect(state.decisions.b == VersionID(1001))
    // What the reviewer has not changed is restored.
    #expect(
      state.decisions.verdicts
        == Verdicts(accepted: VersionID(3), rejected: [VersionID(1001)], isFlagged: true))
    #expect(state.decisions.knobs.refinement.appearanceWeight == 4)
    #expect(state.version(VersionID(1000))?.id == VersionID(1))
    // The number of a new refinement follows that of the restored one.
    #expect(names(effects.notes).contains("version CRF 2"))
    #expect(names(effects.notes).contains("reject CRF 1"))
  }

  @Test("an exported version still counts as exported in the next session")
  func exportsAreKnown() throws {
    var (state, notes) = try reviewedCase()
    let id = try #require(state.type("E").started?.id)
    notes +=
      reduce(
        &state, .jobEnded(id, .finished(ExportJob.self, with: .written(path: "/cases/case-1_seg.nii.gz")))
      ).notes
    var later = try laterSession()
    _ = try later.read(journal(notes))
    later.type("q")
    #expect(later.phase == .ended(failure: nil))
  }

  @Test("an export before the journal was read counts for the version's number in the journal")
  func earlyExports() throws {
    let (_, notes) = try reviewedCase()
    var state = try laterSession()
    state.type("yE")
    _ = reduce(
      &state,
      .jobEnded(
        try #require(state.jobs[.export]?.id), .finished(ExportJob.self, with: .written(path: "/o.nii.gz"))))
    _ = try state.read(journal(notes))
    #expect(state.exported == [VersionID(1): "/o.nii.gz"])
  }

  @Test("steps that changed only lost versions keep their numbers, which are not reused")
  func numbersStay() throws {
    var opened = journal(try reviewedCase().notes)
    let last = try #require(opened.steps.last)
    for number in 1...2 {
      opened.steps.append(
        JournalStep(number: last.number + number, name: "A is CRF 1", decisions: last.decisions))
    }
    opened.step = last.number + 2
    var state = try laterSession()
    _ = try state.read(opened)
    #expect(state.history.number == last.number)
    let notes = state.type("e").notes
    #expect(names(notes) == ["reject CRF 1"])
    guard case .step(let step)? = notes.first else { return }
    #expect(step.number == last.number + 3)
  }

  @Test("a failing journal is reported at once, and so is its recovery; quitting asks about it")
  func failingJournal() throws {
    var state = try openedState()
    state.type("f")
    _ = reduce(&state, .journalFailed("a.journal: cannot be written: found No space left on device"))
    #expect(state.message?.kind == .error)
    #expect(render(state).text[0].contains("not journalled"))
    // The review continues, and its entries are still passed to the journal.
    #expect(names(state.type("y").notes) == ["accept manual.nii.gz"])
    state.type("zq")
    #expect(
      state.dialog
        == .question(
          .quit(losing: [.unwrittenJournal("a.journal: cannot be written: found No space left on device")])))
    // Once the entries are written, quitting does not ask about them.
    _ = reduce(&state, .journalFailed(nil))
    #expect(state.journal == .writing && state.dialog == nil)
    state.type("q")
    #expect(state.phase == .ended(failure: nil))
  }

  @Test("without a journal, quitting asks only if something was decided")
  func absentJournal() throws {
    let absent = OpenedJournal(
      warning: "another segdeck has this case open: what you do here is not kept",
      status: .absent("another segdeck has this case open"))
    var state = try openedState(journal: absent)
    #expect(
      state.message
        == Message("another segdeck has this case open: what you do here is not kept", .warning))
    var idle = state
    idle.type("]wq")
    #expect(idle.type("q").notes.isEmpty)
    #expect(idle.phase == .ended(failure: nil))
    #expect(state.type("f").notes == [])
    state.press(.control("c"))
    #expect(
      state.dialog == .question(.quit(losing: [.unwrittenJournal("another segdeck has this case open")])))
  }

  @Test("a journal that could not be opened gets all entries once it can be")
  func lateOpening() throws {
    let reason = "No space left on device: the journal in ~/s cannot be written"
    var state = try openedState(
      journal: OpenedJournal(warning: "what you do here is not kept: \(reason)", status: .failing(reason)))
    #expect(state.message == Message("what you do here is not kept: \(reason)", .warning))
    #expect(render(state).text[0].contains("not journalled"))
    var idle = state
    idle.type("q")
    #expect(idle.phase == .ended(failure: nil))
    #expect(names(state.type("f").notes) == ["flag the case"])
    state.type("q")
    #expect(state.dialog == .question(.quit(losing: [.unwrittenJournal(reason)])))
    state.type("n")
    _ = reduce(&state, .journalFailed(nil))
    #expect(state.message == Message("the journal is written again"))
    state.type("q")
    #expect(state.phase == .ended(failure: nil))
  }

  @Test(
    "quitting waits for a journal that is still being opened, with a message, and writes the decisions")
  func quittingEarly() throws {
    var state = try openedState(journal: nil)
    #expect(state.journal == .opening)
    state.type("fq")
    #expect(state.phase == .reviewing && state.dialog == nil)
    let waiting = try #require(render(state).text.first { $0.contains("quits when the journal is open") })
    #expect(waiting.contains("Esc stays"))
    var staying = state
    staying.press(.escape)
    #expect(!render(staying).text.joined().contains("quits when the journal is open"))
    _ = try staying.read(OpenedJournal())
    #expect(staying.phase == .reviewing)
    // Quitting a second time does not wait for the journal.
    var asked = state
    asked.type("q")
    #expect(
      asked.dialog == .question(.quit(losing: [.unwrittenJournal("the journal is still being opened")])))
    asked.type("y")
    #expect(asked.phase == .ended(failure: nil))
    var failing = state
    _ = try failing.read(OpenedJournal(status: .failing("No space left on device")))
    #expect(failing.dialog == .question(.quit(losing: [.unwrittenJournal("No space left on device")])))
    let effects = try state.read(OpenedJournal())
    #expect(state.phase == .ended(failure: nil))
    #expect(names(effects.notes) == ["version manual.nii.gz", "opening", "flag the case", "view"])
  }

  @Test("quitting asks about an unexported acceptance once, even while the journal is being opened")
  func quittingEarlyUnexported() throws {
    var state = try openedState(journal: nil)
    state.type("yq")
    #expect(state.dialog == .question(.quit(losing: [.acceptedVersion(VersionID(1))])))
    state.type("y")
    #expect(state.phase == .reviewing && state.dialog == nil)
    _ = try state.read(OpenedJournal())
    #expect(state.phase == .ended(failure: nil))
  }

  @Test(
    "where the version that was shown is lost, the remaining one of A and B is shown, or else the newest version"
  )
  func lostVersions() throws {
    let (_, notes) = try reviewedCase()
    let whole = journal(notes)
    func restored(_ lost: [String], masks: Bool = true) throws -> ReviewState {
      var opened = whole
      opened.versions.removeAll { lost.contains($0.name) }
      opened.warning = "\(lost.joined(separator: ", ")) is damaged"
      var content = phantomCase()
      if !masks {
        content.masks = []
        opened.knownMasks = [:]
      }
      var state = try laterSession(content)
      _ = try state.read(opened)
      return state
    }
    // A is the network's, B and shown the CRF's.
    let withoutB = try restored(["CRF 1"])
    #expect(withoutB.shownVersion?.name == "liver network")
    #expect(withoutB.decisions.b == nil)
    #expect(withoutB.decisions.verdicts == Verdicts(isFlagged: true))
    let withoutA = try restored(["liver network"])
    #expect(withoutA.shownVersion?.name == "CRF 1")
    #expect(withoutA.decisions.verdicts == Verdicts(accepted: VersionID(3), isFlagged: true))
    let withoutBoth = try restored(["liver network", "CRF 1"], masks: false)
    #expect(withoutBoth.shownVersion?.name == "manual.nii.gz")
    #expect(withoutBoth.message?.text.contains("is damaged") == true)
  }

  @Test(
    "a version that lost an edit is neither accepted nor exported, and the journal records that"
  )
  func incompleteVersions() throws {
    let (_, notes) = try reviewedCase()
    var opened = journal(notes)
    opened.exported = [VersionID(3): "/o.nii.gz", VersionID(2): "/n.nii.gz"]
    opened.incompleteVersions = [VersionID(3)]
    opened.warning = "CRF 1 lacks an edit and is no longer accepted"
    var state = try laterSession()
    let effects = try state.read(opened)
    #expect(state.decisions.verdicts == Verdicts(isFlagged: true))
    #expect(state.exported == [VersionID(2): "/n.nii.gz"])
    #expect(names(effects.notes) == ["position 4", "exported no longer"])
    #expect(state.message?.kind == .warning)
    // Accepted again, it is.
    #expect(names(state.type("y").notes) == ["accept CRF 1"])
  }

  @Test("a review that is asked to end ends without a question in every state")
  func asked() throws {
    for keys in ["", "y", "t", "m", ":", "?", "yq"] {
      var state = try openedState()
      state.type(keys)
      _ = reduce(&state, .terminal(.end))
      #expect(state.phase == .ended(failure: nil))
    }
  }

  @Test("consecutive changes of one knob, and consecutive views, are written once")
  func condensing() {
    var (one, two) = (Decisions(), Decisions())
    one.knobs.maskConfidence = 0.8
    two.knobs.maskConfidence = 0.7
    var view = ViewState()
    view.zoom = 2
    let entries: [JournalEntry] = [
      .view(ViewState()), .step(JournalStep(number: 1, name: "turn", decisions: one)), .view(view),
      .step(JournalStep(number: 1, name: "turn", decisions: two)),
      .step(JournalStep(number: 2, name: "turn", decisions: two)), .position(step: 1, one),
      .position(step: 0, one), .exported(VersionID(1), path: "a"),
    ]
    #expect(
      entries.condensed == [
        .step(JournalStep(number: 1, name: "turn", decisions: two)),
        .step(JournalStep(number: 2, name: "turn", decisions: two)), .position(step: 0, one),
        .exported(VersionID(1), path: "a"), .view(view),
      ])
    #expect([JournalEntry]().condensed == [])
  }

  @Test("decisions and views are read back from JSON, and fields that are missing have defaults")
  func coding() throws {
    var decisions = Decisions()
    decisions.a = VersionID(4)
    decisions.b = VersionID(12)
    decisions.shownSide = .b
    decisions.hiddenLabels = ["liver", "spleen"]
    decisions.soloLabel = "aorta"
    decisions.knobs = KnobSettings(
      refinement: RefinementSettings(thetaAlphaMillimetres: Spacing(1, 2, 3), changedLabels: [1, 6]),
      maskConfidence: 0.7)
    decisions.verdicts = Verdicts(accepted: VersionID(4), rejected: [VersionID(12)], isFlagged: true)
    func again<Value: Codable>(_ value: Value) throws -> Value {
      try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
    }
    #expect(try again(decisions) == decisions)
    #expect(try again(Decisions()) == Decisions())
    var view = ViewState()
    view.crosshair = VoxelIndex(3, 4, 5)
    view.activePlane = .sagittal
    view.zoom = 2.5
    view.centre = SIMD3(1, 2.5, 3)
    view.convention = .neurological
    view.window = IntensityWindow(centre: 40, width: 400)
    view.windowName = "CT soft tissue"
    view.overlay.isShown = false
    view.overlay.style = .fill
    view.overlay.opacity = 0.7
    view.comparison = .difference
    view.showsCrosshair = false
    #expect(try again(view) == view)
    let origins: [Version.Origin] = [
      .mask(path: "/a b.nii"), .network(modelID: "liver", modelName: "Liver"),
      .refinement(of: VersionID(4), settings: RefinementSettings(), maskConfidence: nil),
    ]
    for origin in origins { #expect(try again(origin) == origin) }
    #expect(try JSONDecoder().decode(Decisions.self, from: Data("{}".utf8)) == Decisions())
    #expect(try JSONDecoder().decode(ViewState.self, from: Data("{}".utf8)) == ViewState())
  }
}
