import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work
import Worklist

@Suite("A session of many cases")
struct SessionTests {
  @Test("the next case is opened ahead, and never more than three are in memory")
  func opensAhead() throws {
    var (session, effects) = begunSession(5)
    #expect(effects.opened == [0])
    #expect(try session.finish(effects).opened == [0, 1])
    #expect(session.inMemory == [0, 1])
    #expect(try session.press(.control("n")).opened == [2])
    #expect((session.current, session.inMemory) == (CaseID(1), [0, 1, 2]))
    let moved = try session.press(.control("n"))
    #expect((moved.opened, moved.closed) == ([3], [0]))
    let back = try session.press(.control("p"))
    #expect((session.current, session.inMemory) == (CaseID(1), [1, 2]))
    #expect((back.opened, back.closed) == ([], [3]))
  }

  @Test("threads that open a case keep their priority when the reader waits for it")
  func priority() throws {
    var (session, effects) = begunSession(3)
    #expect(effects.openedAhead == [])
    let next = try session.finish(effects)
    #expect((next.opened, next.openedAhead) == ([0, 1], [1]))
    // Further on than the case that is opened ahead.
    try session.press("C")
    let last = try session.press(.end, .enter)
    #expect((last.opened, last.openedAhead) == ([2], []))
  }

  @Test("a case is opened ahead only after the one on the screen is open")
  func opensInTurn() throws {
    let (session, effects) = begunSession(2)
    #expect(effects.opened == [0])
    #expect(session.inMemory == [0])
  }

