/// Positions of slices that a file states with few decimals.
enum RoundedPositions {
  /// The largest unit of a last digit, in millimetres, that counts as rounding.
  private static let largestUnit = 0.1
  /// The largest distance from an evenly spaced position, in units of the last digit: half a unit, and a tenth for
  /// positions that were computed from rounded numbers.
  private static let largestError = 0.6

  /// Whether rounding of the stated decimals explains how positions differ from even spacing: whether there are evenly
  /// spaced positions from which none is further than the rounding, in any coordinate.
  ///
  /// - Parameters:
  ///   - positions: In millimetres.
  ///   - indices: The number of steps from any origin to each position, of which two differ.
  ///   - unit: The unit of the last stated digit of each coordinate in millimetres; where that of one that changes is above
  ///     0.1 mm, or above the spacing, nothing is explained.
  ///   - spacing: The distance between slices in millimetres.
  /// - Complexity: O(n).
  static func explain(
    _ positions: [SIMD3<Double>], at indices: [Double], unit: SIMD3<Double>, spacing: Double
  ) -> Bool {
    (0..<3).allSatisfy { axis in
      let values = positions.map { $0[axis] }
      // A coordinate that does not change is often stated without decimals.
      if values.allSatisfy({ $0 == values[0] }) { return true }
      guard unit[axis] <= min(largestUnit, spacing) + 1e-9 else { return false }
      let tolerance = largestError * unit[axis] + 1e-9
      return width(of: values, at: indices, within: tolerance) <= 2 * tolerance
    }
  }

  /// The smallest difference between the largest and the smallest distance of values from a line, of all lines from which
  /// no value may be further than `tolerance`.
  private static func width(of values: [Double], at indices: [Double], within tolerance: Double) -> Double {
    guard let first = indices.indices.min(by: { indices[$0] < indices[$1] }),
      let last = indices.indices.max(by: { indices[$0] < indices[$1] }), indices[first] < indices[last]
    else { return 0 }
    func width(_ slope: Double) -> Double {
      var (least, most) = (Double.infinity, -Double.infinity)
      for (index, value) in zip(indices, values) {
        least = min(least, value - slope * index)
        most = max(most, value - slope * index)
      }
      return most - least
    }
    // The width is convex in the slope, and the first and the last value limit the slope.
    let length = indices[last] - indices[first]
    let middle = (values[last] - values[first]) / length
    var (lower, upper) = (middle - 2 * tolerance / length, middle + 2 * tolerance / length)
    for _ in 0..<40 {
      let third = (upper - lower) / 3
      if width(lower + third) <= width(upper - third) { upper -= third } else { lower += third }
    }
    return width((lower + upper) / 2)
  }
}
