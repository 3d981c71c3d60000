import Foundation
import Metrics
import Volumes

extension EvaluationReport {
  /// The scores of SLIVER07 with their JSON names.
  private struct SLIVER07Row: Encodable {
    var voe, rvd, assd, rmsd, msd, total: Double

    init(_ scores: SLIVER07Scores) {
      voe = scores.overlapError
      rvd = scores.volumeDifference
      assd = scores.averageDistance
      rmsd = scores.rootMeanSquareDistance
      msd = scores.maximumDistance
      total = scores.total
    }
  }

  private struct CaseRow: Encodable {
    var name: String
    var measures: ComparisonRow
    var sliver07: SLIVER07Row?
  }

  private struct HVSMRRow: Encodable {
    var name: String
    var score: Double?
  }

  private struct Document: Encodable {
    var model: String
    var refinement: RefinementSettings?
    var cases: [CaseRow]
    var hvsmr: [HVSMRRow]
    var summaries: [Summary]
  }

  /// JSON with keys in snake case (`hd95_mm`); a measure that is not defined is omitted.
  func json() throws -> Data {
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let document = Document(
      model: model, refinement: refinement,
      cases: rows.map { row in
        CaseRow(
          name: row.name, measures: ComparisonRow(row.comparison),
          sliver07: row.comparison.sliver07.map(SLIVER07Row.init))
      },
      hvsmr: caseNames.map { HVSMRRow(name: $0, score: HVSMRScore.overall(comparisons(ofCase: $0))) },
      summaries: summaries)
    return try encoder.encode(document)
  }
}
