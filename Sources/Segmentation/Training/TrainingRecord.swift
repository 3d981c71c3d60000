import Foundation
import Work

/// One line of a training log.
package struct TrainingRecord: Equatable, Sendable, Codable {
  /// Iterations done.
  package var iteration: Int
  /// Iterations of the whole run.
  package var iterations: Int
  /// Weighted sum of the losses of all heads, averaged over the iterations since the last record.
  package var loss: Double
  /// Loss of each head, main head first, averaged over the same iterations.
  package var headLosses: [Double]
  /// The learning rate of the last iteration.
  package var learningRate: Double
  /// Mean norm of the gradient before clipping.
  package var gradientNorm: Double
  /// Seconds since the run (or its resumption) began.
  package var elapsedSeconds: Double
  /// Estimated seconds to the end.
  package var remainingSeconds: Double
  /// Mean Dice of each foreground class over the validation cases, where this record ends a validation.
  package var validationDice: [Double]?

  package init(
    iteration: Int, iterations: Int, loss: Double, headLosses: [Double], learningRate: Double,
    gradientNorm: Double, elapsedSeconds: Double, remainingSeconds: Double, validationDice: [Double]? = nil
  ) {
    self.iteration = iteration
    self.iterations = iterations
    self.loss = loss
    self.headLosses = headLosses
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.elapsedSeconds = elapsedSeconds
    self.remainingSeconds = remainingSeconds
    self.validationDice = validationDice
  }

  /// The record as one line of JSON, without its end; infinities and NaN are strings.
  package var jsonLine: String { String(decoding: anyJSON(self), as: UTF8.self) }
}

extension TrainingRecord {
  /// The averages of consecutive iterations, at least one, the last of which was `iteration`.
  init(
    _ recorded: [TrainingProgress.Iteration], iteration: Int, of iterations: Int, elapsedSeconds: Double,
    remainingSeconds: Double
  ) {
    let count = Double(max(recorded.count, 1))
    let headCount = recorded.first?.headLosses.count ?? 0
    self.init(
      iteration: iteration, iterations: iterations, loss: recorded.reduce(0) { $0 + $1.loss } / count,
      headLosses: (0..<headCount).map { head in recorded.reduce(0) { $0 + $1.headLosses[head] } / count },
      learningRate: recorded.last?.learningRate ?? 0,
      gradientNorm: recorded.reduce(0) { $0 + $1.gradientNorm } / count,
      elapsedSeconds: elapsedSeconds, remainingSeconds: remainingSeconds)
  }
}

extension TrainingRecord {
  /// Magnitude of a log's numbers at most: their squares are finite.
  private static let maximumMagnitude = 1e100

  /// Checks that all numbers are in range.
  /// - Throws: ``InputError`` about line `line` of `subject`.
  private func validated(subject: String, line: Int) throws(InputError) {
    let range = TrainingSettings.iterationRange
    guard (0...range.upperBound).contains(iteration), (0...range.upperBound).contains(iterations) else {
      throw InputError(
        subject, "line \(line): steps are unusable", found: "\(iteration) of \(iterations)",
        expected: "0 to \(range.upperBound)")
    }
    let values =
      [loss, learningRate, gradientNorm, elapsedSeconds, remainingSeconds] + headLosses
      + (validationDice ?? [])
    if let wrong = values.first(where: { !(abs($0) <= Self.maximumMagnitude) }) {
      throw InputError(
        subject, "line \(line): a number is unusable", found: "\(wrong)",
        expected: "at most \(Self.maximumMagnitude)")
    }
    if let wrong = validationDice?.first(where: { !(0...1).contains($0) }) {
      throw InputError(subject, "line \(line): a Dice is unusable", found: "\(wrong)", expected: "0 to 1")
    }
  }

  /// Reads a log of JSON lines.
  ///
  /// Of two records of one iteration the later is used; an incomplete last line is ignored.
  /// - Throws: ``InputError`` when the file cannot be read, or a line is no record, with its number.
  package static func read(log path: String) throws(InputError) -> [TrainingRecord] {
    let data = try FileSystem.read(path)
    var records: [TrainingRecord] = []
    let decoder = JSONDecoder.ofAnyNumbers()
    let lines = data.split(separator: UInt8(ascii: "\n"))
    for (index, line) in lines.enumerated() {
      guard let record = try? decoder.decode(TrainingRecord.self, from: line) else {
        if index == lines.count - 1, index > 0, data.last != UInt8(ascii: "\n") { break }
        throw InputError(
          path, "line \(index + 1) is no training record",
          found: "\(String(decoding: line.prefix(40), as: UTF8.self))",
          expected: "a JSON object as `segdeck train --log` writes it")
      }
      try record.validated(subject: path, line: index + 1)
      while let last = records.last, last.iteration >= record.iteration { records.removeLast() }
      records.append(record)
    }
    return records
  }
}