  @Test("at the ends of the list the case stays, with a message")
  func staysAtEnds() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    try session.press(.control("p"))
    #expect(session.review.message?.text == "this is the first case of the list")
    try session.press(.control("n"), .control("n"))
    #expect(session.review.message?.text == "this is the last case of the list")
    #expect(session.current == CaseID(1))
  }

  @Test("a capital letter gives a verdict and goes to the next case; without a mask it stays")
  func judgesAndGoesOn() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects)
    try session.press("Y", "F")
    #expect(session.current == CaseID(2))
    #expect(session.cases[CaseID(1)]?.decisions.verdicts == Verdicts(isFlagged: true))
    try session.press("R")
    #expect(session.current == CaseID(2))
    #expect(session.review.message?.text == "that was the last case of the list")

    var bare = begunSession(2)
    try bare.session.finish(bare.effects, content: phantomCase(withMask: false))
    try bare.session.press("Y")
    #expect(bare.session.current == CaseID(0))
    #expect(bare.session.review.message?.text.contains("no version to accept") == true)
    let records = try bare.session.press("R").records
    #expect(records == ["case-1 decided rejected", "case-1 closed rejected", "case-2 opened"])
    #expect(bare.session.cases[CaseID(0)]?.decisions.verdicts == Verdicts(isCaseRejected: true))
  }

  @Test("at 80 columns the versions, keys to the next case and the reason of an error stay in sight")
  func smallScreen() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects)
    try session.press("y", "f", "5")
    try session.type("\"a comment that is long enough")
    try session.press(.enter)
    let title = render(session).text[0]
    #expect(title.hasPrefix(" segdeck  1/3  case-1"))
    #expect(title.contains(" A manual.nii.gz "))
    #expect(title.hasSuffix(" accepted, flagged, score 5, comment "))
    #expect(
      render(session).text[23].hasPrefix(
        " n N differing  y accept  Ctrl-N Ctrl-P case  Y and next  ? help  q quit"))
    let path = "/" + String(repeating: "folder/", count: 12) + "scan.nii.gz"
    _ = reduce(&session, .recordsFailed("\(path): cannot be written: no space left on device"))
    #expect(
      render(session).text[21...22].map { $0.trimmingCharacters(in: .whitespaces) } == [
        "verdicts are not written: scan.nii.gz: cannot be written: no space left on", "device; retrying",
      ])
  }

  @Test("a second tap or a held key decides nothing about the case that it brings, and says so")
  func takesNoVerdictOfUnseen() throws {
    var (session, effects) = begunSession(4)
    try session.finish(effects)
    _ = reduce(&session, .drawn(seconds: 0))
    try session.press("Y", at: 10)
    #expect(session.current == CaseID(1))
    #expect(session.review.message?.text == "case-1 accepted; Ctrl-P z takes it back")
    func expectNothingDecided(_ key: Key, at seconds: Double) throws {
      effects = try session.press(key, at: seconds)
      #expect(effects.records == [])
      #expect(session.current == CaseID(1))
      #expect(session.review.decisions.verdicts == Verdicts())
      #expect(
        session.review.message == Message("case-2 was only just shown: nothing was decided", .warning))
    }
    // Before the case is drawn, and while the key is held.
    try expectNothingDecided("Y", at: 10.5)
    _ = reduce(&session, .drawn(seconds: 11))
    for step in 1...20 { try expectNothingDecided("Y", at: 11 + Double(step) * 0.1) }
    try expectNothingDecided("R", at: 13.2)
    effects = try session.press("R", at: 13.6)
    #expect(session.cases[CaseID(1)]?.decisions.verdicts.rejected.count == 1)
    #expect(session.review.message?.text == "case-2 rejected; Ctrl-P z takes it back")
    _ = reduce(&session, .drawn(seconds: 14))
    try session.press(.control("p"), "z", at: 15)
    #expect(session.current == CaseID(1))
    #expect(session.review.decisions.verdicts == Verdicts())
  }

  @Test("what is typed for a comment on a case that is still being opened decides nothing when it is open")
  func ignoresTextForUnopened() throws {
    var (session, effects) = begunSession(2)
    for key in ["\"", "n", "o", "q"] as [Key] { _ = reduce(&session, .terminal(.key(key))) }
    #expect(session.end == nil)
    try session.finish(effects)
    try session.type("eY5f")
    #expect(session.current == CaseID(0))
    #expect(session.review.decisions.verdicts == Verdicts())
    #expect(session.review.message?.text.hasSuffix("what is typed is ignored until Enter or Esc") == true)
    try session.press(.enter)
    effects = try session.press("f")
    #expect(session.review.decisions.verdicts == Verdicts(isFlagged: true))
  }

  @Test("keys that edit a line belong to the text that is ignored, and another case is not affected by it")
  func ignoresEditingKeys() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects)
    try session.press("/", .control("u"), "e", .control("w"))
    #expect(session.current == CaseID(0) && session.review.decisions.verdicts == Verdicts())
    try session.press(.control("n"))
    #expect(session.current == CaseID(1))
    effects = try session.press("f")
    #expect(session.review.decisions.verdicts == Verdicts(isFlagged: true))
    try session.press(.control("p"), "f")
    #expect(session.review.decisions.verdicts == Verdicts(isFlagged: true))
  }

  @Test(
    "about a case that cannot be opened other decisions are refused, and the text of a comment is ignored")
  func refusesOtherDecisions() throws {
    let reason = "a case that cannot be opened can only be flagged (f) or need work (A)"
    for key: Key in ["4", "y", "\""] {
      var (session, effects) = begunSession(2)
      try session.finish(effects, failing: [CaseID(0)])
      try session.press(key)
      #expect(session.review.message?.text.hasPrefix(reason) == true)
      guard key == "\"" else { continue }
      #expect(try session.type("fY").records == [])
      #expect(session.current == CaseID(0))
      try session.press(.enter)
      effects = try session.press("f")
      #expect(effects.records == ["case-1 decided flagged"])
    }
  }

  @Test("a case that cannot be opened shows the reason, and the others can be reviewed")
  func goesOnBehindFailure() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects, failing: [CaseID(0)])
    #expect(session.end == nil)
    #expect(render(session).text.contains { $0.contains("case.nii.gz: cannot be read") })
    try session.finish(reduce(&session, .terminal(.key(.control("n")))))
    #expect(session.review.phase == .reviewing)
    try session.press(.control("p"), "q")
    #expect(session.end == .left)
  }

  @Test("a verdict on a case that is still being opened is refused with a message")
  func takesNoVerdictUnseen() throws {
    var (session, effects) = begunSession(3)
    for key in ["F", "S", "Y", "y", "f"] as [Key] {
      let taken = reduce(&session, .terminal(.key(key)))
      #expect(taken.records.isEmpty && session.current == CaseID(0))
      #expect(
        session.review.message?.text == "case-1 is still being opened: nothing was decided")
    }
    #expect(
      render(session).text.contains { $0.contains("case-1 is still being opened: nothing was decided") })
    try session.finish(effects)
    #expect(session.review.decisions.verdicts == Verdicts())
    effects = []
  }

  @Test("a case that cannot be opened can be flagged or need work, and Esc does not end the session")
  func flagsUnopened() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects, failing: [CaseID(0)])
    #expect(try session.press("f").records == ["case-1 decided flagged"])
    #expect(session.review.message?.text == "flagged; in the records of the worklist")
    #expect(
      try session.press("A", "f").records == [
        "case-1 decided needs work flagged", "case-1 decided needs work",
      ])
    #expect(try session.press("y").records.isEmpty)
    try session.press(.escape)
    #expect(session.end == nil)
    #expect(session.worklist.row(CaseID(0)).statusText == "cannot be opened")
    try session.press("S")
    #expect(session.current == CaseID(0))
    effects = try session.press("S")
    #expect(effects.records.first == "case-1 decided needs work")
    #expect(session.current == CaseID(1))
  }

  @Test("a session without a worklist ends with the reason why its case cannot be opened")
  func endsWithOnlyCase() throws {
    var session = SessionState(
      worklist: WorklistState(OpenCaseRequest(imagePath: "case-1.nii.gz")), first: CaseID(0),
      screen: ScreenSize(rows: 24, columns: 80), capabilities: trueColour)
    try session.finish(session.begin(), failing: [CaseID(0)])
    #expect(session.end == .failed("case.nii.gz: cannot be read"))
  }

  @Test("window, outline and layout stay from case to case")
  func keepsHabits() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects)
    try session.press("u", "c", "O", .control("n"))
    let (first, second) = (session.cases[CaseID(0)]!.view, session.review.view)
    #expect(second.overlay == first.overlay)
    #expect(second.activePlane == .coronal)
    #expect(second.convention == .neurological)
  }
}

