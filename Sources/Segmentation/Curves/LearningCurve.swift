/// A quantity by training iteration, or its mean and range over several runs.
package struct LearningCurve: Sendable, Equatable {
  /// The quantity after one iteration.
  package struct Point: Sendable, Equatable {
    /// Iterations done.
    package var iteration: Int
    /// The value, or the mean of the runs.
    package var value: Double
    /// The smallest and largest value of the runs; equal to `value` for a single one.
    package var lower, upper: Double
  }

  /// The name in legends.
  package var name: String
  /// Ascending by iteration.
  package var points: [Point]

  package init(name: String, points: [Point]) {
    self.name = name
    self.points = points
  }

  /// The curve of several runs of the same kind: mean, smallest and largest value of the runs that have an iteration.
  package init(name: String, runs: [[(iteration: Int, value: Double)]]) {
    var values: [Int: [Double]] = [:]
    for run in runs { for (iteration, value) in run { values[iteration, default: []].append(value) } }
    self.name = name
    points = values.keys.sorted().map { iteration in
      let all = values[iteration] ?? []
      return Point(
        iteration: iteration, value: all.reduce(0, +) / Double(all.count), lower: all.min() ?? 0,
        upper: all.max() ?? 0)
    }
  }
}

extension [TrainingRecord] {
  /// The training loss, exponentially smoothed with weight 0.2 of the newest record.
  package var smoothedLoss: [(iteration: Int, value: Double)] { smoothed { $0.loss } }

  /// The loss of head `index`, smoothed as ``smoothedLoss``; empty where a record lacks it.
  package func smoothedHeadLoss(_ index: Int) -> [(iteration: Int, value: Double)] {
    allSatisfy { $0.headLosses.indices.contains(index) } ? smoothed { $0.headLosses[index] } : []
  }

  /// Validation Dice, the mean over the structures.
  package var validation: [(iteration: Int, value: Double)] {
    compactMap { record in
      guard let dice = record.validationDice, !dice.isEmpty else { return nil }
      return (record.iteration, dice.reduce(0, +) / Double(dice.count))
    }
  }

  private func smoothed(_ value: (TrainingRecord) -> Double) -> [(iteration: Int, value: Double)] {
    var mean = 0.0
    return enumerated().map { index, record in
      // The first records are weighted as in a plain mean, so that the curve does not depend on the very first one.
      mean += (value(record) - mean) * Swift.max(0.2, 1 / Double(index + 1))
      return (record.iteration, mean)
    }
  }
}
