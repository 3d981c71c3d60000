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
    // Voxels farther apart than the axis is long do not meet.
    let reach = min(Int(saturating: min(4.2 * sigma, 1e6).rounded(.up)), count + step)
    targets = (-reach...reach).map { ($0, gaussian(Double($0) / sigma)) }
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

  /// Block distance and weights of the voxel `distance` from one of phase `phase`.
  private func partner(_ phase: Int, _ distance: Int) -> (blocks: Int, weights: [Double]) {
    let position = phase + distance
    let block = (position >= 0 ? position : position - step + 1) / step
    return (block, weights[position - block * step])
  }

  private mutating func fitTaps() {
    let count = taps.count
    var normal = [Double](repeating: 0, count: count * count)
    var right = [Double](repeating: 0, count: count)
    for phase in 0..<step {
      for target in targets {
        let other = partner(phase, target.distance)
        // Cells of the two voxels are at most two further apart than their blocks: five coefficients.
        var coefficients: [(tap: Int, value: Double)] = []
        for shift in -2...2 {
          let tap = abs(other.blocks + shift)
          guard tap < count else { continue }
          var value = 0.0
          for a in 0..<3 where (0..<3).contains(a + shift) {
            value += weights[phase][a] * other.weights[a + shift]
          }
          coefficients.append((tap, value))
        }
        for x in coefficients {
          right[x.tap] += x.value * target.value
          for y in coefficients { normal[x.tap * count + y.tap] += x.value * y.value }
        }
      }
    }
    taps = solveSymmetric(normal, right)
  }

  /// Fits each position's weights with the others held, mirrors the result and goes half the way there.
  private mutating func fitWeights() {
    let fitted = (0..<step).map { phase in
      var normal = [Double](repeating: 0, count: 9)
      var right = [Double](repeating: 0, count: 3)
      for target in targets {
        let other = partner(phase, target.distance)
        let row = (0..<3).map { a in
          (0..<3).reduce(0.0) { sum, b in
            let tap = abs(other.blocks + b - a)
            return tap < taps.count ? sum + taps[tap] * other.weights[b] : sum
          }
        }
        for a in 0..<3 {
          right[a] += row[a] * target.value
          for b in 0..<3 { normal[a * 3 + b] += row[a] * row[b] }
        }
      }
      return solveSymmetric(normal, right)
    }
    for phase in 0..<step {
      for a in 0..<3 {
        let symmetric = 0.5 * (fitted[phase][a] + fitted[step - 1 - phase][2 - a])
        weights[phase][a] = 0.5 * (weights[phase][a] + symmetric)
      }
    }
  }
}

/// The solution of a symmetric positive definite system (row-major matrix) by Cholesky's decomposition.
private func solveSymmetric(_ matrix: [Double], _ right: [Double]) -> [Double] {
  let count = right.count
  var factor = matrix
  var x = right
  for row in 0..<count {
    for column in 0...row {
      var sum = factor[row * count + column]
      for k in 0..<column { sum -= factor[row * count + k] * factor[column * count + k] }
      if row == column {
        // The floor keeps a tap that no pair of voxels reaches at 0.
        factor[row * count + row] = max(sum, 1e-14).squareRoot()
      } else {
        factor[row * count + column] = sum / factor[column * count + column]
      }
    }
  }
  for row in 0..<count {
    for k in 0..<row { x[row] -= factor[row * count + k] * x[k] }
    x[row] /= factor[row * count + row]
  }
  for row in (0..<count).reversed() {
    for k in (row + 1)..<max(count, row + 1) { x[row] -= factor[k * count + row] * x[k] }
    x[row] /= factor[row * count + row]
  }
  return x
}