/// Readers' decisions about a case, as the records give them.
private func review(_ caseName: String, _ decisions: [(reader: String, decision: CaseDecision)]) throws
  -> CaseReview
{
  var records = ReviewRecords(folders: [])
  for (number, entry) in decisions.enumerated() {
    records.add(
      CaseRecord(
        sequence: number + 1, time: "2026-11-29T12:00:00.000Z", reader: entry.reader, host: "here",
        caseName: caseName, image: "\(caseName).nii.gz", kind: .decided, decision: entry.decision),
      file: "records.jsonl", line: number + 1)
  }
  return try #require(records.reviews[caseName])
}

@Suite("What a session records")
struct RecordingTests {
  @Test("opening, deciding and leaving a case are recorded, each with all that was decided")
  func recordsInOrder() throws {
    var (session, effects) = begunSession(3)
    #expect(try session.finish(effects).records == ["case-1 opened"])
    #expect(try session.press("f").records == ["case-1 decided flagged"])
    #expect(
      try session.press("Y").records
        == ["case-1 decided accepted flagged", "case-1 closed accepted flagged", "case-2 opened"])
    #expect(try session.press("q").records == ["case-2 closed"])
  }

  @Test("a case that is only opened ahead is not recorded as read")
  func opensAheadUnrecorded() throws {
    var (session, effects) = begunSession(2)
    let all = try session.finish(effects)
    #expect(all.opened == [0, 1])
    #expect(all.records == ["case-1 opened"])
  }

  @Test("the time between keys counts for the case on the screen, a minute at most")
  func countsTime() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    try session.press("a", at: 10)
    try session.press("a", at: 300)
    let left = try session.press(.control("n"), at: 305)
    guard
      case .record(_, .closed, let decision) = left.first(where: {
        if case .record = $0 { true } else { false }
      })
    else {
      Issue.record("nothing was recorded")
      return
    }
    #expect(decision.seconds == 75)
  }

  @Test("the records of this reader have priority over the journal, and can be undone")
  func adoptsRecord() throws {
    let known = try review(
      "case-1",
      [("ann", CaseDecision(verdict: .needsWork, score: 2, comment: "gap", tags: ["motion"], seconds: 30))])
    var (session, effects) = begunSession(1, reviews: ["case-1": known])
    let records = try session.finish(effects).records
    #expect(
      session.review.decisions.verdicts
        == Verdicts(needsWork: true, score: 2, comment: "gap", tags: ["motion"]))
    #expect(records == ["case-1 opened needs work"])
    #expect(try session.press("e").records == ["case-1 decided rejected"])
    #expect(try session.press("z").records == ["case-1 decided needs work"])
    #expect(try session.press("z").records == ["case-1 decided"])
    #expect(session.review.decisions.verdicts == Verdicts())
  }

  @Test("a decision in the journal that is newer than the record counts, and is recorded")
  func keepsNewerJournal() throws {
    let known = try review("case-1", [("ann", CaseDecision(verdict: .needsWork))])
    // The record is of 2026-11-29 12:00:00 UTC.
    let recordSeconds = 1_795_953_600.0
    #expect(known.entries["ann"]?.last.secondsSince1970 == recordSeconds)
    for (delay, expected) in [(60.0, Verdicts(score: 4)), (-60, Verdicts(needsWork: true))] {
      var decided = Decisions()
      decided.verdicts.score = 4
      var journal = OpenedJournal(
        steps: [
          JournalStep(number: 0, name: "opened", decisions: Decisions()),
          JournalStep(number: 1, name: "score 4", decisions: decided),
        ],
        decisions: decided, decisionSeconds: recordSeconds + delay)
      journal.step = 1
      var (session, effects) = begunSession(1, reviews: ["case-1": known])
      let records = try session.finish(effects, journal: journal).records
      effects = []
      #expect(session.review.decisions.verdicts == expected)
      #expect(records.last == (delay > 0 ? "case-1 decided" : "case-1 opened needs work"))
    }
  }

  @Test(
    "what was decided before the journal was read remains, beside what the records have",
    arguments: [
      ("y4", CaseDecision(verdict: .rejected, isFlagged: true, score: 2, tags: ["old"]), "accepted flagged"),
      ("f", CaseDecision(verdict: .needsWork, score: 2), "needs work flagged"),
      ("A", CaseDecision(verdict: .rejected, comment: "blurred"), "needs work"),
    ])
  func keepsEarlyDecisions(keys: String, known: CaseDecision, expected: String) throws {
    var (session, effects) = begunSession(
      1, reviews: ["case-1": try review("case-1", [("ann", known)])])
    let opening = try #require(effects.first)
    guard case .review(let id, .start(let job, _)) = opening else { return }
    let content = phantomCase()
    let opened = OpenedCase(
      content: content, intensities: IntensitySummary(content.image),
      maskComponents: try content.masks.map { try LabelComponents($0.labels, work: WorkContext()) })
    effects = reduce(&session, .review(id, .jobEnded(job, .finished(OpeningJob.self, with: opened))))
    for key in keys { effects += reduce(&session, .terminal(.key(.character(key)))) }
    #expect(effects.records == [])
    #expect(try session.finish(effects).records.last == "case-1 decided \(expected)")
    let verdicts = session.review.decisions.verdicts
    #expect(verdicts.score == (keys == "y4" ? 4 : known.score))
    #expect((verdicts.comment, verdicts.tags) == (known.comment, known.tags))
  }

  @Test(
    "what was decided before the journal was read is recorded when the session ends, however it ends",
    arguments: [["Y", "q"], ["y", "q"], ["y", "end"], ["Y", "end"]])
  func recordsEarlyDecisionsAtTheEnd(keys: [String]) throws {
    let known = try review("case-1", [("ann", CaseDecision(isFlagged: true, score: 3))])
    var (session, effects) = begunSession(2, reviews: ["case-1": known])
    let content = phantomCase()
    let opened = OpenedCase(
      content: content, intensities: IntensitySummary(content.image),
      maskComponents: try content.masks.map { try LabelComponents($0.labels, work: WorkContext()) })
    var journals: [(CaseID, JobID)] = []
    func open(_ starting: [SessionEffect]) {
      for case .review(let id, .start(let job, let work)) in starting where work.base is OpeningJob {
        let next = reduce(&session, .review(id, .jobEnded(job, .finished(OpeningJob.self, with: opened))))
        for case .review(let id, .start(let job, let work)) in next where work.base is JournalJob {
          journals.append((id, job))
        }
        effects += next
      }
    }
    open(effects)
    _ = reduce(&session, .drawn(seconds: -1))
    for key in keys {
      let next = reduce(
        &session, .terminal(key == "end" ? .end : .key(.character(try #require(key.first)))))
      effects += next
      open(next)
    }
    for (id, job) in journals where session.end == nil {
      effects += reduce(
        &session, .review(id, .jobEnded(job, .finished(JournalJob.self, with: OpenedJournal()))))
    }
    #expect(session.end == .left)
    #expect(effects.records.filter { $0.contains("case-1 decided") } == ["case-1 decided accepted flagged"])
  }

  @Test("what this reader decides in another process is adopted, said, and not recorded again")
  func adoptsFromElsewhere() throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects)
    try session.press("4")
    let elsewhere = CaseDecision(verdict: .rejected, score: 2, comment: "blurred")
    effects = reduce(
      &session, .decidedElsewhere(["case-1": elsewhere, "case-3": CaseDecision(isFlagged: true)]))
    #expect(effects.records == [])
    let shown = try #require(session.review.shownVersion?.id)
    #expect(
      session.review.decisions.verdicts == Verdicts(rejected: [shown], score: 2, comment: "blurred"))
    #expect(session.review.message?.text == "score 4 of 5; you, in another segdeck: rejected, score 2")
    #expect(try session.press("f").records == ["case-1 decided rejected flagged"])
    try session.press("z", "z")
    #expect(session.review.decisions.verdicts == Verdicts(score: 4))
    #expect(reduce(&session, .decidedElsewhere(["case-1": CaseDecision(score: 4, seconds: 3)])).isEmpty)
  }

  @Test("on a screen that is too small keys decide nothing, and only quitting works")
  func tooSmall() throws {
    var (session, effects) = begunSession(2)
    effects = try session.finish(effects)
    _ = reduce(&session, .terminal(.resize(rows: 10, columns: 40)))
    let before = session
    for key: Key in ["e", "1", "Y", "f", .control("n"), "C"] {
      #expect(reduce(&session, .terminal(.key(key))).isEmpty)
    }
    effects = reduce(&session, .terminal(.paste("f")))
    #expect(session == before)
    var enlarged = session
    _ = reduce(&enlarged, .terminal(.resize(rows: 24, columns: 80)))
    #expect(try enlarged.press("f").records == ["case-1 decided flagged"])
    _ = reduce(&session, .terminal(.key("q")))
    #expect(session.end == .left)
  }

  @Test("quitting asks while verdicts could not be written to the records")
  func asksBeforeLosingVerdicts() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    _ = reduce(&session, .recordsFailed("disk full"))
    try session.press("q")
    #expect(session.end == nil)
    #expect(session.review.dialog == .question(.quit(losing: [.unwrittenVerdicts("disk full")])))
    try session.press(.escape)
    _ = reduce(&session, .recordsFailed(nil))
    effects = try session.press("q")
    #expect(session.end == .left)
  }

  @Test("an acceptance of a version that is not open here remains until another decision")
  func keepsAcceptanceElsewhere() throws {
    let accepted = CaseDecision(verdict: .accepted, version: CaseDecision.Version(name: "CRF 7"))
    var (session, effects) = begunSession(1, reviews: ["case-1": try review("case-1", [("ann", accepted)])])
    #expect(try session.finish(effects).records == ["case-1 opened accepted"])
    #expect(session.review.message?.text.contains("the worklist says accepted: CRF 7") == true)
    #expect(try session.press("f").records == ["case-1 decided accepted flagged"])
    #expect(try session.press("e").records == ["case-1 decided rejected flagged"])
  }

  @Test("a mask whose labels changed since it was accepted does not count as accepted")
  func noticesReplacedMask() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    let recorded = try session.press("y").compactMap { effect -> CaseDecision? in
      if case .record(_, .decided, let decision) = effect { decision } else { nil }
    }
    var accepted = try #require(recorded.first)
    #expect(accepted.version?.fingerprint?.count == 8)
    for (isReplaced, isAccepted) in [(false, true), (true, false)] {
      if isReplaced { accepted.version?.fingerprint = "00000000" }
      var later = begunSession(1, reviews: ["case-1": try review("case-1", [("ann", accepted)])])
      #expect(try later.session.finish(later.effects).records == ["case-1 opened accepted"])
      #expect((later.session.review.decisions.verdicts.accepted != nil) == isAccepted)
      #expect((later.session.review.message?.text.contains("has other labels now") ?? false) == isReplaced)
    }
    effects = []
  }

  @Test("a decision of another reader is reported, and is not this reader's decision")
  func tellsOfOthers() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    let other = try review("case-1", [("bob", CaseDecision(verdict: .rejected, score: 1))])
    #expect(reduce(&session, .reviews(["case-1": other])).isEmpty)
    #expect(session.review.message?.text == "bob: rejected, score 1")
    #expect(session.review.decisions.verdicts == Verdicts())
  }

  @Test("a case is unread until this reader opens it, whatever others decided")
  func countsOwnReading() throws {
    let other = try review("case-2", [("bob", CaseDecision(verdict: .rejected))])
    var (session, effects) = begunSession(3, reviews: ["case-2": other])
    try session.finish(effects)
    #expect(session.worklist.row(CaseID(1)).statusText == "rejected (bob)")
    effects = try session.press(.control("u"))
    #expect(session.current == CaseID(1))
    #expect(session.worklist.row(CaseID(1)).isUnread)
  }
}

