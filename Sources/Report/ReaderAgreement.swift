import Worklist

/// The agreement of readers about the cases of a report.
package struct ReaderAgreement: Equatable, Sendable, Encodable {
  /// The agreement of two readers' verdicts about the same cases.
  package struct Verdicts: Equatable, Sendable, Encodable {
    /// The number of cases to which both gave a verdict.
    package var caseCount: Int
    /// The fraction of these cases in which the verdicts are equal.
    package var equalFraction: Double
    /// Cohen's kappa; nil where both gave the same verdict to every case, so that chance explains the agreement.
    package var kappa: Double?
  }

  /// The agreement of two readers' scores of the same cases.
  package struct Scores: Equatable, Sendable, Encodable {
    /// The number of cases to which both gave a score.
    package var caseCount: Int
    /// The mean of the second reader's score minus the first reader's score.
    package var meanDifference: Double
    /// Cohen's kappa with quadratic weights; nil where both gave the same score to every case.
    package var weightedKappa: Double?
  }

  /// The agreement of two readers.
  package struct Pair: Equatable, Sendable, Encodable {
    /// Their names, in alphabetical order.
    package var first, second: String
    /// nil where no case has a verdict of both.
    package var verdicts: Verdicts?
    /// nil where no case has a score of both.
    package var scores: Scores?
  }

  /// The agreement of all readers, of whom there are three or more.
  package struct All: Equatable, Sendable, Encodable {
    /// The readers who gave a verdict, in alphabetical order.
    package var readers: [String]
    /// The number of cases to which all of them gave a verdict.
    package var caseCount: Int
    /// Fleiss' kappa of these cases; nil where all verdicts are the same.
    package var kappa: Double?
  }

  /// Every two readers who gave the same case a verdict, or a score.
  package var pairs: [Pair]
  /// All readers; nil for fewer than three, or where no case has a verdict of each.
  package var all: All?

  /// The agreement about cases; nil where no two readers gave the same case a verdict, or a score.
  /// - Complexity: O(cases · readers²).
  package init?(_ cases: [ReportedCase]) {
    let decisions = cases.compactMap { $0.row.review?.decisions }
    let readers = Set(decisions.flatMap(\.keys)).sorted()
    pairs = []
    for (position, first) in readers.enumerated() {
      for second in readers[(position + 1)...] {
        let common = decisions.compactMap { decision in
          decision[first].flatMap { one in decision[second].map { (one, $0) } }
        }
        let pair = Pair(
          first: first, second: second, verdicts: Self.verdicts(common), scores: Self.scores(common))
        if pair.verdicts != nil || pair.scores != nil { pairs.append(pair) }
      }
    }
    all = Self.all(decisions, readers)
    if pairs.isEmpty { return nil }
  }

  private static func index(_ verdict: CaseDecision.Verdict) -> Int {
    switch verdict {
    case .accepted: 0
    case .rejected: 1
    case .needsWork: 2
    }
  }

  private static func verdicts(_ common: [(CaseDecision, CaseDecision)]) -> Verdicts? {
    let pairs = common.compactMap { one, other in
      one.verdict.flatMap { first in other.verdict.map { (index(first), index($0)) } }
    }
    guard !pairs.isEmpty else { return nil }
    let equal = pairs.count { $0 == $1 }
    return Verdicts(
      caseCount: pairs.count, equalFraction: Double(equal) / Double(pairs.count),
      kappa: Kappa.cohen(pairs, categories: CaseDecision.Verdict.allCases.count))
  }

  private static func scores(_ common: [(CaseDecision, CaseDecision)]) -> Scores? {
    let lowest = CaseDecision.scores.lowerBound
    let pairs = common.compactMap { one, other in
      one.score.flatMap { first in other.score.map { (first - lowest, $0 - lowest) } }
    }
    guard !pairs.isEmpty else { return nil }
    let difference = pairs.reduce(0) { $0 + $1.1 - $1.0 }
    return Scores(
      caseCount: pairs.count, meanDifference: Double(difference) / Double(pairs.count),
      weightedKappa: Kappa.quadratic(pairs, categories: CaseDecision.scores.count))
  }

  private static func all(_ decisions: [[String: CaseDecision]], _ readers: [String]) -> All? {
    let judging = readers.filter { reader in decisions.contains { $0[reader]?.verdict != nil } }
    guard judging.count > 2 else { return nil }
    let counts = decisions.compactMap { decision -> [Int]? in
      let verdicts = judging.compactMap { decision[$0]?.verdict }
      guard verdicts.count == judging.count else { return nil }
      var counts = [Int](repeating: 0, count: CaseDecision.Verdict.allCases.count)
      for verdict in verdicts { counts[index(verdict)] += 1 }
      return counts
    }
    guard !counts.isEmpty else { return nil }
    return All(readers: judging, caseCount: counts.count, kappa: Kappa.fleiss(counts))
  }
}

/// Agreement beyond chance: 1 for perfect agreement, 0 for as much as by chance, negative for less.
package enum Kappa {
  /// Cohen's kappa (1960) of two raters.
  /// - Parameters:
  ///   - ratings: The category that each rater gave a subject, from 0; at least one subject.
  ///   - categories: The number of categories.
  /// - Returns: nil where chance alone explains complete agreement.
  package static func cohen(_ ratings: [(Int, Int)], categories: Int) -> Double? {
    weighted(ratings, categories: categories) { $0 == $1 ? 0 : 1 }
  }

  /// Cohen's weighted kappa (1968) of two raters with quadratic weights, for ordered categories.
  /// - Returns: As ``cohen(_:categories:)``.
  package static func quadratic(_ ratings: [(Int, Int)], categories: Int) -> Double? {
    weighted(ratings, categories: categories) { Double(($0 - $1) * ($0 - $1)) }
  }

  private static func weighted(
    _ ratings: [(Int, Int)], categories: Int, disagreement: (Int, Int) -> Double
  ) -> Double? {
    let count = Double(ratings.count)
    var (first, second) = (
      [Double](repeating: 0, count: categories), [Double](repeating: 0, count: categories)
    )
    var observed = 0.0
    for (one, other) in ratings {
      first[one] += 1
      second[other] += 1
      observed += disagreement(one, other) / count
    }
    var expected = 0.0
    for one in 0..<categories {
      for other in 0..<categories {
        expected += disagreement(one, other) * first[one] * second[other] / (count * count)
      }
    }
    return expected > 0 ? 1 - observed / expected : nil
  }

  /// Fleiss' kappa (1971) of several raters.
  /// - Parameter counts: For each subject, the number of raters who chose each category. There is at least one subject,
  ///   and every subject has the same number of raters, at least two.
  /// - Returns: nil where every rating is of one category.
  package static func fleiss(_ counts: [[Int]]) -> Double? {
    let raters = Double(counts[0].reduce(0, +))
    let subjects = Double(counts.count)
    let observed =
      counts.reduce(0.0) { sum, row in
        sum + (row.reduce(0.0) { $0 + Double($1 * $1) } - raters) / (raters * (raters - 1))
      } / subjects
    let expected = counts[0].indices.reduce(0.0) { sum, category in
      let fraction = counts.reduce(0.0) { $0 + Double($1[category]) } / (subjects * raters)
      return sum + fraction * fraction
    }
    return expected < 1 ? (observed - expected) / (1 - expected) : nil
  }
}
