import Foundation
import Work
import Worklist

extension CohortReport {
  /// The report as JSON with keys in snake case; docs/report.md describes its fields.
  package func json() throws -> Data {
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(ReportJSON(self)).escapingTerminalControls + Data("\n".utf8)
  }
}

/// A report as JSON; the properties have the names of the keys.
private struct ReportJSON: Encodable {
  var schema = "segdeck-report"
  var version = CohortReport.schemaVersion
  var created: String
  var program: String
  var place: String
  var filter: String?
  var listedCases: Int
  var surfaceDiceToleranceMm: Double
  var cases: [ReportedCaseJSON]
  var readers: [ReaderTotals]
  var agreement: ReaderAgreement?

  init(_ report: CohortReport) {
    (created, program, place, filter) = (report.created, report.program, report.place, report.filter)
    listedCases = report.listedCaseCount
    surfaceDiceToleranceMm = report.toleranceMillimetres
    cases = report.cases.map(ReportedCaseJSON.init)
    readers = report.readers
    agreement = report.agreement
  }
}

/// A case: the fields of ``CaseJSON``, and further ones that only reports have.
private struct ReportedCaseJSON: Encodable {
  private struct Structure: Encodable {
    var name: String
    var aValues: [Int]
    var aMl, bMl: Double
    var dice, hd95Mm, assdMm, surfaceDice: Double?
  }

  private let listed: CaseJSON
  private let comparison: [Structure]
  private let problems: [String]

  private enum CodingKeys: CodingKey { case comparison, problems }

  init(_ reported: ReportedCase) {
    listed = CaseJSON(reported.row)
    problems = reported.problems
    comparison = reported.comparison.map {
      Structure(
        name: $0.name, aValues: $0.valuesA, aMl: $0.millilitresA, bMl: $0.millilitresB, dice: $0.dice,
        hd95Mm: $0.hd95Millimetres,
        assdMm: $0.averageDistanceMillimetres, surfaceDice: $0.surfaceDice)
    }
  }

  func encode(to encoder: any Encoder) throws {
    try listed.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(comparison, forKey: .comparison)
    try container.encode(problems, forKey: .problems)
  }
}
