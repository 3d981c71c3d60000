import Review
import ReviewFixtures
import Screen
import Testing
import Work
import Worklist

@Suite("What can be written nowhere")
struct UnwrittenDecisionTests {
  @Test("a verdict that could not be written is in the list, and counts when its case is opened again")
  func keepsVerdict() throws {
    var (session, effects) = begunSession(5)
    try session.finish(effects)
    _ = reduce(&session, .recordsFailed("disk full"))
    try session.press("4", "Y", .control("n"))
    #expect(session.inMemory == [1, 2, 3])
    #expect(session.worklist.row(CaseID(0)).statusText == "accepted")
    #expect(session.worklist.row(CaseID(0)).decision?.score == 4)
    #expect(session.worklist.row(CaseID(1)).statusText == "unread")
    effects = try session.press(.control("p"), .control("p"))
    #expect(effects.records.filter { $0.hasPrefix("case-1") } == ["case-1 opened accepted"])
    let version = try #require(session.review.shownVersion?.id)
    #expect(session.review.decisions.verdicts == Verdicts(accepted: version, score: 4))
    // Once the records have it, the list shows theirs.
    _ = reduce(&session, .reviews(["case-1": try review("case-1", [("ann", CaseDecision(score: 2))])]))
    _ = reduce(&session, .recordsFailed(nil))
    #expect(session.worklist.row(CaseID(0)).statusText == "scored")
  }

  /// A session whose first case is not journalled and has an edited version that is accepted.
  private func editedSession(_ status: JournalStatus) throws -> SessionState {
    var (session, effects) = begunSession(6)
    try session.finish(effects, journal: OpenedJournal(status: status))
    try session.type(":paint spleen")
    try session.press(.enter, "y")
    #expect(session.review.shownVersion?.name == "manual.nii.gz edited")
    #expect(session.review.decisions.verdicts.accepted == session.review.shownVersion?.id)
    return session
  }

  @Test(
    "an edited version that is not journalled stays in memory, and quitting asks about it",
    arguments: [JournalStatus.absent("another segdeck has it"), .failing("disk full")])
  func keepsEditedVersion(status: JournalStatus) throws {
    var session = try editedSession(status)
    try session.press(.control("n"), .control("n"), .control("n"))
    #expect(session.inMemory == [0, 2, 3, 4])
    let question = Dialog.question(.quit(losing: [.unkeptVersions(ofCases: ["case-1"])]))
    try session.press("q")
    #expect(session.review.dialog == question)
    try session.press(.escape, "C", .control("c"))
    #expect(session.worklist.list == nil)
    #expect(session.review.dialog == question)
    try session.press("n", .control("p"), .control("p"), .control("p"))
    #expect(session.current == CaseID(0))
    #expect(session.review.shownVersion?.name == "manual.nii.gz edited")
    try session.press("q")
    #expect(session.end == nil)
    try session.press("y")
    #expect(session.end == .left)
  }

  @Test("nothing is kept or asked where the journal is written, or there was no edit")
  func keepsNothing() throws {
    var session = try editedSession(.writing)
    try session.press(.control("n"), .control("n"), .control("n"))
    #expect(session.inMemory == [2, 3, 4])
    try session.press("q")
    #expect(session.end == .left)
    var (other, effects) = begunSession(6)
    effects = try other.finish(effects, journal: OpenedJournal(status: .absent("another segdeck has it")))
    try other.press("y", .control("n"), .control("n"), .control("n"))
    #expect(other.inMemory == [2, 3, 4])
  }

  @Test("nothing is written to the journal of a case that was only opened ahead")
  func journalsWhatWasShown() throws {
    var (session, effects) = begunSession(3)
    func journalled(_ effects: [SessionEffect]) -> Set<Int> {
      Set(
        effects.compactMap { effect in
          if case .review(let id, .note) = effect { id.position } else { nil }
        })
    }
    #expect(journalled(try session.finish(effects)) == [0])
    #expect(session.inMemory == [0, 1])
    effects = try session.press(.control("n"))
    #expect(journalled(effects) == [1])
  }

  @Test(
    "the title has the verdict of the case, whichever version is shown and whether the accepted one is there")
  func title() throws {
    func title(_ state: ReviewState) -> String {
      let frame = FrameText(render(state), title: "")
      return frame.rows[0].characters
    }
    var state = try comparedState(24, 120)
    state.press("e")
    #expect(title(state).contains(" rejected "))
    state.press(.tab)
    #expect(title(state).contains(" rejected: reader"))
    state.press("y")
    #expect(title(state).contains(" accepted: ") && !title(state).contains("rejected"))

    var changed = CaseDecision.Version(name: "manual.nii.gz", fingerprint: "00000000")
    for (name, text) in [
      ("CRF 7", "accepted: CRF 7, not here"), ("manual.nii.gz", "accepted: manual.nii.gz, changed since"),
    ] {
      changed.name = name
      let known = try review("case-1", [("ann", CaseDecision(verdict: .accepted, version: changed))])
      var (session, effects) = begunSession(
        1, reviews: ["case-1": known], screen: ScreenSize(rows: 24, columns: 120))
      effects = try session.finish(effects)
      #expect(title(session.review).contains(text))
    }
  }
}
