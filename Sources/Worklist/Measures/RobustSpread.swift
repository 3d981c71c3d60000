/// Median and robust standard deviation of numbers, which a few outliers hardly change.
struct RobustSpread: Equatable {
  let median: Double
  /// The standard deviation of a normal distribution with the same median absolute deviation (MAD), but at least a
  /// floor.
  let deviation: Double

  /// The ratio of standard deviation and median absolute deviation of a normal distribution.
  private static let normalRatio = 1.4826

  /// The spread of numbers; nil for none.
  /// - Parameter floor: The minimum deviation for a median. Where more than half of the numbers are equal, their median
  ///   absolute deviation is 0, and the smallest difference would be an outlier.
  init?(_ numbers: [Double], floor: (_ median: Double) -> Double) {
    guard let median = Self.median(numbers) else { return nil }
    self.median = median
    let absolute = Self.median(numbers.map { abs($0 - median) }) ?? 0
    deviation = max(Self.normalRatio * absolute, floor(median))
  }

  /// The distance of a number from the median in deviations; negative below the median, 0 where the deviation is 0.
  func deviations(of number: Double) -> Double { deviation > 0 ? (number - median) / deviation : 0 }

  /// The median; the mean of the two middle numbers for an even count, nil for no numbers.
  static func median(_ numbers: [Double]) -> Double? {
    guard !numbers.isEmpty else { return nil }
    let sorted = numbers.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
