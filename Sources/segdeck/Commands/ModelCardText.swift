import Foundation
import Segmentation
import Work

extension ModelCard {
  /// The card as lines of a heading and a text.
  var lines: [String] {
    var lines: [String] = []
    func add(_ heading: String, _ text: String?) {
      if let text, !text.isEmpty { lines.append("\(heading): \(text)") }
    }
    func list(_ heading: String, _ items: [String]?) {
      guard let items, !items.isEmpty else { return }
      lines.append("\(heading):")
      lines += items.map { "  " + $0 }
    }
    add("summary", summary)
    add("training data", data)
    add("licence of the training data", licence)
    for (use, names) in (cases ?? [:]).sorted(by: { $0.key < $1.key }) where !names.isEmpty {
      add("cases for \(use)", "\(names.count): " + names.joined(separator: ", "))
    }
    add("generated cases", generatedCases.map(String.init))
    add(
      "iterations",
      iterations.map { total in
        "\(total)" + (iteration.map { $0 == total ? "" : ", weights of iteration \($0)" } ?? "")
          + (loss.map { ", loss at the end \(decimals($0, 4))" } ?? "")
      })
    list(
      "validation Dice on the working grid (\((structures ?? []).joined(separator: ", ")))", validationMetrics
    )
    list("results", results)
    list("limits", limits)
    list("chosen by the trainer", choices)
    add("made", [date, program.map { "by " + $0 }].compactMap(\.self).joined(separator: " "))
    add("command", command)
    return lines
  }

  /// A line with the Dice values of each validation case, and their mean.
  private var validationMetrics: [String]? {
    guard let validation, let first = validation.first else { return nil }
    func numbers(_ dice: [Double]) -> String { dice.map { decimals($0, 4) }.joined(separator: "  ") }
    let mean = first.dice.indices.map { index in
      validation.reduce(0) { $0 + ($1.dice.indices.contains(index) ? $1.dice[index] : 0) }
        / Double(validation.count)
    }
    let width = (validation.map(\.name.count) + [4]).max() ?? 4
    return (validation.map { ($0.name, $0.dice) } + [("mean", mean)]).map {
      $0.0.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + numbers($0.1)
    }
  }
}
