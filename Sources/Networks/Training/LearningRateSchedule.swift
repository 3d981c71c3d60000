import Foundation
import Work

/// The learning rate as a function of the iteration, counted from 0.
package enum LearningRateSchedule: Hashable, Sendable, Codable {
  case constant(rate: Double)
  /// Multiplied by `factor` every `interval` iterations (the liver network: 0.1, by 0.1).
  case steps(rate: Double, interval: Int, factor: Double = 0.1)
  /// rate (1 - iteration / iterations)^power (the heart network: 0.01, power 0.9).
  case polynomial(rate: Double, power: Double = 0.9, iterations: Int)
  /// Linear from 0 over `warmUp` iterations, then half a cosine down to 0 at `iterations`.
  case warmUpCosine(rate: Double, warmUp: Int, iterations: Int)

  /// Checks that lengths, powers and factors are in range.
  /// - Throws: ``InputError`` about `--schedule`.
  func validated(maximumIterations: Int) throws(InputError) {
    let (lengths, powers): ([Int], [Double]) =
      switch self {
      case .constant: ([], [])
      case .steps(_, let interval, let factor): ([interval], [factor])
      case .polynomial(_, let power, let iterations): ([iterations], [power])
      case .warmUpCosine(_, let warmUp, let iterations): ([warmUp, iterations], [])
      }
    guard lengths.allSatisfy({ (0...maximumIterations).contains($0) }),
      powers.allSatisfy({ (0...100).contains($0) })
    else {
      throw InputError(
        "--schedule", "cannot train", found: "\(self)",
        expected: "0 to \(maximumIterations) iterations, powers and factors of 0 to 100")
    }
  }

  /// The learning rate of an iteration; 0 after the end of a schedule that ends.
  package func rate(at iteration: Int) -> Double {
    switch self {
    case .constant(let rate):
      return rate
    case .steps(let rate, let interval, let factor):
      return rate * pow(factor, Double(iteration / max(interval, 1)))
    case .polynomial(let rate, let power, let iterations):
      return rate * pow(max(0, 1 - Double(iteration) / Double(max(iterations, 1))), power)
    case .warmUpCosine(let rate, let warmUp, let iterations):
      if iteration < warmUp { return rate * Double(iteration + 1) / Double(warmUp) }
      let fraction = Double(iteration - warmUp) / Double(max(iterations - warmUp, 1))
      return rate * 0.5 * (1 + cos(.pi * min(fraction, 1)))
    }
  }
}