/// A list of twelve measured cases, one of which differs from the others in every measure.
@Sendable func measuredList(
  _ screen: ScreenSize = ScreenSize(rows: 24, columns: 80), _ capabilities: TerminalCapabilities = trueColour
) throws -> SessionState {
  let decided = try review(
    "case-3",
    [
      ("bob", CaseDecision(verdict: .rejected, score: 2, comment: "leak")),
      ("ann", CaseDecision(verdict: .accepted)),
    ])
  let open = try review(
    "case-7", [("ann", CaseDecision(verdict: .needsWork, score: 4, comment: "the left lobe is cut off"))])
  var (session, effects) = begunSession(
    12, reviews: ["case-3": decided, "case-7": open], screen: screen, capabilities: capabilities)
  try session.finish(effects)
  var measures: [CaseID: CaseMeasures] = [:]
  for position in 0..<12 {
    var liver = CaseMeasures.LabelMeasures(
      value: 1, name: "liver", millilitres: 1500 + Double(position % 3) * 25,
      dice: 0.9 + Double(position % 2) * 0.02)
    let spleen = CaseMeasures.LabelMeasures(
      value: 2, name: "spleen", millilitres: 200, dice: 0.95 - Double(position % 4) * 0.04)
    if position == 2 {
      (liver.millilitres, liver.dice, liver.componentCount, liver.holeCount) = (3000, 0.3, 5, 4)
      (liver.missingSlices, liver.touchedSides) = ([.axial: 3], [.left, .superior])
    }
    measures[CaseID(position)] = CaseMeasures(labels: [liver, spleen])
  }
  _ = reduce(&session, .measured(measures))
  try session.press("C", "j", "j")
  return session
}

