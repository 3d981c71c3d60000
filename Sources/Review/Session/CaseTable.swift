import Foundation
import Screen
import Work
import Worklist

/// The text of the list of cases: its header, and a line for each case.
struct CaseTable {
  private let worklist: WorklistState
  private let table: NameTable
  /// The width of the column of verdicts.
  private var statusWidth: Int { table.columns[0].width }
  /// The width of the last column: readers, comment and the first flag.
  private let lastWidth: Int
  /// The width of the label names after Dice coefficients; 0 for no names.
  private let labelWidth: Int

  /// A table that is `width` cells wide; from 100 cells on, it has comments and flags.
  ///
  /// Label names get the width that the names of the cases leave.
  init(_ worklist: WorklistState, width: Int) {
    self.worklist = worklist
    lastWidth = width >= 100 ? width * 2 / 5 : 0
    let status = Self.widestStatus(worklist, width: width - lastWidth)
    func table(_ labelWidth: Int, width: Int) -> NameTable {
      let dice = 5 + (labelWidth > 0 ? 1 + labelWidth : 0)
      return NameTable(
        width: width,
        [
          NameTable.Column("verdict", widest: status), NameTable.Column("score", widest: "5"),
          // Numbers that a label follows are aligned to the left.
          NameTable.Column(labelWidth > 0 ? "Dice".fitted(dice) : "Dice", widest: "0.999"),
          NameTable.Column("flags", widest: "99"),
        ])
    }
    let free =
      table(0, width: width - lastWidth).nameWidth
      - (worklist.cases.map { TextWidth.columns(cleaned($0.name)) }.max() ?? 0)
    let widest = worklist.measures.values.compactMap { measures in
      Self.lowest(measures).map { TextWidth.columns(cleaned($0.name)) }
    }.max()
    let labelWidth = min(widest ?? 0, free - 2, Self.maximumLabelWidth)
    self.labelWidth = labelWidth < Self.minimumLabelWidth ? 0 : labelWidth
    self.table = table(self.labelWidth, width: width - lastWidth)
  }

  /// The widest status of a case, as far as there is room beside the names of the cases.
  private static func widestStatus(_ worklist: WorklistState, width: Int) -> String {
    let usual = "needs work, flagged"
    // On the narrowest screens names come before verdicts, which are cut.
    guard width >= narrowWidth else {
      return String(repeating: "x", count: max(7, min(usual.count, width - narrowNameWidth - 20)))
    }
    let widest = worklist.cases.indices.map {
      TextWidth.columns(cleaned(worklist.row(CaseID($0)).statusText))
    }.max()
    let names = worklist.cases.map { TextWidth.columns(cleaned($0.name)) }.max() ?? 0
    // Score, Dice and flags take 20 columns with the blanks between them.
    let room = width - min(names, width / 3) - 20
    return String(repeating: "x", count: max(usual.count, min(widest ?? 0, room)))
  }

  private static let minimumLabelWidth = 4
  /// The width below which names have about so many columns, and verdicts what is left.
  private static let (narrowWidth, narrowNameWidth) = (57, 12)
  private static let maximumLabelWidth = 16

  /// The line above the cases; a click on the title of a column that sorts is that column's.
  var header: [Span] {
    let titles = ["case"] + table.columns.map(\.title)
    let widths = [max(0, table.nameWidth)] + table.columns.map { $0.width + 1 }
    let columns = zip(titles, widths).enumerated().map { position, column in
      let name = column.0.trimmingCharacters(in: .whitespaces)
      let text =
        position == 0 ? column.0.fitted(column.1) : " " + column.0.fitted(column.1 - 1, atRight: true)
      return Span(
        text, Theme.quiet, click: WorklistState.sortPosition(ofTitle: name).map { .heading($0) })
    }
    return columns
      + (lastWidth > 0 ? [Span("  readers, comment, first flag".fitted(lastWidth), Theme.quiet)] : [])
  }

  func line(_ id: CaseID) -> String {
    let review = worklist.review(of: id)
    let decision = worklist.row(id).decision
    let flags = worklist.flags[id] ?? []
    let line = table.line(
      TextWidth.shortened(cleaned(worklist.cases[id.position].name), to: max(1, table.nameWidth)),
      [
        TextWidth.truncated(cleaned(worklist.row(id).statusText), to: statusWidth),
        decision?.score.map { "\($0)" } ?? "", dice(id),
        flags.isEmpty ? "" : "\(flags.count)",
      ])
    guard lastWidth > 2 else { return line }
    let comment = [review?.readers.joined(separator: " "), decision?.comment].compactMap(\.self)
      .filter { !$0.isEmpty }.joined(separator: ": ")
    return line + "  "
      + Self.joined(cleaned(comment), cleaned(flags.first?.text ?? ""), width: lastWidth - 2)
  }

  /// The lowest Dice coefficient of a case, with its label where several were compared and there is room.
  private func dice(_ id: CaseID) -> String {
    guard let measures = worklist.measures[id] else {
      return worklist.unmeasured.contains(id) ? "…".fitted(labelWidth > 0 ? 6 + labelWidth : 1) : ""
    }
    guard let dice = measures.lowestDice else { return "" }
    let number = decimals(dice, 3)
    guard labelWidth > 0 else { return number }
    let name = Self.lowest(measures).map { TextWidth.shortened(cleaned($0.name), to: labelWidth) } ?? ""
    return number + " " + name.fitted(labelWidth)
  }

  /// The label with the lowest Dice coefficient; nil where fewer than two labels were compared.
  private static func lowest(_ measures: CaseMeasures) -> CaseMeasures.LabelMeasures? {
    let compared = measures.labels.filter { $0.dice != nil }
    return compared.count > 1 ? compared.min { ($0.dice ?? 1) < ($1.dice ?? 1) } : nil
  }

  /// A comment and a flag side by side; where both are long, each has half of the columns.
  private static func joined(_ comment: String, _ flag: String, width: Int) -> String {
    guard !comment.isEmpty, !flag.isEmpty else { return (comment + flag).fitted(width) }
    let room = max(width / 2 - 2, width - 2 - TextWidth.columns(flag))
    let beginning = TextWidth.truncated(comment, to: room)
    return (beginning + "  " + flag).fitted(width)
  }
}
