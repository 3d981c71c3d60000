import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work
import Worklist

/// A session of so many cases called case-1, case-2 and on, before the first is open.
func begunSession(
  _ count: Int, reviews: [String: CaseReview] = [:]
) -> (session: SessionState, effects: [SessionEffect]) {
  let cases = (1...count).map { WorklistCase(name: "case-\($0)", images: ["case-\($0).nii.gz"]) }
  var session = SessionState(
    worklist: WorklistState(Worklist(cases: cases), reviews: reviews, reader: "ann"), first: CaseID(0),
    screen: ScreenSize(rows: 24, columns: 80), capabilities: trueColour)
  let effects = session.begin()
  return (session, effects)
}

extension SessionState {
  /// Ends the jobs that open cases and journals, and those that follow, as if the files held the phantom.
  @discardableResult
  mutating func finish(
    _ effects: [SessionEffect], failing: Set<CaseID> = [], content: ReviewCase = phantomCase()
  ) throws -> [SessionEffect] {
    var (all, due) = (effects, effects)
    while !due.isEmpty {
      guard case .review(let id, .start(let job, let work)) = due.removeFirst() else { continue }
      let outcome: JobOutcome
      if work.base is OpeningJob {
        let opened = OpenedCase(
          content: content, intensities: IntensitySummary(content.image),
          maskComponents: try content.masks.map { try LabelComponents($0.labels, work: WorkContext()) })
        outcome =
          failing.contains(id)
          ? .failed("case.nii.gz: cannot be read") : .finished(OpeningJob.self, with: opened)
      } else if work.base is JournalJob {
        outcome = .finished(JournalJob.self, with: OpenedJournal())
      } else {
        continue
      }
      let next = reduce(&self, .review(id, .jobEnded(job, outcome)))
      all += next
      due += next
    }
    return all
  }

  @discardableResult
  mutating func press(_ keys: Key...) throws -> [SessionEffect] {
    var effects: [SessionEffect] = []
    for key in keys { effects += try finish(reduce(&self, .terminal(.key(key)))) }
    return effects
  }

  /// Presses keys, so many seconds after the session began.
  @discardableResult
  mutating func press(_ keys: Key..., at seconds: Double) throws -> [SessionEffect] {
    var effects = reduce(&self, .clock(seconds: seconds))
    for key in keys { effects += try finish(reduce(&self, .terminal(.key(key)))) }
    return effects
  }

  /// Presses the keys of a text.
  @discardableResult
  mutating func type(_ text: String) throws -> [SessionEffect] {
    try text.flatMap { try press(.character($0)) }
  }

  /// The cases in memory.
  fileprivate var inMemory: [Int] { cases.keys.map(\.position).sorted() }
}

extension [SessionEffect] {
  /// The cases that are opened, in this order.
  fileprivate var opened: [Int] {
    compactMap { effect in
      guard case .review(let id, .start(_, let job)) = effect, job.base is OpeningJob else { return nil }
      return id.position
    }
  }

  /// The lines for the worklist's records, "case-1 opened accepted".
  fileprivate var records: [String] {
    compactMap { effect in
      guard case .record(let id, let kind, let decision) = effect else { return nil }
      let verdict = decision.verdict.map { " \($0.rawValue)" } ?? ""
      return "case-\(id.position + 1) \(kind.rawValue)\(verdict)" + (decision.isFlagged ? " flagged" : "")
    }
  }

  fileprivate var closed: [Int] { compactMap { if case .close(let id) = $0 { id.position } else { nil } } }
}

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

  @Test("a case that is opened ahead waits until the one on the screen is there")
  func opensInTurn() throws {
    let (session, effects) = begunSession(2)
    #expect(effects.opened == [0])
    #expect(session.inMemory == [0])
  }

  @Test("beyond the ends of the list nothing moves, and it says so")
  func staysAtEnds() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    try session.press(.control("p"))
    #expect(session.review.message?.text == "this is the first case of the list")
    try session.press(.control("n"), .control("n"))
    #expect(session.review.message?.text == "this is the last case of the list")
    #expect(session.current == CaseID(1))
  }

  @Test("a capital letter gives a verdict and goes on; where there is nothing to judge it stays")
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
  }

  @Test("a case that cannot be opened says why, and the others are reviewed all the same")
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

  @Test("a session without a worklist ends with what is wrong with its case")
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

  @Test("what the records hold of this reader counts more than the journal, and can be undone")
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
    #expect(try session.press("z").records == ["case-1 decided"])
    #expect(session.review.decisions.verdicts == Verdicts())
  }

  @Test("an acceptance of a version that is not open here stands until something else is decided")
  func keepsAcceptanceElsewhere() throws {
    let accepted = CaseDecision(verdict: .accepted, version: CaseDecision.Version(name: "CRF 7"))
    var (session, effects) = begunSession(1, reviews: ["case-1": try review("case-1", [("ann", accepted)])])
    #expect(try session.finish(effects).records == ["case-1 opened accepted"])
    #expect(session.review.message?.text.contains("the worklist says accepted: CRF 7") == true)
    #expect(try session.press("f").records == ["case-1 decided accepted flagged"])
    #expect(try session.press("e").records == ["case-1 decided rejected flagged"])
  }

  @Test("what another reader decides meanwhile is said, and is not this reader's decision")
  func tellsOfOthers() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects)
    let other = try review("case-1", [("bob", CaseDecision(verdict: .rejected, score: 1))])
    #expect(reduce(&session, .reviews(["case-1": other])).isEmpty)
    #expect(session.review.message?.text == "bob: rejected, score 1")
    #expect(session.review.decisions.verdicts == Verdicts())
  }
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

  @Test("the list shows every case with what was decided, and opens the one that is pointed at")
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

  @Test("a filter holds as it is typed, a wrong one says what is wrong, and Esc brings the earlier one back")
  func filters() throws {
    var session = try listed()
    try session.press("/")
    try session.type("score>3")
    #expect(session.worklist.order == [CaseID(6)])
    try session.type(" (")
    #expect(session.worklist.order == [CaseID(6)])
    #expect(session.worklist.filterProblem != nil)
    try session.press(.escape)
    #expect(session.worklist.order.count == 12)
    #expect(session.worklist.filter.isEmpty)
    try session.press("u")
    #expect(session.worklist.order.count == 12 - 2)
  }

  @Test("the beginning of a word of filters does not empty the list; Enter takes it as a text")
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
    #expect(session.worklist.order.count == 12 - 2)
    #expect(session.worklist.filter == "unread")
    try session.type(" and sco")
    #expect(session.worklist.order.count == 12 - 2)
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
    #expect(session.review.position == "2/2")
  }

  @Test("typing a filter fires no key of the list or of a case")
  func typesPlainly() throws {
    var session = try listed()
    try session.press("/")
    try session.type("uqCsYF1")
    #expect(session.worklist.list?.entry?.text == "uqCsYF1")
    #expect(session.end == nil)
    #expect(session.review.decisions.verdicts == Verdicts())
  }
}
