import Foundation
import Work
import Worklist

/// The tables of a report as comma-separated values; docs/report.md describes their columns.
extension CohortReport {
  /// A row for each case.
  package var casesTable: Data {
    let heading = [
      "case", "image", "mask_a", "mask_b", "status", "verdict", "flagged", "score", "decided_by",
      "decided_at",
      "verdicts", "disputed", "seconds", "lowest_dice", "largest_hd95_mm", "lowest_surface_dice", "flags",
      "comments", "tags", "problems",
    ]
    let rows = cases.map { reported in
      cells(reported) + columns.map { SpreadsheetCell.text(reported.row.item.values[$0] ?? "") }
    }
    return CSVTable.bytes([heading + columns.map { SpreadsheetCell.text("column:" + $0) }] + rows)
  }

  private func cells(_ reported: ReportedCase) -> [String] {
    let (row, text) = (reported.row, SpreadsheetCell.text)
    let (review, masks) = (row.review, row.item.masks)
    let decision = review?.decision
    func mask(_ index: Int) -> String { index < masks.count ? masks[index].path : "" }
    func several(_ texts: [String]) -> String { text(texts.joined(separator: "; ")) }
    let verdicts = (review?.readers ?? []).compactMap { reader in
      review?.decisions[reader]?.verdict.map { "\(reader): \($0.rawValue)" }
    }
    return [
      text(row.item.name), text(row.item.images.first ?? ""), text(mask(0)), text(mask(1)),
      text(row.statusText),
      decision?.verdict?.rawValue ?? "", Self.word(decision?.isFlagged),
      decision?.score.map(String.init) ?? "",
      text(review?.decidingEvent?.reader ?? ""), text(review?.decidingEvent?.time ?? ""), several(verdicts),
      Self.word(review?.isDisputed), SpreadsheetCell.number(review?.seconds, 3),
      SpreadsheetCell.number(reported.lowestDice, 4),
      SpreadsheetCell.number(reported.largestHD95Millimetres, 2),
      SpreadsheetCell.number(reported.lowestSurfaceDice, 4), several(row.flags.map(\.text)),
      several(row.comments), several(row.tags), several(reported.problems),
    ]
  }

  /// "yes" or "no"; empty for nil.
  private static func word(_ value: Bool?) -> String { value.map { $0 ? "yes" : "no" } ?? "" }

  /// A row for each label of each case: the measures of the first mask, then the comparison with the second.
  ///
  /// A label and the compared structure with its value are one row.
  package var labelsTable: Data {
    let heading = [
      "case", "label", "value", "ml", "components", "holes", "missing_slices", "touches", "a_ml", "b_ml",
      "dice",
      "hd95_mm", "assd_mm", "surface_dice", "entropy_inside", "entropy_near_border", "lies_where",
      "only_in",
    ]
    return CSVTable.bytes([heading] + cases.flatMap(Self.labelRows))
  }

  private static func labelRows(_ reported: ReportedCase) -> [[String]] {
    let name = SpreadsheetCell.text(reported.row.item.name)
    return LabelLine.lines(of: reported).map { line in
      let (label, compared) = (line.measures, line.comparison)
      let number = SpreadsheetCell.number
      return [
        name, SpreadsheetCell.text(line.name), line.value.map(String.init) ?? "",
        number(label?.millilitres, 3),
        label.map { "\($0.componentCount)" } ?? "", label.map { "\($0.holeCount)" } ?? "",
        label.map { "\($0.missingSliceCount)" } ?? "", label?.touchedSides.map(\.rawValue).joined() ?? "",
        number(compared?.millilitresA, 3), number(compared?.millilitresB, 3),
        number(compared.map(\.dice) ?? label?.dice, 4), number(compared?.hd95Millimetres, 2),
        number(compared?.averageDistanceMillimetres, 3), number(compared?.surfaceDice, 4),
        number(line.uncertainty?.entropy.inside, 4), number(line.uncertainty?.entropy.nearBorder, 4),
        SpreadsheetCell.text(label?.contradiction?.name ?? ""), line.onlySide ?? "",
      ]
    }
  }

  /// A row for each reader of each case.
  package var verdictsTable: Data {
    let heading = [
      "case", "reader", "time", "verdict", "flagged", "score", "comment", "tags", "seconds", "version",
      "exported",
    ]
    let text = SpreadsheetCell.text
    let rows = cases.flatMap { reported -> [[String]] in
      let review = reported.row.review
      return (review?.readers ?? []).compactMap { reader in
        guard let record = review?.entries[reader]?.decided else { return nil }
        let decision = record.decision
        return [
          text(reported.row.item.name), text(reader), text(record.time), decision.verdict?.rawValue ?? "",
          Self.word(decision.isFlagged), decision.score.map(String.init) ?? "", text(decision.comment),
          text(decision.tags.joined(separator: "; ")), SpreadsheetCell.number(decision.seconds, 3),
          text(decision.version?.name ?? ""), text(decision.version?.exportedPath ?? ""),
        ]
      }
    }
    return CSVTable.bytes([heading] + rows)
  }
}
