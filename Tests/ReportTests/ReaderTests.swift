import Report
import Testing
import Worklist

private func close(_ value: Double?, _ expected: Double, within tolerance: Double) -> Bool {
  value.map { abs($0 - expected) <= tolerance } ?? false
}

private func ratings(_ table: [[Int]]) -> [(Int, Int)] {
  table.enumerated().flatMap { row, counts in
    counts.enumerated().flatMap { column, count in [(Int, Int)](repeating: (row, column), count: count) }
  }
}

@Test("Cohen's kappa of two raters, of published tables")
func cohen() {
  // Two readers of 50 grant proposals: observed 0.7, expected 0.5.
  #expect(close(Kappa.cohen(ratings([[20, 5], [10, 15]]), categories: 2), 0.4, within: 1e-12))
  // Cohen (1960), table 1, of 200 subjects: observed 0.70, expected 0.41.
  let cohen1960 = ratings([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
  #expect(close(Kappa.cohen(cohen1960, categories: 3), 0.29 / 0.59, within: 1e-12))
  #expect(Kappa.cohen(ratings([[5, 0], [0, 7]]), categories: 2) == 1)
  #expect(close(Kappa.cohen(ratings([[0, 5], [5, 0]]), categories: 2), -1, within: 1e-12))
  #expect(Kappa.cohen(ratings([[9, 0], [0, 0]]), categories: 2) == nil)
}

@Test("the kappa of ordered categories weights a disagreement by the square of its distance")
func quadratic() {
  // With two categories it equals the kappa without weights.
  #expect(close(Kappa.quadratic(ratings([[20, 5], [10, 15]]), categories: 2), 0.4, within: 1e-12))
  // Squared distances: 10 in 10 pairs; by the margins 5, 3, 2 and 3, 3, 4: 146 in 100.
  let table = ratings([[2, 2, 1], [1, 0, 2], [0, 1, 1]])
  #expect(close(Kappa.quadratic(table, categories: 3), 1 - 1 / 1.46, within: 1e-12))
}

@Test("Fleiss' kappa of fourteen raters and ten subjects, of a published table")
func fleiss() {
  let counts = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
  ]
  #expect(close(Kappa.fleiss(counts), 0.20993, within: 1e-5))
  #expect(Kappa.fleiss([[3, 0], [3, 0]]) == nil)
}

@Test("agreement counts the cases that both readers judged, and all readers those that each judged")
func agreement() throws {
  let cases = [
    reported("c1", ["ann": .init(verdict: .accepted, score: 4), "bob": .init(verdict: .accepted, score: 5)]),
    reported("c2", ["ann": .init(verdict: .rejected, score: 2), "bob": .init(verdict: .accepted)]),
    reported(
      "c3",
      ["ann": .init(verdict: .rejected), "bob": .init(verdict: .rejected), "cy": .init(verdict: .rejected)]),
    reported("c4", ["ann": .init(verdict: .accepted), "bob": .init(isFlagged: true)]),
    reported("c5", [:]),
  ]
  let agreement = try #require(ReaderAgreement(cases))
  #expect(
    agreement.pairs.map { [$0.first, $0.second] } == [["ann", "bob"], ["ann", "cy"], ["bob", "cy"]])
  let pair = agreement.pairs[0]
  #expect(pair.verdicts?.caseCount == 3)
  #expect(close(pair.verdicts?.equalFraction, 2 / 3, within: 1e-12))
  // Observed 2/3; margins 1, 2 and 2, 1 of 3: expected 4/9.
  #expect(close(pair.verdicts?.kappa, 0.4, within: 1e-12))
  // Both scored one case, 4 and 5: chance alone gives the same agreement for a single pair.
  #expect(pair.scores?.caseCount == 1)
  #expect(pair.scores?.meanDifference == 1)
  #expect(pair.scores?.weightedKappa == 0)
  #expect(agreement.all?.readers == ["ann", "bob", "cy"])
  #expect(agreement.all?.caseCount == 1)
  #expect(agreement.all.map(\.kappa) == .some(nil))
  #expect(ReaderAgreement([cases[4]]) == nil)
  #expect(ReaderAgreement([reported("c", ["ann": .init(verdict: .accepted)])]) == nil)
}

@Test("totals of a reader count cases, verdicts, scores and the time of cases with any")
func totals() {
  let report = CohortReport(
    place: "p", created: "", program: "", listedCaseCount: 3, toleranceMillimetres: 2,
    cases: [
      reported("c1", ["ann": .init(verdict: .accepted, score: 5, seconds: 10)]),
      reported("c2", ["ann": .init(verdict: .needsWork, isFlagged: true, score: 2, seconds: 40)]),
      reported("c3", ["ann": .init(), "bob": .init(verdict: .rejected)]),
    ])
  let readers = report.readers
  #expect(readers.map(\.reader) == ["ann", "bob"])
  #expect(
    [readers[0].openedCount, readers[0].decidedCount, readers[0].acceptedCount, readers[0].rejectedCount]
      == [3, 2, 1, 0])
  #expect([readers[0].needsWorkCount, readers[0].flaggedCount, readers[1].rejectedCount] == [1, 1, 1])
  #expect([readers[0].meanScore, readers[0].seconds, readers[0].medianSeconds] == [3.5, 50, 25])
  #expect([readers[1].meanScore, readers[1].medianSeconds] == [nil, nil])
}
