import Work

/// The resampling weights along one axis: each new sample is a weighted sum of old ones.
///
/// To a finer or equal spacing: linear interpolation between the two nearest samples. To a coarser one: the
/// average over the new voxel's extent, each old voxel weighted by the fraction of it that lies inside, with the
/// weights' centre of mass then moved onto the new voxel's centre, so that linear functions are reproduced
/// exactly. Beyond the old field of view the nearest sample is repeated; a new voxel that lies partly beyond
/// averages over the part inside.
struct AxisWeights: Sendable {
  /// Terms of each sum, the same for every sample; unused ones have weight 0.
  let tapCount: Int
  /// The first old sample of each sum; all `tapCount` of them exist.
  let first: [Int]
  /// `tapCount` weights per new sample.
  let weights: [Float]

  /// Sums for `newCount` samples at old positions `start + step * n`, over `oldCount` samples.
  /// - Precondition: `step > 0`.
  init(oldCount: Int, newCount: Int, start: Double, step: Double) {
    precondition(step > 0 && oldCount > 0, "step \(step) over \(oldCount) samples")
    // Positions closer than this to a whole number come from rounding in affines.
    let rounding = 1e-7
    var sums: [(first: Int, weights: [Double])] = []
    sums.reserveCapacity(newCount)
    for n in 0..<newCount {
      var centre = start + step * Double(n)
      if abs(centre - centre.rounded()) < rounding { centre = centre.rounded() }
      sums.append(
        step > 1 + rounding
          ? AxisWeights.average(centre, step, oldCount) : AxisWeights.linear(centre, oldCount))
    }
    let taps = min(sums.map(\.weights.count).max() ?? 1, oldCount)
    tapCount = taps
    first = sums.map { min($0.first, oldCount - taps) }
    weights = sums.flatMap { sum in
      let shift = sum.first - min(sum.first, oldCount - taps)
      return (0..<taps).map { tap in
        let position = tap - shift
        return sum.weights.indices.contains(position) ? Float(sum.weights[position]) : 0
      }
    }
  }

  /// Interpolation at `position`.
  private static func linear(_ position: Double, _ count: Int) -> (Int, [Double]) {
    let clamped = min(max(position, 0), Double(count - 1))
    let lower = min(Int(saturating: clamped), count - 1)
    let fraction = clamped - Double(lower)
    return fraction == 0 ? (lower, [1]) : (lower, [1 - fraction, fraction])
  }

  /// The average over `centre ± extent / 2`.
  private static func average(_ centre: Double, _ extent: Double, _ count: Int) -> (Int, [Double]) {
    let lower = max(centre - extent / 2, -0.5)
    let upper = min(centre + extent / 2, Double(count) - 0.5)
    guard upper > lower else { return linear(centre, count) }
    let firstSample = min(max(Int(saturating: (lower + 0.5).rounded(.down)), 0), count - 1)
    let lastSample = max(min(Int(saturating: (upper + 0.5).rounded(.up)), count) - 1, firstSample)
    var weights = (firstSample...lastSample).map { sample in
      max(0, min(upper, Double(sample) + 0.5) - max(lower, Double(sample) - 0.5)) / (upper - lower)
    }
    // Corrects the centre of mass, which partly covered voxels shift.
    let mean = zip(firstSample...lastSample, weights).reduce(0) { $0 + Double($1.0) * $1.1 }
    let variance = zip(firstSample...lastSample, weights).reduce(0) {
      $0 + (Double($1.0) - mean) * (Double($1.0) - mean) * $1.1
    }
    let isInside = centre - extent / 2 >= -0.5 && centre + extent / 2 <= Double(count) - 0.5
    if isInside, variance > 0 {
      let slope = (centre - mean) / variance
      for (position, sample) in (firstSample...lastSample).enumerated() {
        weights[position] *= 1 + slope * (Double(sample) - mean)
      }
    }
    return (firstSample, weights)
  }
}
