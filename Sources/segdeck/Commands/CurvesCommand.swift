import ArgumentParser
import Foundation
import Segmentation
import Work

/// `segdeck curves`: the learning curves of finished or running trainings.
struct CurvesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curves", abstract: "Draw the loss and validation curves of training logs.",
    discussion: """
      RUN is a log that `train --log` wrote, or NAME=LOG,LOG,... for several seeds of one kind of run, which become one \
      curve: the mean, and a band from the smallest to the largest. Without -o the curves are drawn with characters; \
      after them a table says how each kind ended.
      """)

  @Argument(help: ArgumentHelp("Logs to draw.", valueName: "run"), completion: .file())
  var runs: [String]

  @Option(name: .shortAndLong, help: "Write an SVG picture, NAME.svg, instead.")
  var output: String?

  @Flag(help: "Replace an existing picture.")
  var force = false

  /// The logs of one kind of run.
  private struct Kind {
    let name: String
    let logs: [[TrainingRecord]]

    init(_ argument: String) throws(InputError) {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let paths = (parts.count > 1 ? parts[1] : parts[0]).split(separator: ",").map(String.init)
      guard !paths.isEmpty, parts.count < 2 || !parts[0].isEmpty else {
        throw InputError(argument, "names no log", expected: "LOG or NAME=LOG,LOG,...")
      }
      name = (parts.count > 1 ? String(parts[0]) : FilePath.stem(of: paths[0])).printableLine
      var logs: [[TrainingRecord]] = []
      for path in paths {
        let records = try TrainingRecord.read(log: path)
        guard !records.isEmpty else { throw InputError(path, "holds no record") }
        logs.append(records)
      }
      self.logs = logs
    }

    var loss: LearningCurve { LearningCurve(name: name, runs: logs.map(\.smoothedLoss)) }
    var validation: LearningCurve { LearningCurve(name: name, runs: logs.map(\.validation)) }
  }

  func run() throws {
    let outputPath = try output.map { try OutputPath($0, kind: .picture, isForced: force) }
    let kinds = try runs.map { argument throws(InputError) in try Kind(argument) }
    if let outputPath {
      let picture = CurvePicture(plots: [
        .init(title: "training loss (smoothed)", curves: kinds.map(\.loss)),
        .init(title: "validation Dice", curves: kinds.map(\.validation)),
      ])
      try AtomicFile.write(Data(picture.svg.utf8), to: outputPath.path)
    } else {
      let columns = min(OutputTerminal.columns(ofDescriptor: 1), 120)
      for (title, curves) in [
        ("training loss", kinds.map(\.loss)), ("validation Dice", kinds.map(\.validation)),
      ]
      where curves.contains(where: { !$0.points.isEmpty }) {
        let plot = TextPlot(
          title: title, curves: curves, iterations: 0, columns: columns, rows: 16,
          showsUnicode: OutputTerminal.showsUnicode,
          showsColour: isatty(1) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil)
        try Console.print(drawing: plot.lines.joined(separator: "\n") + "\n")
      }
    }
    try Console.print(table(of: kinds))
  }

  /// A table with a row for each kind: its logs, the final loss and the best validation, as mean and standard
  /// deviation.
  private func table(of kinds: [Kind]) -> String {
    var table = TextTable(heading: [
      "run", "logs", "iterations", "loss at the end", "best Dice", "at the end",
    ])
    for kind in kinds {
      table.rows.append([
        kind.name, "\(kind.logs.count)", "\(kind.logs.compactMap { $0.last?.iteration }.max() ?? 0)",
        Self.text(kind.logs.compactMap { $0.smoothedLoss.last?.value }),
        Self.text(kind.logs.compactMap { $0.validation.map(\.value).max() }),
        Self.text(kind.logs.compactMap { $0.validation.last?.value }),
      ])
    }
    return table.text
  }

  /// "0.8412" of one value, "0.8412 ± 0.0031" of several (sample standard deviation), "-" of none.
  private static func text(_ values: [Double]) -> String {
    guard !values.isEmpty else { return "-" }
    let mean = values.reduce(0, +) / Double(values.count)
    guard values.count > 1 else { return decimals(mean, 4) }
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    return "\(decimals(mean, 4)) ± \(decimals(variance.squareRoot(), 4))"
  }
}
