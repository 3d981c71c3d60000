import Foundation
import Work

/// The range of an axis and where its ticks stand.
struct CurveAxis: Equatable {
  let lower, upper: Double
  /// Multiples of 1, 2 or 5 times a power of ten.
  let ticks: [Double]
  private let digits: Int

  /// An axis that holds `range`, widened to whole ticks, of which there are about `count`.
  init(holding range: ClosedRange<Double>, ticks count: Int) {
    // Ticks of a far narrower range than its values could not be told apart.
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

  /// The axis of the values of `curves`, from 0 where that is not far below the smallest.
  init(valuesOf curves: [LearningCurve], ticks count: Int) {
    let points = curves.flatMap(\.points)
    let smallest = points.map(\.lower).min() ?? 0
    // Equal values, such as a Dice of 0 at the start, get an axis that says so.
    let largest = max(points.map(\.upper).max() ?? 1, smallest + 1e-3)
    self.init(
      holding: (smallest < largest / 2 ? min(smallest, 0) : smallest)...largest, ticks: count)
  }

  /// 0 at the lower end, 1 at the upper one.
  func share(_ value: Double) -> Double { (value - lower) / (upper - lower) }

  /// A tick as text.
  func text(_ value: Double) -> String { String(format: "%.\(digits)f", value) }
}
