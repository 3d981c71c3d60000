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

extension LearningRateSchedule {
  /// The schedule of a text such as "cosine(warmup=100)" for a run of `iterations` that begins at `rate`.
  ///
  /// "steps" has a third of the iterations between its steps and a factor of 0.1, "poly" a power of 0.9, and "cosine" a
  /// warm-up of a twentieth of the iterations where the text does not say otherwise.
  /// - Throws: ``InputError`` about `option`.
  package init(_ text: String, rate: Double, iterations: Int, option: String) throws(InputError) {
    let every = NamedSetting.Number("every", Double(max(1, iterations / 3)))
    let warmUp = NamedSetting.Number("warmup", Double(max(1, iterations / 20)))
    let setting = try NamedSetting(
      text,
      of: [
        NamedSetting("constant"), NamedSetting("steps", [every, .init("factor", 0.1)]),
        NamedSetting("poly", [.init("power", 0.9)]), NamedSetting("cosine", [warmUp]),
      ], option: option)
    func length(_ name: String, from least: Int) throws(InputError) -> Int {
      let value = setting[name]
      // Runs of less than an iteration are refused elsewhere.
      let range = least...max(iterations, 1)
      guard let length = Int(exactly: value), range.contains(length) else {
        throw InputError(
          option, "\(name) is not a number of iterations", found: shortest(value),
          expected: "\(range.lowerBound) to \(range.upperBound)")
      }
      return length
    }
    switch setting.name {
    case "constant": self = .constant(rate: rate)
    case "steps":
      self = .steps(rate: rate, interval: try length("every", from: 1), factor: setting["factor"])
    case "poly": self = .polynomial(rate: rate, power: setting["power"], iterations: iterations)
    case "cosine":
      self = .warmUpCosine(rate: rate, warmUp: try length("warmup", from: 0), iterations: iterations)
    default: preconditionFailure("no schedule is named \(setting.name)")
    }
  }

  /// The schedule with another rate at the start, or at the end of the warm-up, and another length.
  package func with(rate: Double, iterations: Int) -> LearningRateSchedule {
    switch self {
    case .constant: .constant(rate: rate)
    case .steps(_, let interval, let factor): .steps(rate: rate, interval: interval, factor: factor)
    case .polynomial(_, let power, _): .polynomial(rate: rate, power: power, iterations: iterations)
    case .warmUpCosine(_, let warmUp, _): .warmUpCosine(rate: rate, warmUp: warmUp, iterations: iterations)
    }
  }

  /// The rate that the schedule begins with, or that its warm-up ends with.
  package var initialRate: Double {
    switch self {
    case .constant(let rate), .steps(let rate, _, _), .polynomial(let rate, _, _),
      .warmUpCosine(let rate, _, _):
      rate
    }
  }
}
