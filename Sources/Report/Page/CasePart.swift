import Foundation
import Work
import Worklist

/// The HTML of one case: a row of the table, and below it pictures, labels, decisions and files.
struct CasePart {
  let reported: ReportedCase
  /// The further columns of the worklist.
  let columns: [String]

  private var row: CaseRow { reported.row }

  func html(position: Int) -> String {
    let statuses = row.statuses.map(\.rawValue)
    let isDisputed = row.review?.isDisputed == true
    let marks = [
      row.flags.isEmpty ? nil : "unusual", isDisputed ? "disputed" : nil,
      reported.problems.isEmpty ? nil : "problem",
    ].compactMap(\.self)
    return """
      <tbody class=case data-position="\(position)" data-status="\(statuses.joined(separator: ","))" \
      data-marks="\(marks.joined(separator: ","))">
      <tr class=line>\(summary(statuses, isDisputed: isDisputed))</tr>
      <tr class=details><td colspan=10><div class=detail>\(pictures)<div class=facts>\(facts)</div></div></td></tr>
      </tbody>
      """
  }

  private func summary(_ statuses: [String], isDisputed: Bool) -> String {
    let badges = (statuses + (isDisputed ? ["disputed"] : [])).map {
      "<span class=\"badge \(CohortReport.className($0))\">\($0)</span>"
    }
    let words =
      row.comments.map { "<span class=comment>\(HTMLText.isolated($0))</span>" }
      + row.tags.map { "<span class=tag>\(HTMLText.isolated($0))</span>" }
    let score = row.review?.decision?.score
    return [
      "<th scope=row data-key=case>\(HTMLText.isolated(row.item.name))</th>",
      "<td data-key=status data-value=\"\(statuses.joined(separator: ", "))\">\(badges.joined(separator: " "))</td>",
      number("score", score.map(Double.init), score.map(String.init) ?? ""),
      number("dice", reported.lowestDice, shown(reported.lowestDice, 3)),
      number("hd95", reported.largestHD95Millimetres, shown(reported.largestHD95Millimetres, 1)),
      number("surface", reported.lowestSurfaceDice, shown(reported.lowestSurfaceDice, 3)),
      number("flags", Double(row.flags.count), row.flags.isEmpty ? "" : "\(row.flags.count)"),
      number("seconds", row.review?.seconds, row.review.map { duration($0.seconds) } ?? ""),
      "<td data-key=readers>\(HTMLText.isolated((row.review?.readers ?? []).joined(separator: ", ")))</td>",
      "<td data-key=comment class=words>\(words.joined(separator: " "))</td>",
    ].joined(separator: "\n")
  }

  private func number(_ key: String, _ value: Double?, _ text: String) -> String {
    let stated = value.map { " data-value=\"\($0)\"" } ?? " data-value=\"\""
    return "<td class=number data-key=\(key)\(stated)>\(HTMLText.escaped(value == nil ? "" : text))</td>"
  }

  private var pictures: String {
    guard !reported.pictures.isEmpty else { return "" }
    let figures = reported.pictures.map { picture in
      let legend = picture.legend.map {
        " <span class=key><i style=\"background:\(HTMLText.escaped($0.colour))\"></i>\(HTMLText.isolated($0.text))</span>"
      }
      return """
        <figure><img src="data:image/png;base64,\(picture.png.base64EncodedString())" width=\(picture.width) \
        height=\(picture.height) decoding=async alt="\(HTMLText.escaped("\(row.item.name): \(picture.title)"))">\
        <figcaption>\(HTMLText.isolated(picture.title))\(legend.joined())</figcaption></figure>
        """
    }
    return "<div class=pictures>\(figures.joined(separator: "\n"))</div>"
  }

  private var facts: String {
    var parts: [String] = []
    func list(_ name: String, _ lines: [String]) {
      guard !lines.isEmpty else { return }
      parts.append("<ul class=\(name)>\(lines.map { "<li>\(HTMLText.isolated($0))</li>" }.joined())</ul>")
    }
    list("problems", reported.problems)
    list("flags", row.flags.map(\.text))
    parts += [labelTable, decisions, further, files].filter { !$0.isEmpty }
    return parts.joined(separator: "\n")
  }

  private var labelTable: String {
    let lines = LabelLine.lines(of: reported)
    guard !lines.isEmpty else { return "" }
    let isCompared = !reported.comparison.isEmpty
    let shape = ["parts", "holes", "gaps"]
    let heading =
      isCompared
      ? ["label", "A mL", "B mL", "Dice", "HD95 mm", "ASSD mm", "surface Dice"] + shape
      : ["label", "mL"] + shape
    return HTMLText.table(
      heading,
      lines.map { line in
        let (label, compared) = (line.measures, line.comparison)
        let volume = shownMillilitres(compared?.millilitresA ?? label?.millilitres)
        let counts = [label?.componentCount, label?.holeCount, label?.missingSliceCount].map {
          $0.map(String.init) ?? "-"
        }
        guard isCompared else { return [line.name, volume] + counts }
        return [
          line.title, volume, shownMillilitres(compared?.millilitresB), shown(compared?.dice, 3),
          shown(compared?.hd95Millimetres, 1), shown(compared?.averageDistanceMillimetres, 2),
          shown(compared?.surfaceDice, 3),
        ] + counts
      })
  }

  private var decisions: String {
    guard let review = row.review, !review.readers.isEmpty else { return "" }
    let rows = review.readers.compactMap { reader -> String? in
      guard let record = review.entries[reader]?.last else { return nil }
      let decision = record.decision
      let verdict = decision.verdict?.rawValue ?? (record.kind == .opened ? "open now" : "")
      let words = [decision.isFlagged ? "flagged" : "", decision.score.map { "score \($0)" } ?? ""]
        .filter { !$0.isEmpty }
      let badge =
        verdict.isEmpty ? "" : "<span class=\"badge \(CohortReport.className(verdict))\">\(verdict)</span> "
      return """
        <tr><th scope=row>\(HTMLText.isolated(reader))</th><td>\(badge)\(HTMLText.escaped(words.joined(separator: ", ")))\
        </td><td class=number>\(HTMLText.escaped(duration(decision.seconds)))</td>\
        <td class=words>\(HTMLText.isolated(decision.comment))</td></tr>
        """
    }
    return "<table class=\"small decisions\"><tbody>\(rows.joined(separator: "\n"))</tbody></table>"
  }

  /// The further columns of the worklist.
  private var further: String {
    let pairs = columns.compactMap { name in row.item.values[name].map { (name, $0) } }
    guard !pairs.isEmpty else { return "" }
    let items = pairs.map { "<div><dt>\(HTMLText.isolated($0))</dt><dd>\(HTMLText.isolated($1))</dd></div>" }
    return "<dl>\(items.joined())</dl>"
  }

  private var files: String {
    let named = row.item.images.map { ("image", $0) } + row.item.masks.map { ($0.name, $0.path) }
    let items = named.map { "<li><span>\(HTMLText.isolated($0))</span> \(HTMLText.isolated($1))</li>" }
    return "<ul class=files>\(items.joined())</ul>"
  }
}
