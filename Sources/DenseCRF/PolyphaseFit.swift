import Foundation
import Work

/// e^x.
func exponential(_ x: Double) -> Double { Foundation.exp(x) }

/// The weights and taps of ``GaussianAxis`` by alternating least squares, from quadratic B-splines on.
struct PolyphaseFit {
  /// Three weights of each position in a block.
  private(set) var weights: [[Double]]
  /// One tap per distance in cells, from 0 on.
  private(set) var taps: [Double]
  private let step: Int
  private let targets: [(distance: Int, value: Double)]

  /// Fits a Gaussian of `sigma` voxels on blocks of `step` voxels, for an axis of `count` voxels.
  init(sigma: Double, step: Int, count: Int) {
    self.step = step
    // Distances beyond the axis do not occur.
    let maximumDistance = min(Int(saturating: min(4.2 * sigma, 1e6).rounded(.up)), count + step)
    targets = (-maximumDistance...maximumDistance).map { ($0, gaussian(Double($0) / sigma)) }
    let radius = Int(saturating: min(3.6 * sigma / Double(step), 1e6).rounded(.up))
    taps = [Double](repeating: 0, count: min(radius, count / step + 2) + 1)
    weights = (0..<step).map { phase in
      // Distance to the middle of the own block, in blocks.
      let t = (Double(phase) + 0.5) / Double(step) - 0.5
      return [0.5 * (0.5 - t) * (0.5 - t), 0.75 - t * t, 0.5 * (0.5 + t) * (0.5 + t)]
    }
    for round in 0..<40 {
      fitTaps()
      if round < 39 { fitWeights() }
    }
  }

  /// Block distance and phase of the voxel `distance` from one of phase `phase`.
  private func partner(_ phase: Int, _ distance: Int) -> (blocks: Int, phase: Int) {
    let position = phase + distance
    let block = (position >= 0 ? position : position - step + 1) / step
    return (block, position - block * step)
  }

  private mutating func fitTaps() {
    let count = taps.count
    let weights = weights.flatMap(\.self)
    // Cells of two voxels are at most two further apart than their blocks: five coefficients, next to each other.
    var system = BandedSystem(count: count, width: 4)
    var coefficients = [(tap: Int, value: Double)](repeating: (0, 0), count: 5)
    for phase in 0..<step {
      for target in targets {
        let other = partner(phase, target.distance)
        var used = 0
        for shift in -2...2 {
          let tap = abs(other.blocks + shift)
          guard tap < count else { continue }
          var value = 0.0
          for a in max(0, -shift)..<min(3, 3 - shift) {
            value += weights[phase * 3 + a] * weights[other.phase * 3 + a + shift]
          }
          coefficients[used] = (tap, value)
          used += 1
        }
        for x in 0..<used {
          system.right[coefficients[x].tap] += coefficients[x].value * target.value
          for y in 0..<used where coefficients[y].tap <= coefficients[x].tap {
            system[coefficients[x].tap, coefficients[y].tap] += coefficients[x].value * coefficients[y].value
          }
        }
      }
    }
    taps = system.solution()
  }

  /// Fits each position's weights with the others fixed, symmetrises the result and takes half of the change.
  private mutating func fitWeights() {
    let held = weights.flatMap(\.self)
    var row = [0.0, 0.0, 0.0]
    let fitted = (0..<step).map { phase in
      var system = BandedSystem(count: 3, width: 2)
      for target in targets {
        let other = partner(phase, target.distance)
        for a in 0..<3 {
          row[a] = 0
          for b in 0..<3 {
            let tap = abs(other.blocks + b - a)
            if tap < taps.count { row[a] += taps[tap] * held[other.phase * 3 + b] }
          }
        }
        for a in 0..<3 {
          system.right[a] += row[a] * target.value
          for b in 0...a { system[a, b] += row[a] * row[b] }
        }
      }
      return system.solution()
    }
    for phase in 0..<step {
      for a in 0..<3 {
        let symmetric = 0.5 * (fitted[phase][a] + fitted[step - 1 - phase][2 - a])
        weights[phase][a] = 0.5 * (weights[phase][a] + symmetric)
      }
    }
  }
}

/// A banded symmetric positive definite system of linear equations.
private struct BandedSystem {
  /// The right side of the linear equations.
  var right: [Double]
  /// Entries beside the diagonal in each row.
  private let width: Int
  /// The lower triangle: of each row the `width` entries before the diagonal, and the diagonal.
  private var entries: [Double]

  init(count: Int, width: Int) {
    self.width = width
    right = [Double](repeating: 0, count: count)
    entries = [Double](repeating: 0, count: count * (width + 1))
  }

  /// The entry of a row and a column from `row - width` to `row`.
  subscript(row: Int, column: Int) -> Double {
    get { entries[row * width + column + width] }
    set { entries[row * width + column + width] = newValue }
  }

  /// The solution by Cholesky's decomposition.
  /// - Complexity: O(rows times width squared).
  consuming func solution() -> [Double] {
    var factor = self
    let count = factor.right.count
    var x = factor.right
    for row in 0..<count {
      let first = max(0, row - factor.width)
      for column in first...row {
        var sum = factor[row, column]
        for k in first..<column where k >= column - factor.width { sum -= factor[row, k] * factor[column, k] }
        // The floor keeps taps without any pair of voxels at 0.
        factor[row, column] =
          row == column ? max(sum, 1e-14).squareRoot() : sum / factor[column, column]
      }
    }
    for row in 0..<count {
      for k in max(0, row - factor.width)..<row { x[row] -= factor[row, k] * x[k] }
      x[row] /= factor[row, row]
    }
    for row in (0..<count).reversed() {
      for k in (row + 1)..<max(min(count, row + factor.width + 1), row + 1) {
        x[row] -= factor[k, row] * x[k]
      }
      x[row] /= factor[row, row]
    }
    return x
  }
}
