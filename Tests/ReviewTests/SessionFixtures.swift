import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work
import Worklist

/// A session of `count` cases with the names case-1, case-2 and so on, before the first is open.
func begunSession(
  _ count: Int, reviews: [String: CaseReview] = [:], screen: ScreenSize = ScreenSize(rows: 24, columns: 80),
  capabilities: TerminalCapabilities = trueColour
) -> (session: SessionState, effects: [SessionEffect]) {
  let cases = (1...count).map { WorklistCase(name: "case-\($0)", images: ["case-\($0).nii.gz"]) }
  var session = SessionState(
    worklist: WorklistState(Worklist(cases: cases), reviews: reviews, reader: "ann"), first: CaseID(0),
    screen: screen, capabilities: capabilities)
  let effects = session.begin()
  return (session, effects)
}

extension SessionState {
  /// Ends the jobs that open cases and journals or compare masks, and those that follow, as if the files held the phantom.
  @discardableResult
  mutating func finish(
    _ effects: [SessionEffect], failing: Set<CaseID> = [], content: ReviewCase = phantomCase(),
    journal: OpenedJournal = OpenedJournal()
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
        outcome = .finished(JournalJob.self, with: journal)
      } else if let job = work.base as? ComparisonJob {
        outcome = .finished(ComparisonJob.self, with: try Comparison(job.request, WorkContext()))
      } else if let job = work.base as? ImageJob {
        outcome = .finished(ImageJob.self, with: CheckedImage(path: "/cases/" + job.path))
      } else {
        continue
      }
      let next = reduce(&self, .review(id, .jobEnded(job, outcome)))
      all += next
      due += next
    }
    return all
  }

  /// Presses keys, each some time after the screen was drawn.
  @discardableResult
  mutating func press(_ keys: Key...) throws -> [SessionEffect] {
    var effects: [SessionEffect] = []
    for key in keys {
      effects += reduce(&self, .drawn(seconds: -1))
      effects += try finish(reduce(&self, .terminal(.key(key))))
    }
    return effects
  }

  /// Presses keys at a time in seconds since the session began.
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
  var inMemory: [Int] { cases.keys.map(\.position).sorted() }
}

extension [SessionEffect] {
  /// The cases that are opened, in this order.
  var opened: [Int] {
    compactMap { effect in
      guard case .review(let id, .start(_, let job)) = effect, job.base is OpeningJob else { return nil }
      return id.position
    }
  }

  /// The positions of the cases that are opened at low priority.
  var openedAhead: [Int] {
    compactMap { effect in
      guard case .review(let id, .start(_, let job)) = effect, job.base is OpeningJob, !job.base.isAwaited
      else { return nil }
      return id.position
    }
  }

  /// The records that are written to the worklist: "case-1 opened accepted".
  var records: [String] {
    compactMap { effect in
      guard case .record(let id, let kind, let decision) = effect else { return nil }
      let verdict = decision.verdict.map { " \($0.rawValue)" } ?? ""
      return "case-\(id.position + 1) \(kind.rawValue)\(verdict)" + (decision.isFlagged ? " flagged" : "")
    }
  }

  /// The pairings of labels in the decisions that are recorded.
  var pairings: [[MaskPairing]] {
    compactMap { if case .record(_, .decided, let decision) = $0 { decision.pairings } else { nil } }
  }

  var closed: [Int] { compactMap { if case .close(let id) = $0 { id.position } else { nil } } }
}
