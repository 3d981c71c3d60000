import Foundation
import Work
import Worklist

/// What is known of a case at the end: its name with its last record.
package struct CohortResult: Equatable, Sendable {
  package enum Status: String, Sendable {
    case done, failed, begun, left
  }

  package var name: String
  package var state: CaseProgress.State

  package init(name: String, state: CaseProgress.State) { (self.name, self.state) = (name, state) }

  package var status: Status {
    switch state {
    case .left: .left
    case .begun: .begun
    case .done: .done
    case .failed: .failed
    }
  }

  /// The record that made the state; nil for a case that is left.
  package var record: CohortRecord? {
    switch state {
    case .left: nil
    case .begun(let record), .done(let record), .failed(let record): record
    }
  }
}

extension [CohortResult] {
  /// The cases with a status.
  package func count(_ status: CohortResult.Status) -> Int { count { $0.status == status } }

  /// A table with a row for each label of each case, and one for a case without labels, in the order of the cases.
  ///
  /// It depends on images, model and settings alone, and not on when, where or in how many tasks cases were computed.
  package var table: Data {
    let heading = [
      "case", "status", "label", "value", "ml", "components", "holes", "missing_slices", "touches",
      "entropy_inside", "entropy_near_border", "reference", "reference_ml", "dice", "hd95_mm", "assd_mm",
      "surface_dice", "error",
    ]
    return CSVTable.bytes([heading] + flatMap { $0.rows(columnCount: heading.count) })
  }

  /// The last record of each case that has one, as lines of JSON.
  package var lines: Data {
    reduce(into: Data()) { data, result in
      if let record = result.record { data += record.json + Data([0x0a]) }
    }
  }
}

extension CohortResult {
  fileprivate func rows(columnCount: Int) -> [[String]] {
    func row(_ cells: [String]) -> [String] {
      let all = [name, status.rawValue] + cells
      return all + Array(repeating: "", count: columnCount - all.count)
    }
    guard let record, status == .done else {
      var only = row([])
      only[columnCount - 1] = status == .failed ? record?.error ?? "" : ""
      return [only]
    }
    func text(_ number: Double?, _ digits: Int) -> String { number.map { decimals($0, digits) } ?? "" }
    let comparisons = record.comparisons ?? []
    var rows = (record.labels ?? []).map { label in
      let compared = comparisons.first { $0.name == label.name }
      return row([
        label.name, "\(label.value)", decimals(label.ml, 3), "\(label.components)", "\(label.holes)",
        "\(label.missingSlices)", label.touches.joined(separator: " "), text(label.entropyInside, 4),
        text(label.entropyNearBorder, 4), compared == nil ? "" : record.reference ?? "",
        text(compared?.referenceMl, 3), text(compared?.dice, 4), text(compared?.hd95Mm, 3),
        text(compared?.assdMm, 3), text(compared?.surfaceDice, 4),
      ])
    }
    let named = Set((record.labels ?? []).map(\.name))
    for compared in comparisons where !named.contains(compared.name) {
      rows.append(
        row([
          compared.name, "", decimals(compared.ml, 3), "", "", "", "", "", "", record.reference ?? "",
          decimals(compared.referenceMl, 3), text(compared.dice, 4), text(compared.hd95Mm, 3),
          text(compared.assdMm, 3), text(compared.surfaceDice, 4),
        ]))
    }
    return rows.isEmpty ? [row([])] : rows
  }
}
