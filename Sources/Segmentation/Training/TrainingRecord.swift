import Foundation

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

  /// The record as one line of JSON.
  package var jsonLine: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }
}
