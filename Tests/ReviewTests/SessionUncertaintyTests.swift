import Metrics
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work
import Worklist

@Suite("Uncertainty of networks in a session")
struct SessionUncertaintyTests {
  private func uncertainty(_ inside: Double) -> LabelUncertainty {
    LabelUncertainty(
      label: "Liver", network: "liver network", classCount: 2,
      entropy: ClassEntropy(nearBorder: 0.4, inside: inside))
  }

  /// Runs the network of the case on the screen to its end, with this entropy inside the liver.
  private func run(_ session: inout SessionState, inside: Double) throws -> [SessionEffect] {
    func end<J: Job>(_ type: J.Type, with outcome: J.Outcome) throws -> [SessionEffect] {
      let id = try #require(session.review.jobs[J.kind]?.id)
      return reduce(&session, .review(session.current, .jobEnded(id, .finished(J.self, with: outcome))))
    }
    try session.press("m")
    _ = try end(ModelsJob.self, with: [pretendedModel])
    try session.press(.enter)
    let result = networkResult(for: session.review.content)
    let components = try LabelComponents(result.labels, work: WorkContext())
    _ = try end(SegmentationJob.self, with: .init(result, components))
    let job = try #require(session.review.jobs[.uncertainty]?.job.base as? UncertaintyJob)
    return try end(
      UncertaintyJob.self,
      with: SliceUncertainty(
        source: job.source,
        entropies: SliceEntropies(means: (0..<3).map { [Double](repeating: 0, count: job.grid.size[$0]) }),
        labels: [uncertainty(inside)]))
  }

  @Test("a network that is more uncertain than in other cases is flagged, reported in a message and cached")
  func cohort() throws {
    var (session, effects) = begunSession(6, screen: ScreenSize(rows: 40, columns: 120))
    try session.finish(effects)
    let others = (1..<6).map { (CaseID($0), [uncertainty(0.03)]) }
    _ = reduce(&session, .uncertainties(Dictionary(uniqueKeysWithValues: others)))
    #expect(session.worklist.flags.values.allSatisfy { $0.isEmpty })
    effects = try run(&session, inside: 0.25)
    let text =
      "Liver: liver network is uncertain inside, entropy 0.25 of 1, cohort median 0.03, 11.0 robust deviations above"
    #expect(session.worklist.flags[CaseID(0)]?.map(\.text) == [text])
    #expect(session.review.uncertaintyFlags == [text])
    #expect(session.review.message?.text.hasSuffix(text) == true)
    #expect(session.review.messageLog.messages.contains(Message(text, .warning)))
    #expect(
      effects.contains { if case .keep(CaseID(0), [self.uncertainty(0.25)]) = $0 { true } else { false } })
    #expect(render(session.review).text.contains { $0.contains("Liver: liver network is unc") })
    let later = reduce(&session, .clock(seconds: 1))
    #expect(!later.contains { if case .keep = $0 { true } else { false } })
    try session.press("C")
    #expect(render(session).text.contains { $0.contains(text) })
  }

  @Test("a single case is judged by the fixed limit, and nothing is cached", arguments: [0.2, 0.4])
  func alone(inside: Double) throws {
    var session = SessionState(
      worklist: WorklistState(OpenCaseRequest(imagePath: "a.nii", maskPaths: [])), first: CaseID(0),
      screen: ScreenSize(rows: 40, columns: 120), capabilities: trueColour)
    try session.finish(session.begin())
    let effects = try run(&session, inside: inside)
    #expect(!effects.contains { if case .keep = $0 { true } else { false } })
    #expect(
      session.review.uncertaintyFlags
        == (inside < 0.3
          ? []
          : [
            "Liver: liver network is uncertain inside, entropy 0.40 of 1, above 0.29, that of probabilities 0.95 and 0.05"
          ]))
  }
}
