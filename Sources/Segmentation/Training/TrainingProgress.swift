import Foundation
import Networks
import Work

/// The state of a run beside its trainer; stored in checkpoints, so that logs and best weights resume exactly.
package struct TrainingProgress: Equatable, Sendable, Codable {
  /// The best validation.
  package struct Best: Equatable, Sendable, Codable {
    /// The iteration of the validation.
    package var iteration: Int
    package var metrics: ValidationMetrics

    private enum CodingKeys: String, CodingKey {
      case iteration
      case metrics = "figures"
    }
  }

  /// The losses of one iteration.
  package struct Iteration: Equatable, Sendable, Codable {
    var loss: Double
    var headLosses: [Double]
    var learningRate: Double
    var gradientNorm: Double

    init(_ iteration: TrainingIteration) {
      loss = iteration.loss
      headLosses = iteration.headLosses
      learningRate = iteration.learningRate
      gradientNorm = iteration.gradientNorm
    }
  }

  /// The best validation so far; nil before the first one and without validation cases.
  package internal(set) var best: Best?
  /// The last iteration whose validation is complete.
  package internal(set) var validatedIteration = 0
  /// The loss of the newest record.
  package internal(set) var loss: Double?
  /// Iterations since the newest record.
  package internal(set) var unrecordedIterations: [Iteration] = []

  private enum CodingKeys: String, CodingKey {
    case best, validatedIteration, loss
    case unrecordedIterations = "unrecordedSteps"
  }

  /// The progress before the first iteration.
  package init() {}

  /// Reads the JSON text of ``json``.
  /// - Throws: ``InputError`` about `subject` when the text does not describe a progress or has numbers out of range.
  package init(json: String, subject: String) throws(InputError) {
    do { self = try JSONDecoder().decode(TrainingProgress.self, from: Data(json.utf8)) } catch {
      throw InputError(subject, "checkpoint: its progress cannot be read", found: "\(json.prefix(60))")
    }
    let iterations = 0...TrainingSettings.iterationRange.upperBound
    guard iterations.contains(validatedIteration), iterations.contains(best?.iteration ?? 0) else {
      throw InputError(
        subject, "checkpoint: its iterations are unusable",
        found: "\(validatedIteration), \(best?.iteration ?? 0)",
        expected: "0 to \(iterations.upperBound)")
    }
    let dice = best?.metrics.cases.map(\.dice) ?? []
    guard dice.allSatisfy({ $0.count == dice[0].count && $0.allSatisfy((0...1).contains) }) else {
      throw InputError(
        subject, "checkpoint: its validation is unusable", expected: "a Dice for each structure")
    }
    let heads = unrecordedIterations.first?.headLosses.count ?? 0
    guard unrecordedIterations.allSatisfy({ $0.headLosses.count == heads }) else {
      throw InputError(subject, "checkpoint: its losses are unusable", expected: "one for each head")
    }
  }

  /// The progress as JSON text.
  package var json: String { String(decoding: finiteJSON(self), as: UTF8.self) }
}