@Suite("The list of cases")
struct CaseListTests {
  /// A session of twelve cases with the list open.
  private func listed() throws -> SessionState {
    let rejected = try review(
      "case-3", [("bob", CaseDecision(verdict: .rejected, score: 2, comment: "leak"))])
    let better = try review("case-7", [("ann", CaseDecision(verdict: .needsWork, score: 4))])
    var (session, effects) = begunSession(12, reviews: ["case-3": rejected, "case-7": better])
    try session.finish(effects)
    try session.press("C")
    return session
  }

  @Test("the list shows every case with its decisions, and opens the selected one")
  func opensCase() throws {
    var session = try listed()
    let lines = render(session).text
    #expect(lines[0].contains("12 cases"))
    #expect(lines.contains { $0.contains("case-3") && $0.contains("rejected") && $0.contains(" 2") })
    let effects = try session.press("j", "j", .enter)
    #expect(session.current == CaseID(2))
    #expect(effects.opened == [2, 3])
    #expect(session.worklist.list == nil)
  }

  @Test(
    "a filter applies while it is typed, an invalid one shows its error, and Esc restores the earlier one")
  func filters() throws {
    var session = try listed()
    try session.press("/")
    try session.type("score>3")
    #expect(session.worklist.order == [CaseID(6)])
    try session.type(" (")
    #expect(session.worklist.order == [CaseID(6)])
    #expect(session.worklist.filterProblem != nil)
    try session.press(.enter)
    #expect(session.worklist.list?.entry?.text == "score>3 (")
    #expect(session.worklist.filterProblem != nil)
    try session.press(.escape)
    #expect(session.worklist.order.count == 12)
    #expect(session.worklist.filter.isEmpty)
    try session.press("u")
    #expect(session.worklist.order.count == 12 - 1)
  }

