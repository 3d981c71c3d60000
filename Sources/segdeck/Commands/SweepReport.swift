import Foundation
import Segmentation
import Volumes
import Work

/// The report of `segdeck sweep`.
struct SweepReport {
  let search: KernelSearch
  let trials: [KernelSearch.Trial]
  /// The settings that were measured at full resolution; the start of the search is the first.
  let kernels: [RefinementSettings]
  let measurements: [SweepMeasurement]
  let model: String
  let structures: [String]
  /// The coding of the model's labels.
  let coding: LabelCoding
  let columns: Int
  let showsUnicode: Bool

  var outcome: SweepOutcome { SweepOutcome(measurements, objective: search.objective) }
  /// The best kernels.
  var best: RefinementSettings { kernels[outcome.best] }

  /// The report as text: heading, tables, conclusion.
  var text: String {
    let completeCount = trials.filter { $0.scores.count == search.cases.count }.count
    let stopped =
      trials.count > completeCount ? ", \(trials.count - completeCount) of them stopped early" : ""
    let unit = search.objective == .dice ? "Dice" : "average surface distance"
    let heading =
      "\(model.printableLine): \(unit) of \(structures.map(\.printableLine).joined(separator: ", ")); \(counted(trials.count, "trial"))\(stopped) on "
      + "\(counted(search.cases.count, "case")) at half the resolution or less, \(counted(kernels.count, "kernel")) at full"
    return [heading, kernelTable, caseTable, verdict].joined(separator: "\n\n")
  }

  /// A table of the kernel parameters: start, found, and the best gain across the range.
  private var kernelTable: String {
    var table = TextTable(heading: ["kernel", "start", "found", "from", "best gain across the range", "to"])
    for parameter in KernelParameter.allCases {
      let range = search.ranges.range(of: parameter)
      table.rows.append([
        Self.name(parameter), number(parameter.value(in: search.ranges.start)),
        number(parameter.value(in: best)), range.map { number($0.lowerBound) } ?? "-",
        range == nil ? "held" : profile(parameter), range.map { number($0.upperBound) } ?? "-",
      ])
    }
    return table.text
  }

  private static func name(_ parameter: KernelParameter) -> String {
    switch parameter {
    case .appearanceWeight: "mu1, appearance weight"
    case .thetaAlpha: "theta alpha, mm"
    case .thetaBeta: "theta beta, intensity"
    case .smoothnessWeight: "mu2, smoothness weight"
    case .thetaGamma: "theta gamma, mm"
    }
  }

  /// The maximum gain of the trials in each of 16 bins of the range, as bar heights; a blank for a bin without trials.
  private func profile(_ parameter: KernelParameter) -> String {
    let count = 16
    var best = [Double?](repeating: nil, count: count)
    for trial in trials where trial.scores.count == search.cases.count {
      guard let fraction = search.ranges.fraction(of: parameter, in: trial.settings) else { continue }
      let part = min(max(Int(saturating: fraction * Double(count)), 0), count - 1)
      best[part] = max(best[part] ?? -.infinity, search.gain(of: trial))
    }
    let values = best.compactMap(\.self)
    guard let minimum = values.min(), let maximum = values.max() else { return "" }
    let heights: [Character] = showsUnicode ? Array("▁▂▃▄▅▆▇█") : Array("_.-=+*%#")
    return String(
      best.map { gain in
        guard let gain else { return " " }
        let fraction = maximum > minimum ? (gain - minimum) / (maximum - minimum) : 1
        return heights[min(Int(saturating: fraction * Double(heights.count)), heights.count - 1)]
      })
  }

  /// A table of the cases: both measures without and with the CRF, and the gain as a bar.
  private var caseTable: String {
    let chosen = outcome.best
    let objective = search.objective
    let gains = measurements.map { $0.gain(chosen, objective) }
    let largest = max(gains.map(abs).max() ?? 0, 1e-9)
    let barWidth = Double(max(10, min(30, columns - 70)))
    var table = TextTable(
      heading: ["case", "Dice", "with CRF", "distance mm", "with CRF", "gain", ""])
    func row(
      _ name: String, _ one: SweepMeasurement.Measures?, _ two: SweepMeasurement.Measures?, _ gain: Double
    ) {
      guard let one, let two else {
        table.rows.append([name, "-", "-", "-", "-", "-", ""])
        return
      }
      let length = Int(saturating: (abs(gain) / largest * barWidth).rounded())
      let mark = gain < 0 ? "-" : showsUnicode ? "█" : "#"
      table.rows.append([
        name, decimals(one.dice, 4), decimals(two.dice, 4),
        decimals(one.averageMillimetres, 2),
        decimals(two.averageMillimetres, 2), signed(gain),
        String(repeating: mark, count: length).padding(toLength: Int(barWidth), withPad: " ", startingAt: 0),
      ])
    }
    for (measurement, gain) in zip(measurements, gains) {
      let counts = measurement.counts
      row(
        measurement.name, counts ? measurement.beforeRefinement : nil,
        counts ? measurement.refined[chosen] : nil,
        gain)
    }
    if measurements.count > 1 {
      let counted = measurements.filter(\.counts)
      row(
        "mean of \(counted.count)", mean(counted.map(\.beforeRefinement)),
        mean(counted.map { $0.refined[chosen] }),
        outcome.meanGain)
    }
    return table.text.split(separator: "\n").map { line in
      var line = String(line)
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  private func mean(_ measures: [SweepMeasurement.Measures]) -> SweepMeasurement.Measures? {
    if measures.isEmpty { return nil }
    let count = Double(measures.count)
    return SweepMeasurement.Measures(
      dice: measures.reduce(0) { $0 + $1.dice } / count,
      averageMillimetres: measures.reduce(0) { $0 + $1.averageMillimetres } / count)
  }

  /// The conclusion in a sentence, and the kernels as options.
  private var verdict: String {
    let unit = search.objective == .dice ? "Dice" : "mm"
    guard outcome.isImprovement else {
      return
        "The CRF does not help here: the best kernels found change the mean by \(signed(outcome.meanGain)) \(unit)."
    }
    var lines = ["The CRF gains \(signed(outcome.meanGain)) \(unit) on average."]
    if let heldOutGain = outcome.heldOutGain {
      lines.append(
        "Chosen for each case on the other cases alone, the kernels gain \(signed(heldOutGain)) \(unit).")
    }
    let worse = measurements.filter { $0.gain(outcome.best, search.objective) < 0 }.map(\.name)
    if !worse.isEmpty {
      lines.append("Worse with it: \(worse.map(\.printableLine).joined(separator: ", ")).")
    }
    lines.append(CommandLineText.text(RefinementOptions.words(best, coding: coding)))
    return lines.joined(separator: "\n")
  }

  private func signed(_ gain: Double) -> String {
    let text = decimals(gain, search.objective == .dice ? 4 : 3)
    return text.hasPrefix("-") ? text : "+" + text
  }

  private func number(_ value: Double) -> String { significant(value, 3) }
}
