import Foundation
import Metrics
import Volumes
import Work

/// The comparison of one structure of one case.
struct EvaluatedStructure {
  let name: String
  let comparison: StructureComparison
}

/// The report of `segdeck evaluate`.
struct EvaluationReport {
  /// A table of the report.
  enum Table: String, CaseIterable {
    case measures, sliver07, hvsmr
  }

  let model: String
  /// nil where no CRF ran.
  let refinement: RefinementSettings?
  /// The rows case by case; within a case in the order of the options.
  let rows: [EvaluatedStructure]

  /// Names of the cases in the order in which they were measured.
  var caseNames: [String] { Self.distinct(rows.map(\.name)) }
  /// Names of the structures, in the order of their first occurrence.
  var structureNames: [String] { Self.distinct(rows.map(\.comparison.name)) }

  /// The comparison of every structure of a case.
  func comparisons(ofCase name: String) -> [StructureComparison] {
    rows.filter { $0.name == name }.map(\.comparison)
  }

  /// The tables with headings, and lines about structures that one mask or both masks lack.
  func text(_ tables: [Table]) -> String {
    var parts = tables.flatMap { table in
      switch table {
      case .measures: ["Overlap and distances\n" + measuresTable]
      case .sliver07:
        structureNames.map { "SLIVER07, \($0.printableLine)\n" + sliver07Table(ofStructure: $0) }
      case .hvsmr: ["HVSMR 2016\n" + hvsmrTable]
      }
    }
    func list(_ presence: StructureComparison.Presence) -> String? {
      let found = rows.filter { $0.comparison.foundIn == presence }
      return found.isEmpty
        ? nil
        : found.map { "\($0.name) (\($0.comparison.name))".printableLine }
          .joined(separator: ", ")
    }
    if let missed = list(.reference) { parts.append("Only in the labels, missed by the model: \(missed).") }
    if let invented = list(.other) {
      parts.append("Only in the model's mask, missed by the labels: \(invented).")
    }
    if rows.contains(where: \.comparison.isMissed) {
      parts.append(
        "What is missed counts in means as Dice 0, VOE and RVD 100 %, SLIVER07 0, and every distance as the image's "
          + "diagonal.")
    }
    if let absent = list(.neither) {
      parts.append("In neither, and in no mean: \(absent).")
    }
    return parts.joined(separator: "\n\n")
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}

extension EvaluationReport {
  /// Statistics of one measure of one structure over the cases in which either mask has it.
  struct Summary: Encodable {
    var structure: String
    var measure: String
    var mean, median, worst: Double
    /// The number of these cases.
    var cases: Int
    /// The number of these cases in which only one mask has it.
    var missed: Int
  }

  private static let measures:
    [(
      name: String, digits: Int, isBetterLarge: Bool, value: @Sendable (ComparisonRow) -> Double?,
      counted: @Sendable (CountedMeasures) -> Double
    )] = [
      ("Dice", 4, true, { $0.dice }, { $0.dice }),
      ("VOE %", 2, false, { $0.voePercent }, { $0.volumetricOverlapErrorPercent }),
      ("|RVD| %", 2, false, { $0.rvdPercent.map(abs) }, { abs($0.relativeVolumeDifferencePercent) }),
      ("ASSD mm", 2, false, { $0.assdMm }, { $0.averageMillimetres }),
      ("RMSD mm", 2, false, { $0.rmsdMm }, { $0.rootMeanSquareMillimetres }),
      ("max mm", 1, false, { $0.maximumMm }, { $0.maximumMillimetres }),
      ("HD95 mm", 2, false, { $0.hd95Mm }, { $0.percentile95Millimetres }),
      ("SLIVER07", 1, true, { $0.sliver07Score }, { $0.sliver07.total }),
    ]

  /// The summaries of every measure of every structure that occurs in a mask.
  var summaries: [Summary] {
    structureNames.flatMap { structure in
      let own = rows.map(\.comparison).filter { $0.name == structure }
      let counted = own.compactMap { CountedMeasures($0) }
      return Self.measures.compactMap { measure -> Summary? in
        let values = counted.map(measure.counted).sorted()
        guard let first = values.first, let last = values.last else { return nil }
        let middle = values.count / 2
        let median = values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
        return Summary(
          structure: structure, measure: measure.name, mean: values.reduce(0, +) / Double(values.count),
          median: median, worst: measure.isBetterLarge ? first : last, cases: values.count,
          missed: own.count(where: \.isMissed))
      }
    }
  }

  /// A table with a row for each case and structure, then mean, median and worst of each measure.
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
      let own = summaries.filter { $0.structure == structure }
      for (title, value) in [
        ("mean of \(own.first?.cases ?? 0)", \Summary.mean), ("median", \.median), ("worst", \.worst),
      ] {
        table.rows.append(
          [title, structure]
            + Self.measures.map { measure -> String in
              let found = own.first { $0.measure == measure.name }
              return TextTable.cell(found.map { $0[keyPath: value] }, measure.digits)
            })
      }
    }
    return table.text
  }
}
