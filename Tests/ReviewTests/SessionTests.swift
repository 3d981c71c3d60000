import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// A session of so many cases called case-1, case-2 and on, before the first is open.
private func begunSession(_ count: Int) -> (session: SessionState, effects: [SessionEffect]) {
  let cases = (1...count).map {
    WorklistState.Case(name: "case-\($0)", request: OpenCaseRequest(imagePath: "case-\($0).nii.gz"))
  }
  var session = SessionState(
    worklist: WorklistState(cases), first: CaseID(0), screen: ScreenSize(rows: 24, columns: 80),
    capabilities: trueColour)
  let effects = session.begin()
  return (session, effects)
}

extension SessionState {
  /// Ends the jobs that open cases and journals, and those that follow, as if the files held the phantom.
  @discardableResult
  fileprivate mutating func finish(
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
  fileprivate mutating func press(_ keys: Key...) throws -> [SessionEffect] {
    var effects: [SessionEffect] = []
    for key in keys { effects += try finish(reduce(&self, .terminal(.key(key)))) }
    return effects
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
    #expect(bare.session.review.message?.text.contains("no version to judge") == true)
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

  @Test("a session of one case ends with what is wrong with it")
  func endsWithOnlyCase() throws {
    var (session, effects) = begunSession(1)
    try session.finish(effects, failing: [CaseID(0)])
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
