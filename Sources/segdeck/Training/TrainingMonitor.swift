import Foundation
import Segmentation
import Work

/// Shows the progress of a training: curves that are redrawn where stderr is a terminal, else a line every minute.
final class TrainingMonitor {
  private let heads: [String]
  private var records: [TrainingRecord]
  private let isTerminal = isatty(2) == 1
  private var paintedLines = 0
  private var lastLine = ContinuousClock.now - .seconds(3600)

  /// The number of rows of a plot.
  private static let plotRows = 10

  /// - Parameter records: The records of a resumed run.
  init(heads: [String], records: [TrainingRecord]) {
    self.heads = heads.map(\.printableLine)
    self.records = records
  }

  /// Adds a record and shows it.
  func show(_ record: TrainingRecord) {
    records.append(record)
    guard isTerminal else {
      // A line every minute, and for every validation.
      guard record.validationDice?.isEmpty == false || ContinuousClock.now - lastLine > .seconds(60) else {
        return
      }
      lastLine = .now
      Console.message(statusLine(record))
      return
    }
    let columns = OutputTerminal.columns(ofDescriptor: 2)
    var lines = plots(columns: columns)
    lines.append(String(statusLine(record).prefix(columns - 1)))
    let up = paintedLines > 0 ? "\r\u{1b}[\(paintedLines)A" : ""
    Console.paint(up + lines.map { $0 + "\u{1b}[K\n" }.joined())
    paintedLines = lines.count
  }

  private func plots(columns: Int) -> [String] {
    let unicode = OutputTerminal.showsUnicode
    let colour = ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    let iterations = records.last?.iterations ?? 0
    // The sum of the heads is not plotted because it would compress the scale; the status line shows it.
    var losses: [LearningCurve] = []
    for (index, name) in heads.enumerated() {
      let points = records.smoothedHeadLoss(index).filter { $0.value > 0 }
      if !points.isEmpty { losses.append(LearningCurve(name: name, runs: [points])) }
    }
    let validation = [LearningCurve(name: "Dice", runs: [records.validation])]
    func plot(_ title: String, _ curves: [LearningCurve], _ width: Int) -> [String] {
      TextPlot(
        title: title, curves: curves, iterations: iterations, columns: width, rows: Self.plotRows,
        showsUnicode: unicode, showsColour: colour
      ).lines
    }
    let hasValidation = !records.validation.isEmpty
    if hasValidation, columns >= 90 {
      let half = (min(columns, 160) - 3) / 2
      return zip(plot("training loss per head", losses, half), plot("validation Dice", validation, half)).map
      {
        $0 + "  " + $1
      }
    }
    let width = min(columns - 1, 100)
    return plot("training loss", losses, width)
      + (hasValidation ? plot("validation Dice", validation, width) : [])
  }

  /// "step 100/2000  loss 0.213  Dice 0.871 (best 0.880 at 90)  rate 0.04  3 min 20 s left".
  private func statusLine(_ record: TrainingRecord) -> String {
    var parts = [
      "step \(record.iteration)/\(record.iterations)",
      "loss \(decimals(records.smoothedLoss.last?.value ?? record.loss, 4))",
    ]
    if let best = records.validation.max(by: { $0.value < $1.value }), let newest = records.validation.last {
      parts.append(
        "Dice \(decimals(newest.value, 3)) (best \(decimals(best.value, 3)) at \(best.iteration))")
    }
    parts.append("rate \(significant(record.learningRate, 2))")
    parts.append(duration(record.remainingSeconds) + " left")
    return parts.joined(separator: "  ")
  }
}
