import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work
import Worklist

/// A session of one case at the beginning of the tour, or with the offer of one.
private func session(_ tour: Tour, rows: Int = 24, columns: Int = 80) throws -> SessionState {
  var session = SessionState(
    worklist: WorklistState(OpenCaseRequest()), first: CaseID(0), tour: tour,
    screen: ScreenSize(rows: rows, columns: columns), capabilities: trueColour)
  let effects = session.begin()
  _ = try session.finish(effects)
  return session
}

/// A key that ends a step.
private func keyThatDoes(_ step: TourStep, in context: KeyContext) -> Key? {
  guard case .action(let action) = step.expectation else { return nil }
  return KeyTable.bindings.first { $0.context == context && $0.action == action }?.keys.first
    ?? KeyTable.bindings.first { $0.context == .picture && $0.action == action }?.keys.first
}

extension SessionState {
  /// Ends the job that lists the models.
  fileprivate mutating func finishNetworkList() {
    guard let job = review.jobs[.models] else { return }
    _ = reduce(
      &self, .review(current, .jobEnded(job.id, .finished(ModelsJob.self, with: [pretendedModel]))))
  }

  /// Ends the job of the network as if it had run.
  fileprivate mutating func finishNetwork() throws {
    let id = try #require(review.jobs[.segmentation]?.id)
    let result = networkResult(for: review.content)
    let components = try LabelComponents(result.labels, work: WorkContext())
    _ = reduce(
      &self,
      .review(current, .jobEnded(id, .finished(SegmentationJob.self, with: .init(result, components)))))
  }
}

@Suite("The tour")
struct TourTests {
  @Test(
    "every step is done by the key that it names, and the last one ends the tour", arguments: [80, 120, 200])
  func whole(columns: Int) throws {
    var session = try session(.firstStep, rows: columns == 80 ? 24 : 40, columns: columns)
    for (position, step) in Tour.steps.enumerated() {
      #expect(
        session.tour.map { if case .step(position, _) = $0 { true } else { false } } == true, "\(step.text)")
      let shown = render(session).text.joined(separator: " ")
      #expect(shown.contains("Tour, \(position + 1) of \(Tour.steps.count)"), "\(step.text)")
      switch step.expectation {
      case .version:
        try session.press(.pageUp, "y", "q")
        #expect(session.end == nil)
        try session.finishNetwork()
      case .end: try session.press("x")
      case .action:
        let taught = try #require(keyThatDoes(step, in: session.review.keyContext), "\(step.text)")
        #expect(
          step.text.contains("Press \(taught.name)"), "\(step.text) is not done by \(taught.name)")
        try session.press(taught)
        session.finishNetworkList()
      }
    }
    #expect(session.tour == nil)
    #expect(session.review.message == Message("? lists the keys"))
    #expect(session.review.decisions.versions.count == 2)
    #expect(session.review.decisions.verdicts.accepted == nil)
  }

  @Test("another key than the one that is taught does nothing but show a hint, and Escape ends the tour")
  func otherKeys() throws {
    var session = try session(.firstStep)
    var expected = session.review
    expected.message = Message("this step waits for the key that it names; Esc ends the tour", .warning)
    for key: Key in ["q", "y", "d", .down, .enter, .control("n")] { try session.press(key) }
    _ = reduce(&session, .terminal(.paste("q")))
    #expect((session.review, session.tour) == (expected, .firstStep))
    try session.press(.escape)
    #expect(session.tour == nil)
    #expect(session.review.message == Message("the tour is over; segdeck tour begins it again"))
    try session.type("f")
    #expect(session.review.decisions.verdicts.isFlagged)
  }

  @Test("a network that cannot run ends the tour, and its reason stays on the screen")
  func failing() throws {
    var session = try session(.firstStep)
    for step in Tour.steps.prefix(while: { $0.expectation != .version }) {
      try session.press(try #require(keyThatDoes(step, in: session.review.keyContext)))
      session.finishNetworkList()
    }
    let id = try #require(session.review.jobs[.segmentation]?.id)
    _ = reduce(&session, .review(session.current, .jobEnded(id, .failed("liver: does not fit in memory"))))
    #expect(session.tour == nil)
    #expect(session.review.message == Message("liver: does not fit in memory", .error))
  }

  @Test("the offer is shown once; Enter accepts it, and any other key has its usual action")
  func offer() throws {
    let offered = try session(.offered(isAnnounced: false))
    #expect(
      offered.review.message
        == Message("? lists the keys; first time here? Enter begins a tour of two minutes"))
    var taken = offered
    try taken.press(.enter)
    #expect((taken.tour, taken.review.view.isMaximised, taken.review.message) == (.firstStep, false, nil))
    var declined = offered
    try declined.type("f")
    #expect((declined.tour, declined.review.decisions.verdicts.isFlagged) == (nil, true))
    try declined.press(.enter)
    #expect((declined.tour, declined.review.view.isMaximised) == (nil, true))
  }
}

extension Key {
  /// How the tour names the key.
  fileprivate var name: String {
    switch self {
    case .up: "↑"
    case .down: "↓"
    case .right: "→"
    default: label
    }
  }
}