  @Test("an incomplete word of a filter does not empty the list; Enter searches for it as text")
  func unfinishedFilter() throws {
    var session = try listed()
    try session.press("/")
    let all = session.worklist.order
    for character in "unrea" {
      try session.type(String(character))
      #expect(session.worklist.order == all)
      #expect(session.worklist.filter.isEmpty)
    }
    try session.type("d")
    #expect(session.worklist.order.count == 12 - 1)
    #expect(session.worklist.filter == "unread")
    try session.type(" and sco")
    #expect(session.worklist.order.count == 12 - 1)
    try session.press(.enter)
    #expect(session.worklist.filter == "unread and sco")
    #expect(session.worklist.order.isEmpty)
  }

  @Test("next and previous follow filter and order of the list")
  func followsOrder() throws {
    var session = try listed()
    try session.press("/")
    try session.type("score>0")
    try session.press(.enter, "s", "s", "s", "r", .home, .enter)
    #expect(session.worklist.order == [CaseID(6), CaseID(2)])
    #expect(session.current == CaseID(6))
    try session.press(.control("n"))
    #expect(session.current == CaseID(2))
    #expect(session.review.position == "2/2 of 12")
    #expect(render(session).text[0].hasPrefix(" segdeck  2/2 of 12, filter score>0  case-3 "))
    try session.press(.control("n"))
    #expect(session.review.message?.text == "this is the last case of the list, filter score>0")
  }

  @Test("details grow into the rows below a short list: readers first, then every flag")
  func detailsGrow() throws {
    var session = try measuredList()
    try session.press("/")
    try session.type("case-3 or case-7")
    try session.press(.enter)
    let lines = render(session).text.map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      Array(lines[14..<23]) == [
        "ann: accepted", "bob: rejected, score 2 \"leak\"",
        "liver 3,000 mL, cohort median 1,525 mL, 19.3 robust deviations above",
        "liver: Dice 0.30, cohort median 0.91, 30.5 robust deviations below",
        "liver: 5 components, usually 1", "liver: 4 holes, usually 0",
        "liver: 3 axial slices missing inside, usually 0", "liver touches the image's left border",
        "liver touches the image's upper border",
      ])
  }

  @Test("typing a filter triggers no key of the list or of a case")
  func typesPlainly() throws {
    var session = try listed()
    try session.press("/")
    try session.type("uqCsYF1")
    #expect(session.worklist.list?.entry?.text == "uqCsYF1")
    #expect(session.end == nil)
    #expect(session.review.decisions.verdicts == Verdicts())
  }
}
