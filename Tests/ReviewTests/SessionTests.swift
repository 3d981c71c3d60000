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
    #expect(session.review.message?.text == "case-3 rejected; that was the last case of the list")

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
    for key: Key in ["Y", "y", "e", "A", "f", "4"] { try expectNothingDecided(key, at: 10.5) }
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

  @Test("why a verdict was refused is still said when the case is open")
  func refusalStays() throws {
    let refusal = "case-1 is still being opened: nothing was decided"
    for journal in [OpenedJournal(), OpenedJournal(warning: "not kept", status: .failing("full"))] {
      var (session, effects) = begunSession(2)
      for key: Key in ["Y", "f"] { _ = reduce(&session, .terminal(.key(key))) }
      effects = try session.finish(effects, journal: journal)
      #expect(session.review.message?.kind == .warning)
      #expect(session.review.message?.text.hasPrefix(refusal) == true)
      #expect(session.review.decisions.verdicts == Verdicts())
    }
    // Also while the image is shown and its masks are being read.
    var (session, effects) = begunSession(2)
    let content = phantomCase(withMask: false)
    let image = OpenedCase(
      content: content, intensities: IntensitySummary(content.image), maskComponents: [])
    for effect in effects {
      guard case .review(CaseID(0), .start(let job, let work)) = effect, work.base is OpeningJob else {
        continue
      }
      _ = reduce(&session, .review(CaseID(0), .imageRead(job, image)))
    }
    effects = reduce(&session, .terminal(.key("y")))
    #expect(effects.records == [] && session.review.message?.text == refusal)
  }

  @Test("what is said about the case before goes when the case is left, because it may be false by then")
  func announcementEnds() throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects)
    try session.press("R")
    #expect(session.review.message?.text == "case-1 rejected; Ctrl-P z takes it back")
    try session.press(.control("p"), "y", .control("n"))
    #expect(session.current == CaseID(1) && session.review.message == nil)
    try session.press(.control("p"))
    // What was given before is not taken back by one step.
    try session.press("Y")
    #expect(session.review.message?.text == "case-1 accepted")
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

  @Test("what was chosen for the view stays when a case that cannot be opened is passed")
  func keepsHabitsAcrossFailures() throws {
    var (session, effects) = begunSession(3)
    effects = try session.finish(effects, failing: [CaseID(1)])
    try session.press("u", "c", "O", .control("n"), .control("n"))
    #expect(session.current == CaseID(2))
    #expect(session.review.view.activePlane == .coronal)
    #expect(session.review.view.convention == .neurological)
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

  @Test("a label that no case has is said in the line of the filter, and where the list is empty")
  func unknownLabel() throws {
    var session = try measuredList()
    try session.press("/")
    try session.type("volume(\"livr\")>1")
    #expect(session.worklist.filterProblem == "at 1: no label livr; there are liver, spleen")
    #expect(session.worklist.order == [])
    try session.press(.enter)
    #expect(session.worklist.list?.entry?.text == "volume(\"livr\")>1")
    try session.press(.escape, "/")
    try session.type("volume(\"Liver\")>1")
    #expect(session.worklist.filterProblem == nil)
    #expect(session.worklist.order == (0..<12).map { CaseID($0) })
  }

  @Test("the problem of a filter's label goes when a case with the label is measured")
  func labelIsMeasuredLater() throws {
    var session = try listed()
    try session.press("/")
    try session.type("volume(spleen)>1")
    try session.press(.enter)
    #expect(session.worklist.list?.entry == nil)
    func measure(_ position: Int, _ name: String) {
      let measures = CaseMeasures(labels: [.init(value: 1, name: name, millilitres: 2)])
      _ = reduce(&session, .measured([CaseID(position): measures]))
    }
    measure(4, "liver")
    #expect(
      render(session).text[3].trimmingCharacters(in: .whitespaces)
        == "no case fits the filter: at 1: no label spleen; there are liver")
    measure(5, "spleen")
    #expect(session.worklist.filterProblem == nil)
    #expect(session.worklist.order == [CaseID(5)])
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

  @Test("previous leads back to the case one came from, also where a filter no longer lists it")
  func leadsBack() throws {
    for filter in ["unread", "not decided"] {
      var (session, effects) = begunSession(4)
      effects = try session.finish(effects)
      try session.press("C", "/")
      try session.type(filter)
      try session.press(.enter, .escape)
      func follow(_ effects: [SessionEffect]) throws {
        // As the records say what was written.
        for effect in effects {
          guard case .record(let id, let kind, let decision) = effect else { continue }
          var records = ReviewRecords(folders: [])
          records.add(
            CaseRecord(
              sequence: 1, time: "2026-11-29T12:00:00.000Z", reader: "ann", host: "here",
              caseName: session.worklist.cases[id.position].name, image: "", kind: kind, decision: decision),
            file: "r.jsonl", line: 1)
          _ = reduce(&session, .reviews(records.reviews))
        }
      }
      try follow(effects)
      try follow(try session.press("Y"))
      try follow(try session.press("R"))
      #expect(session.current == CaseID(2))
      #expect(session.review.message?.text == "case-2 rejected; Ctrl-P z takes it back")
      #expect(!session.worklist.order.contains(CaseID(1)))
      try follow(try session.press(.control("p")))
      #expect(session.current == CaseID(1))
      try follow(try session.press(.control("p")))
      #expect(session.current == CaseID(0))
      try follow(try session.press(.control("p")))
      #expect(session.current == CaseID(0))
      #expect(session.review.message?.text == "this is the first case of the list, filter \(filter)")
    }
  }

  @Test("the case after one that the filter leaves out is the next in the order of the list")
  func ordersUnlisted() throws {
    var session = try listed()
    try session.press("/")
    try session.type("score>0")
    try session.press(.enter, "s", "s", "s", "r", .escape)
    #expect(session.worklist.order == [CaseID(6), CaseID(2)])
    // A case without a score would be last, although it is the first of the worklist.
    #expect(session.current == CaseID(0))
    try session.press(.control("n"))
    #expect(session.review.message?.text == "this is the last case of the list, filter score>0")
    try session.press(.control("p"))
    #expect(session.current == CaseID(2))
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
