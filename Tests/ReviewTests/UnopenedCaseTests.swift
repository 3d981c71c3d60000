import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Worklist

@Suite("Decisions about cases that cannot be opened")
struct UnopenedCaseTests {
  @Test(
    "about a case that cannot be opened other decisions are refused, and the text of a command is ignored")
  func refusesOtherDecisions() throws {
    let reason =
      "a case that cannot be opened can only be rejected (e), flagged (f), commented (\") or need work (A)"
    for key: Key in ["4", "y", ":"] {
      var (session, effects) = begunSession(2)
      try session.finish(effects, failing: [CaseID(0)])
      try session.press(key)
      #expect(session.review.message?.text.hasPrefix(reason) == true)
      guard key == ":" else { continue }
      #expect(try session.type("fY").records == [])
      #expect(session.current == CaseID(0))
      try session.press(.enter)
      effects = try session.press("f")
      #expect(effects.records == ["case-1 decided flagged"])
    }
  }

  @Test("a comment on a case that cannot be opened is typed as any other, and decides nothing else")
  func commentsOnUnopened() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects, failing: [CaseID(0)])
    try session.press("\"")
    #expect(try session.type("feA").isEmpty)
    #expect(try session.press(.control("n"), .backspace).records == [])
    _ = reduce(&session, .terminal(.paste("ile is cut")))
    #expect(render(session).text[23].hasPrefix(" comment feile is cut"))
    for _ in 0..<12 { try session.press(.left) }
    try session.press(.delete)
    effects = try session.press(.enter)
    #expect(effects == [.record(CaseID(0), .decided, CaseDecision(comment: "eile is cut"))])
    #expect(session.review.message?.text == "read, with a comment; in the records of the worklist")
    try session.press("\"")
    try session.type(" off")
    #expect(try session.press(.escape).records == [])
    #expect(session.current == CaseID(0) && session.end == nil)
    try session.press("\"")
    #expect(render(session).text[23].hasPrefix(" comment eile is cut "))
  }

  @Test("the screen of a case that cannot be opened has its path once, and the keys that decide")
  func unopenedScreen() throws {
    var (session, effects) = begunSession(2)
    try session.finish(effects, failing: [CaseID(0)])
    let lines = render(session).text.map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines.contains("Ctrl-N and Ctrl-P go to other cases, C to the list, q quits"))
    #expect(lines.contains("f flags it, A needs work, e rejects it, \" comments on it, z undoes"))
    var other = begunSession(2)
    let opening = other.effects.compactMap { effect -> JobID? in
      if case .review(CaseID(0), .start(let job, let work)) = effect, work.base is OpeningJob {
        job
      } else {
        nil
      }
    }
    let failure = JobOutcome.failed("case-1.nii.gz: cannot be read")
    _ = reduce(&other.session, .review(CaseID(0), .jobEnded(try #require(opening.first), failure)))
    let text = render(other.session).text.joined()
    #expect(text.contains("case-1 cannot be opened: case-1.nii.gz: cannot be read"))
    #expect(text.components(separatedBy: "case-1.nii.gz").count == 2)
  }

  @Test(
    "a case that cannot be opened can be flagged, rejected or need work, undone, and Esc does not end the session"
  )
  func flagsUnopened() throws {
    var (session, effects) = begunSession(3)
    try session.finish(effects, failing: [CaseID(0)])
    #expect(try session.press("z").records == [])
    #expect(session.review.message?.text.hasSuffix("nothing to undo") == true)
    #expect(try session.press("f").records == ["case-1 decided flagged"])
    #expect(session.review.message?.text == "flagged; in the records of the worklist")
    #expect(
      try session.press("A", "f", "e").records == [
        "case-1 decided needs work flagged", "case-1 decided rejected flagged",
      ])
    #expect(
      try session.press("z", "z", "z", "z").records == [
        "case-1 decided needs work flagged", "case-1 decided flagged", "case-1 decided",
      ])
    #expect(try session.press("y").records.isEmpty)
    try session.press("A", .escape)
    #expect(session.end == nil)
    #expect(session.worklist.row(CaseID(0)).statusText == "cannot be opened")
    // A verdict that is given already moves on, and is not withdrawn.
    effects = try session.press("S")
    #expect(effects.records == ["case-2 opened"])
    #expect(session.current == CaseID(1))
    #expect(session.review.message?.text == "case-1 needs work")
    try session.press(.control("p"))
    #expect(try session.press("R").records.first == "case-1 decided rejected")
    #expect(session.review.message?.text == "case-1 rejected; Ctrl-P z takes it back")
    #expect(try session.press(.control("p"), "z").records.last == "case-1 decided needs work")
  }

  @Test("a case that cannot be opened is never said to be accepted, and stays flagged where it is")
  func refusesAcceptance() throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects, failing: [CaseID(0)])
    #expect(try session.press("F").records.first == "case-1 decided flagged")
    #expect(session.current == CaseID(1))
    _ = reduce(&session, .terminal(.key(.control("p"))))
    #expect(session.current == CaseID(0))
    #expect(try session.press("Y").records == [])
    #expect(session.current == CaseID(0))
    #expect(session.review.message?.text.hasPrefix("a case that cannot be opened") == true)
    #expect(try session.press("F").records == ["case-2 opened"])
  }
}
