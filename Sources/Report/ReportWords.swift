import Work
import Worklist

/// The texts of a report's counts and numbers, the same in Markdown and on the page.
extension CohortReport {
  /// "38 of 40 cases, filtered by dice<0.8" or "40 cases".
  var extentText: String {
    let count =
      cases.count == listedCaseCount
      ? counted(listedCaseCount, "case") : "\(cases.count) of \(counted(listedCaseCount, "case"))"
    return filter.map { "\(count), filtered by \($0)" } ?? count
  }

  /// The time of the report: "2026-11-29 18:00 UTC".
  var createdText: String { created.prefix(16).replacing("T", with: " ") + " UTC" }

  /// The number of cases with each status and of each further kind; kinds without a case are left out.
  var tallies: [(name: String, count: Int)] {
    let statuses = CaseRow.Status.allCases.map { status in
      (status.rawValue, cases.count { $0.row.statuses.contains(status) })
    }
    let others = [
      ("disputed", cases.count { $0.row.review?.isDisputed == true }),
      ("unusual", cases.count { !$0.row.flags.isEmpty }),
      ("with problems", cases.count { !$0.problems.isEmpty }),
    ]
    return (statuses + others).filter { $0.1 > 0 }.map { (name: $0.0, count: $0.1) }
  }

  /// The headings and rows of the readers' table.
  var readerTable: (heading: [String], rows: [[String]]) {
    let heading = [
      "reader", "cases", "decided", "accepted", "rejected", "needs work", "flagged", "mean score", "time",
      "median time",
    ]
    let rows = readers.map { reader in
      [
        reader.reader, "\(reader.openedCount)", "\(reader.decidedCount)", "\(reader.acceptedCount)",
        "\(reader.rejectedCount)", "\(reader.needsWorkCount)", "\(reader.flaggedCount)",
        shown(reader.meanScore, 2), duration(reader.seconds), reader.medianSeconds.map(duration) ?? "-",
      ]
    }
    return (heading, rows)
  }

  /// The headings and rows of the agreement's table; nil without an agreement.
  var agreementTable: (heading: [String], rows: [[String]])? {
    guard let agreement else { return nil }
    let heading = [
      "readers", "verdicts of both", "equal", "kappa", "scores of both", "mean difference", "weighted kappa",
    ]
    var rows = agreement.pairs.map { pair in
      [
        "\(pair.first), \(pair.second)", "\(pair.verdicts?.caseCount ?? 0)",
        pair.verdicts.map { "\(decimals(100 * $0.equalFraction, 0)) %" } ?? "-",
        shown(pair.verdicts?.kappa, 2),
        "\(pair.scores?.caseCount ?? 0)", shown(pair.scores?.meanDifference, 2),
        shown(pair.scores?.weightedKappa, 2),
      ]
    }
    if let all = agreement.all {
      rows.append([
        "all \(all.readers.count) readers", "\(all.caseCount)", "-", shown(all.kappa, 2), "-", "-", "-",
      ])
    }
    return (heading, rows)
  }
}

/// A number with `decimalPlaces` decimals; "-" for nil.
func shown(_ value: Double?, _ decimalPlaces: Int) -> String {
  value.map { decimals($0, decimalPlaces) } ?? "-"
}

/// A volume as text; one that is not 0 but rounds to it is "<0.01", "-" for none.
func shownMillilitres(_ millilitres: Double?) -> String {
  let text = shown(millilitres, 2)
  return text == "0.00" && millilitres ?? 0 > 0 ? "<0.01" : text
}
