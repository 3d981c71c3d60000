import Foundation
import Metrics

/// The report of `segdeck compare`.
struct ComparisonReport: Encodable {
  var reference: String
  var other: String
  var toleranceMm: Double
  var structures: [ComparisonRow]

  /// JSON with keys in snake case (`hd95_mm`); a measure that is not defined is omitted.
  func json() throws -> Data {
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(self)
  }

  /// A table with a row for each structure; "-" where a measure is not defined.
  var table: String {
    if structures.isEmpty { return "Neither mask has a label." }
    let cell = TextTable.cell
    let heading = [
      "structure", "ref mL", "other mL", "Dice", "VOE %", "RVD %", "ASSD", "RMSD", "max mm", "HD95",
      "surface Dice", "SLIVER07", "HVSMR",
    ]
    var table = TextTable(heading: heading)
    table.rows = structures.map { row in
      [
        row.name, cell(row.referenceMl, 2), cell(row.otherMl, 2), cell(row.dice, 4), cell(row.voePercent, 2),
        cell(row.rvdPercent, 2), cell(row.assdMm, 3), cell(row.rmsdMm, 3), cell(row.maximumMm, 2),
        cell(row.hd95Mm, 2), cell(row.surfaceDice, 4), cell(row.sliver07Score, 1), cell(row.hvsmrTerm, 3),
      ]
    }
    return table.text
  }
}

/// The measures of one structure with their JSON names.
struct ComparisonRow: Encodable {
  var name: String
  var referenceMl, otherMl: Double
  /// "both", "reference", "other" or "neither".
  var foundIn: StructureComparison.Presence
  /// The distance in mm that enters means where only one mask has the structure.
  var missedMm: Double?
  var dice, voePercent, rvdPercent, assdMm, rmsdMm, maximumMm, hd95Mm, surfaceDice, sliver07Score,
    hvsmrTerm: Double?

  init(_ comparison: StructureComparison) {
    name = comparison.name
    referenceMl = comparison.referenceMillilitres
    otherMl = comparison.otherMillilitres
    foundIn = comparison.foundIn
    missedMm = comparison.isMissed ? comparison.diagonalMillimetres : nil
    let overlap = comparison.foundIn == .neither ? nil : comparison.overlap
    dice = overlap?.dice
    voePercent = overlap?.volumetricOverlapErrorPercent
    rvdPercent = overlap?.relativeVolumeDifferencePercent
    assdMm = comparison.distances?.averageMillimetres
    rmsdMm = comparison.distances?.rootMeanSquareMillimetres
    maximumMm = comparison.distances?.maximumMillimetres
    hd95Mm = comparison.distances?.percentile95Millimetres
    surfaceDice = comparison.surfaceDice
    sliver07Score = comparison.sliver07Score
    hvsmrTerm = comparison.hvsmrTerm
  }
}
