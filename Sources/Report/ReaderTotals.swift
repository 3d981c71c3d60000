import Worklist

/// The number of verdicts, the mean score and the time of one reader over all cases of a report.
package struct ReaderTotals: Equatable, Sendable, Encodable {
  /// The reader's name.
  package var reader: String
  /// The number of cases that the reader opened, and the number of those with a verdict.
  package var openedCount = 0
  package var decidedCount = 0
  /// The number of cases with each verdict.
  package var acceptedCount = 0
  package var rejectedCount = 0
  package var needsWorkCount = 0
  /// The number of flagged cases, with any verdict or none.
  package var flaggedCount = 0
  /// The mean of the reader's scores; nil where there is none.
  package var meanScore: Double?
  /// The seconds spent on all cases, and the median of those cases on which time was spent; nil for no such case.
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
