import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work
import Worklist

/// Readers' decisions about a case, as the records give them.
func review(_ caseName: String, _ decisions: [(reader: String, decision: CaseDecision)]) throws
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

  /// A case with two masks that number their labels differently, the second without names.
  private func twoMasks() -> ReviewCase {
    var content = phantomCase()
    var second = content.masks[0]
    (second.name, second.path) = ("other", "/cases/other.nii.gz")
    (content.masks[0].versionName, second.versionName) = ("experts", "other")
    second.labels = second.labels.relabelled { [6: 2, 1: 6][$1] ?? 0 }
    second.table = LabelTable()
    content.masks.append(second)
    return content
  }

  @Test("a key that was pressed before the question about pairs was seen, or that is held, answers nothing")
  func answersNothingUnseen() throws {
    var (session, effects) = begunSession(1)
    effects = try session.finish(effects, content: twoMasks())
    let asked = try #require(session.review.dialog)
    func expectUnanswered(_ key: Key, at seconds: Double) throws {
      #expect(try session.press(key, at: seconds).records == [])
      #expect(session.review.dialog == asked && session.review.decisions.pairings == [])
    }
    try expectUnanswered(.enter, at: 1)
    _ = reduce(&session, .drawn(seconds: 1.5))
    for step in 1...20 { try expectUnanswered(.enter, at: 1.5 + Double(step) * 0.1) }
    #expect(session.review.message?.text == "the question was only just shown: nothing was answered")
    for key: Key in [.escape, .right] { try expectUnanswered(key, at: 3.6) }
    effects = try session.press(.enter, at: 4)
    #expect(session.review.dialog == nil && effects.pairings.count == 1)
  }

  @Test(
    "a key that leads to another case says that the question about pairs comes first, and does nothing else",
    arguments: [Key.control("n"), .control("p"), .control("u")])
  func questionComesFirst(key: Key) throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects, content: twoMasks())
    let asked = try #require(session.review.dialog)
    #expect(try session.press(key).records == [])
    #expect(session.current == CaseID(0) && session.review.dialog == asked)
    #expect(
      session.review.message
        == Message("the question comes first: nothing else is done before it is answered", .warning))
  }

  @Test("pairs of labels are recorded, withdrawn by undo, and adopted when the case is opened again")
  func recordsPairings() throws {
    var (session, effects) = begunSession(1)
    effects = try session.finish(effects, content: twoMasks())
    guard case .pairing = session.review.dialog else {
      Issue.record("the reader is not asked about pairs")
      return
    }
    let expected = MaskPairing(
      first: .init(mask: "experts", labels: [1: "spleen", 6: "liver"]),
      second: .init(mask: "other", labels: [2: "label 2", 6: "label 6"]), partners: [1: 6, 6: 2])
    #expect(try session.press(.enter).pairings == [[expected]])
    #expect(try session.press("z").pairings == [[]])
    #expect(try session.press("Z").pairings == [[expected]])

    for pairing in [expected, expected.swapped] {
      let known = try review("case-1", [("ann", CaseDecision(pairings: [pairing]))])
      var (next, opening) = begunSession(1, reviews: ["case-1": known])
      opening = try next.finish(opening, content: twoMasks())
      #expect(
        next.review.decisions.pairings
          == [LabelPairing(VersionID(1), VersionID(2), partners: [1: 6, 6: 2])])
      #expect(try next.press("f").pairings == [[expected]])
      // Masks with other labels keep what is recorded, for those who have them.
      var (other, effects) = begunSession(1, reviews: ["case-1": known])
      effects = try other.finish(effects)
      #expect(other.review.decisions.pairings == [])
      #expect(try other.press("f").pairings == [[pairing]])
    }
  }

  @Test("the pairs that are recorded follow every change of what they are made of")
  func derivesPairings() throws {
    var (session, effects) = begunSession(1)
    effects = try session.finish(effects, content: twoMasks())
    let side = MaskPairing.Side(mask: "experts", labels: [1: "spleen", 6: "liver"])
    func pairing(_ partners: [Int: Int], _ other: String = "other") -> MaskPairing {
      MaskPairing(
        first: side, second: .init(mask: other, labels: [2: "label 2", 6: "label 6"]), partners: partners)
    }
    var state = session.review
    func expect(_ pairings: [MaskPairing], _ sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(state.recordedPairings == pairings, sourceLocation: sourceLocation)
      #expect(state.computedRecordedPairings == pairings, sourceLocation: sourceLocation)
    }
    func press(_ keys: Key...) throws {
      for key in keys { try session.press(key) }
      state = session.review
    }
    expect([])
    try press(.enter)
    expect([pairing([1: 6, 6: 2])])
    try press("z")
    expect([])
    try press("Z")
    expect([pairing([1: 6, 6: 2])])
    // Names that the reader gives are not those of the file.
    try press("b", "r", .control("u"))
    try session.type("organ")
    try press(.enter, .escape)
    #expect(state.shownLabels.contains { $0.name.hasSuffix("organ") })
    expect([pairing([1: 6, 6: 2])])
    state.decisions.pairings[0] = LabelPairing(VersionID(1), VersionID(2), partners: [6: 2])
    expect([pairing([6: 2])])
    let elsewhere = MaskPairing(first: side, second: .init(mask: "net", labels: [1: "a"]), partners: [6: 1])
    state.pairingsElsewhere = [elsewhere]
    expect([pairing([6: 2]), elsewhere])
    state.content.masks[1].worklistName = "second"
    expect([pairing([6: 2], "second"), elsewhere])
    state.decisions.versions[1].name = "renamed"
    expect([pairing([6: 2], "second"), elsewhere])
    state.content.masks[1].worklistName = nil
    expect([pairing([6: 2], "renamed"), elsewhere])
    state.decisions.pairings[0] = LabelPairing(VersionID(1), VersionID(9), partners: [6: 2])
    expect([elsewhere])
    state.renumbered[VersionID(9)] = VersionID(2)
    expect([pairing([6: 2], "renamed"), elsewhere])
    state.decisions.versions.removeLast()
    expect([elsewhere])
    state.pairingsElsewhere = []
    expect([])
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

  @Test("a decision in the journal of a case that is opened ahead is recorded too, where the records lack it")
  func recordsJournalAhead() throws {
    let known = try review("case-2", [("ann", CaseDecision(score: 2))])
    for (reviews, delay, records) in [
      (["case-2": known], 60.0, ["case-1 decided flagged", "case-2 decided flagged"]),
      (["case-2": known], -60, ["case-1 decided flagged"]),
      ([:], -60, ["case-1 decided flagged", "case-2 decided flagged"]),
    ] as [([String: CaseReview], Double, [String])] {
      var decided = Decisions()
      decided.verdicts.isFlagged = true
      let journal = OpenedJournal(
        steps: [
          JournalStep(number: 0, name: "opened", decisions: Decisions()),
          JournalStep(number: 1, name: "flag the case", decisions: decided),
        ],
        step: 1, decisions: decided, decisionSeconds: 1_795_953_600 + delay)
      var (session, effects) = begunSession(2, reviews: reviews)
      effects = try session.finish(effects, journal: journal)
      #expect(effects.records.sorted() == records)
      #expect(try session.press("a").records == [])
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

  @Test("what this reader decides in another process is adopted, reported, and not recorded again")
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

  @Test("on a narrow screen the verdict stays in the title when nothing of it can be kept")
  func titleKeepsVerdict() throws {
    var (session, effects) = begunSession(2)
    effects = try session.finish(
      effects, journal: OpenedJournal(warning: "no space", status: .failing("no space")))
    _ = reduce(&session, .recordsFailed("/r: cannot be written: no space"))
    #expect(render(session).text[0].contains(" not journalled, verdicts not written "))
    try session.press("y")
    #expect(render(session).text[0].contains(" accepted, not kept "))
    try session.press("e", "f")
    #expect(render(session).text[0].contains(" rejected, not kept"))
  }

  @Test("a note about the records is among the messages once, also behind another message")
  func notedOnce() throws {
    for key: Key? in [nil, "f"] {
      var (session, effects) = begunSession(2)
      effects = try session.finish(effects)
      if let key { try session.press(key) }
      let note = "other readers do not see your verdicts, which are written to /s: /r: cannot be made"
      _ = reduce(&session, .noted(note))
      #expect(session.review.messageLog.messages.filter { $0.text.contains(note) }.count == 1)
      #expect(session.review.message?.text.hasSuffix(note) == true)
    }
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
