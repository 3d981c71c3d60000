import Worklist

/// The counts, scores and times of one reader over all cases of a report.
package struct ReaderTotals: Equatable, Sendable, Encodable {
  /// The name.
  package var reader: String
  /// Cases that the reader opened, and of these the ones with a verdict, flag or score.
  package var openedCount = 0
  package var decidedCount = 0
  /// Cases with each verdict.
  package var acceptedCount = 0
  package var rejectedCount = 0
  package var needsWorkCount = 0
  /// Cases that are marked for another look, with any verdict.
  package var flaggedCount = 0
  /// The mean of the reader's scores; nil where there is none.
  package var meanScore: Double?
  /// Seconds spent on all cases, and the median of those on which any were spent; nil where there are none.
  package var seconds = 0.0
  package var medianSeconds: Double?

  /// The readers of cases, in alphabetical order.
  /// - Complexity: O(n log n) in decisions.
  static func all(of cases: [ReportedCase]) -> [ReaderTotals] {
    var decisions: [String: [CaseDecision]] = [:]
    for (reader, decision) in cases.flatMap({ $0.row.review?.decisions.map { ($0, $1) } ?? [] }) {
      decisions[reader, default: []].append(decision)
    }
    return decisions.sorted { $0.key < $1.key }.map { ReaderTotals($0.key, $0.value) }
  }

  private init(_ reader: String, _ decisions: [CaseDecision]) {
    self.reader = reader
    func count(_ verdict: CaseDecision.Verdict) -> Int { decisions.count { $0.verdict == verdict } }
    openedCount = decisions.count
    decidedCount = decisions.count(where: \.isDecided)
    (acceptedCount, rejectedCount, needsWorkCount) = (count(.accepted), count(.rejected), count(.needsWork))
    flaggedCount = decisions.count(where: \.isFlagged)
    let scores = decisions.compactMap(\.score)
    meanScore = scores.isEmpty ? nil : Double(scores.reduce(0, +)) / Double(scores.count)
    let times = decisions.map(\.seconds).filter { $0 > 0 }.sorted()
    seconds = times.reduce(0, +)
    let middle = times.count / 2
    if !times.isEmpty {
      medianSeconds = times.count % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2
    }
  }
}
