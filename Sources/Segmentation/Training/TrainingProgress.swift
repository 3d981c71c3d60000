import Foundation
import Networks
import Work

/// What a run knows beside its trainer; kept in checkpoints, so that logs and best weights go on exactly too.
package struct TrainingProgress: Equatable, Sendable, Codable {
  /// The best validation.
  package struct Best: Equatable, Sendable, Codable {
    /// The step after which it was seen.
    package var iteration: Int
    /// What it showed.
    package var figures: ValidationMetrics
  }

  /// What one step measured.
  package struct Step: Equatable, Sendable, Codable {
    var loss: Double
    var headLosses: [Double]
    var learningRate: Double
    var gradientNorm: Double

    init(_ step: TrainingIteration) {
      loss = step.loss
      headLosses = step.headLosses
      learningRate = step.learningRate
      gradientNorm = step.gradientNorm
    }
  }

  /// The best validation so far; nil before the first one and without validation cases.
  package internal(set) var best: Best?
  /// The last step whose validation is complete.
  package internal(set) var validatedIteration = 0
  /// The loss of the newest record.
  package internal(set) var loss: Double?
  /// Steps that no record has averaged yet.
  package internal(set) var unrecordedSteps: [Step] = []

  /// The progress before the first step.
  package init() {}

  /// Reads what ``json`` gives.
  /// - Throws: ``InputError`` about `subject` when the text is something else.
  package init(json: String, subject: String) throws(InputError) {
    do { self = try JSONDecoder().decode(TrainingProgress.self, from: Data(json.utf8)) } catch {
      throw InputError(subject, "checkpoint: its progress cannot be read", found: "\(json.prefix(60))")
    }
    let steps = 0...TrainingSettings.iterationRange.upperBound
    guard steps.contains(validatedIteration), steps.contains(best?.iteration ?? 0) else {
      throw InputError(
        subject, "checkpoint: its steps are unusable",
        found: "\(validatedIteration), \(best?.iteration ?? 0)",
        expected: "0 to \(steps.upperBound)")
    }
    let dice = best?.figures.cases.map(\.dice) ?? []
    guard dice.allSatisfy({ $0.count == dice[0].count && $0.allSatisfy((0...1).contains) }) else {
      throw InputError(
        subject, "checkpoint: its validation is unusable", expected: "a Dice for each structure")
    }
    let heads = unrecordedSteps.first?.headLosses.count ?? 0
    guard unrecordedSteps.allSatisfy({ $0.headLosses.count == heads }) else {
      throw InputError(subject, "checkpoint: its losses are unusable", expected: "one for each head")
    }
  }

  /// The progress as JSON text.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let data = try? encoder.encode(self) else { preconditionFailure("finite losses encode") }
    return String(decoding: data, as: UTF8.self)
  }
}
