/// The metrics of a network on the validation cases.
package struct ValidationMetrics: Equatable, Sendable, Codable {
  /// The metrics of one case.
  package struct Case: Equatable, Sendable, Codable {
    package var name: String
    /// Dice of each foreground class, on the working grid without post-processing.
    package var dice: [Double]
  }

  package var cases: [Case]

  /// Mean Dice of each class over the cases; empty without a case.
  package var meanDice: [Double] {
    guard let first = cases.first else { return [] }
    return first.dice.indices.map { index in
      cases.reduce(0) { $0 + $1.dice[index] } / Double(cases.count)
    }
  }

  /// Mean over classes and cases, by which the best weights are chosen; 0 without a case.
  package var overallDice: Double { meanDice.reduce(0, +) / Double(max(meanDice.count, 1)) }
}
