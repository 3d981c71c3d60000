import Foundation
import Metrics
import Volumes
import Work

/// One structure of one case, measured.
struct EvaluatedStructure {
  /// The case.
  let name: String
  let comparison: StructureComparison
}

/// What `segdeck evaluate` prints.
struct EvaluationReport {
  /// Which tables are printed.
  enum Table: String, CaseIterable {
    case measures, sliver07, hvsmr
  }

  let model: String
  /// nil where no CRF ran.
  let refinement: RefinementSettings?
  /// Case by case, the structures of each in the order of the options.
  let rows: [EvaluatedStructure]

  /// Names of the cases in the order in which they were measured.
  var caseNames: [String] { Self.distinct(rows.map(\.name)) }
  /// Names of the structures, in the order in which they come first.
  var structureNames: [String] { Self.distinct(rows.map(\.comparison.name)) }

  /// The comparison of every structure of a case.
  func comparisons(ofCase name: String) -> [StructureComparison] {
    rows.filter { $0.name == name }.map(\.comparison)
  }

  /// The tables with a heading each, and a line when some case leaves measures undefined.
  func text(_ tables: [Table]) -> String {
    var parts = tables.flatMap { table in
      switch table {
      case .measures: ["Overlap and distances\n" + measuresTable]
      case .sliver07:
        structureNames.map { "SLIVER07, \($0.printableLine)\n" + sliver07Table(ofStructure: $0) }
      case .hvsmr: ["HVSMR 2016\n" + hvsmrTable]
      }
    }
    let missing = Self.distinct(rows.filter { $0.comparison.distances == nil }.map(\.name))
    if !missing.isEmpty {
      parts.append(
        "Without distances, because a structure is empty: \(missing.map(\.printableLine).joined(separator: ", ")). "
          + "Means are over the cases in which a measure is defined.")
    }
    return parts.joined(separator: "\n\n")
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}

extension EvaluationReport {
  /// Statistics of one measure of one structure over the cases in which it is defined.
  struct Summary: Encodable {
    var structure: String
    var measure: String
    var mean, median, worst: Double
    var cases: Int
  }

  private static let measures:
    [(name: String, digits: Int, isBetterLarge: Bool, value: @Sendable (ComparisonRow) -> Double?)] = [
      ("Dice", 4, true, { $0.dice }), ("VOE %", 2, false, { $0.voePercent }),
      ("|RVD| %", 2, false, { $0.rvdPercent.map(abs) }), ("ASSD mm", 2, false, { $0.assdMm }),
      ("RMSD mm", 2, false, { $0.rmsdMm }), ("max mm", 1, false, { $0.maximumMm }),
      ("HD95 mm", 2, false, { $0.hd95Mm }), ("SLIVER07", 1, true, { $0.sliver07Score }),
    ]

  /// Every measure of every structure.
  var summaries: [Summary] {
    structureNames.flatMap { structure in
      let own = rows.filter { $0.comparison.name == structure }.map { ComparisonRow($0.comparison) }
      return Self.measures.compactMap { measure -> Summary? in
        let values = own.compactMap(measure.value).sorted()
        guard let first = values.first, let last = values.last else { return nil }
        let middle = values.count / 2
        let median = values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
        return Summary(
          structure: structure, measure: measure.name, mean: values.reduce(0, +) / Double(values.count),
          median: median, worst: measure.isBetterLarge ? first : last, cases: values.count)
      }
    }
  }

  /// A line per case and structure, then mean, median and worst of each measure.
  private var measuresTable: String {
    var table = TextTable(heading: ["case", "structure"] + Self.measures.map(\.name))
    for row in rows {
      let measures = ComparisonRow(row.comparison)
      table.rows.append(
        [row.name, measures.name]
          + Self.measures.map { TextTable.cell($0.value(measures), $0.digits) })
    }
    let summaries = summaries
    for structure in structureNames {
      for (title, value) in [("mean", \Summary.mean), ("median", \.median), ("worst", \.worst)] {
        table.rows.append(
          [title, structure]
            + Self.measures.map { measure -> String in
              let found = summaries.first { $0.structure == structure && $0.measure == measure.name }
              return TextTable.cell(found.map { $0[keyPath: value] }, measure.digits)
            })
      }
    }
    return table.text
  }
}
