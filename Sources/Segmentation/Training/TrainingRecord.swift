import Foundation
import Work

/// One line of a training log.
package struct TrainingRecord: Equatable, Sendable, Codable {
  /// Steps done.
  package var iteration: Int
  /// Of so many.
  package var iterations: Int
  /// Weighted sum of the losses of all heads, averaged over the steps since the last record.
  package var loss: Double
  /// Loss of each head, main first, averaged likewise.
  package var headLosses: [Double]
  /// The learning rate of the last step.
  package var learningRate: Double
  /// Mean length of the gradient before it was shortened.
  package var gradientNorm: Double
  /// Seconds since the run (or its resumption) began.
  package var elapsedSeconds: Double
  /// Seconds that are left at this pace.
  package var remainingSeconds: Double
  /// Mean Dice of each foreground class over the validation cases, where this record ends a validation.
  package var validationDice: [Double]?

  /// A record.
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

  /// The record as one line of JSON.
  package var jsonLine: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }
}

extension TrainingRecord {
  /// The averages of some consecutive steps, at least one, the last of which was step `iteration`.
  init(
    _ steps: [TrainingProgress.Step], iteration: Int, of iterations: Int, elapsedSeconds: Double,
    remainingSeconds: Double
  ) {
    let count = Double(max(steps.count, 1))
    let headCount = steps.first?.headLosses.count ?? 0
    self.init(
      iteration: iteration, iterations: iterations, loss: steps.reduce(0) { $0 + $1.loss } / count,
      headLosses: (0..<headCount).map { head in steps.reduce(0) { $0 + $1.headLosses[head] } / count },
      learningRate: steps.last?.learningRate ?? 0,
      gradientNorm: steps.reduce(0) { $0 + $1.gradientNorm } / count,
      elapsedSeconds: elapsedSeconds, remainingSeconds: remainingSeconds)
  }
}

extension TrainingRecord {
  /// Losses and rates of a log at most, with either sign: squares of them are numbers still.
  private static let mostOfAnyValue = 1e100

  /// Refuses numbers that no training has written and no curve can show.
  /// - Throws: ``InputError`` about line `line` of `subject`.
  private func validated(subject: String, line: Int) throws(InputError) {
    let steps = TrainingSettings.iterationRange
    guard (0...steps.upperBound).contains(iteration), (0...steps.upperBound).contains(iterations) else {
      throw InputError(
        subject, "line \(line): steps are unusable", found: "\(iteration) of \(iterations)",
        expected: "0 to \(steps.upperBound)")
    }
    let values =
      [loss, learningRate, gradientNorm, elapsedSeconds, remainingSeconds] + headLosses
      + (validationDice ?? [])
    if let wrong = values.first(where: { !(abs($0) <= Self.mostOfAnyValue) }) {
      throw InputError(
        subject, "line \(line): a number is unusable", found: "\(wrong)",
        expected: "at most \(Self.mostOfAnyValue)")
    }
    if let wrong = validationDice?.first(where: { !(0...1).contains($0) }) {
      throw InputError(subject, "line \(line): a Dice is unusable", found: "\(wrong)", expected: "0 to 1")
    }
  }

  /// Reads a log of JSON lines; of two records of the same step the later one counts, and a last line that was cut
  /// off by the end of a run does not.
  /// - Throws: ``InputError`` when the file cannot be read, or a line is no record, with its number.
  package static func read(log path: String) throws(InputError) -> [TrainingRecord] {
    let data = try FileSystem.read(path)
    var records: [TrainingRecord] = []
    let decoder = JSONDecoder()
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
