import Foundation
import Work

/// The range and the ticks of a plot's axis.
struct CurveAxis: Equatable {
  let lower, upper: Double
  /// Multiples of 1, 2 or 5 times a power of ten.
  let ticks: [Double]
  private let digits: Int

  /// An axis of `range`, widened to whole ticks, about `count` of them.
  init(holding range: ClosedRange<Double>, ticks count: Int) {
    // Ticks of a range far narrower than its values would have equal texts.
    let span = max(
      range.upperBound - range.lowerBound, 1e-9, 1e-9 * max(abs(range.lowerBound), abs(range.upperBound)))
    let rough = span / Double(max(count, 1))
    let power = pow(10, floor(log10(rough)))
    let step = ([1, 2, 5, 10].first { $0 * power >= rough * 0.999 } ?? 10) * power
    let (first, last) = (floor(range.lowerBound / step + 1e-9), ceil(range.upperBound / step - 1e-9))
    lower = first * step
    upper = max(last, first + 1) * step
    ticks = stride(from: first, through: max(last, first + 1), by: 1).map { $0 * step }
    digits = max(0, -Int(saturating: floor(log10(step) + 1e-9)))
  }

  /// The axis of the values of `curves`; it starts at 0 unless the smallest value is at least half the largest.
  init(valuesOf curves: [LearningCurve], ticks count: Int) {
    let points = curves.flatMap(\.points)
    let smallest = points.map(\.lower).min() ?? 0
    // Equal values, for example a Dice of 0 at the start, need an axis of some extent.
    let largest = max(points.map(\.upper).max() ?? 1, smallest + 1e-3)
    self.init(
      holding: (smallest < largest / 2 ? min(smallest, 0) : smallest)...largest, ticks: count)
  }

  /// The position of `value` on the axis: 0 at the lower end, 1 at the upper end.
  func fraction(_ value: Double) -> Double { (value - lower) / (upper - lower) }

  /// A tick as text.
  func text(_ value: Double) -> String { String(format: "%.\(digits)f", value) }
}
