import Foundation
import Report
import Testing
import Worklist

@Suite("Labels that only one of two masks has")
struct OneSidedLabelTests {
  /// A case in which A calls value 3 kidney, and B calls it spleen.
  private var report: CohortReport {
    var found = reported("c", [:])
    found.row.measures = CaseMeasures(labels: [
      .init(value: 1, name: "liver", millilitres: 1500, dice: 0.9, otherMillilitres: 1400),
      .init(value: 3, name: "kidney", millilitres: 150, dice: 0, otherMillilitres: 0),
      .init(value: 3, name: "Spleen", millilitres: 0, componentCount: 0, dice: 0, otherMillilitres: 200),
    ])
    found.comparison = [
      ComparedStructure(name: "liver", valuesA: [1], millilitresA: 1500, millilitresB: 1400, dice: 0.9),
      ComparedStructure(name: "kidney", valuesA: [3], millilitresA: 150, millilitresB: 0, dice: 0),
      ComparedStructure(name: "spleen", valuesA: [], millilitresA: 0, millilitresB: 200, dice: 0),
    ]
    return CohortReport(
      place: "data", created: "2026-11-29T18:00:00.000Z", program: "segdeck", listedCaseCount: 1, filter: nil,
      toleranceMillimetres: 2, columns: [], cases: [found])
  }

  @Test("each is one row with Dice 0 and the mask that has it, and value means the file of A")
  func table() {
    let lines = String(decoding: report.labelsTable, as: UTF8.self).split(whereSeparator: \.isNewline)
    #expect(
      lines.dropFirst() == [
        "c,liver,1,1500.000,1,0,0,,1500.000,1400.000,0.9000,,,,,,,",
        "c,kidney,3,150.000,1,0,0,,150.000,0.000,0.0000,,,,,,,A",
        "c,spleen,,0.000,0,0,0,,0.000,200.000,0.0000,,,,,,,B",
      ])
  }

  @Test("the list as JSON says which mask has it")
  func json() throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    struct Listed: Decodable {
      struct Label: Decodable, Equatable {
        var name: String
        var dice: Double
        var only_in: String?
      }
      var labels: [Label]
    }
    let data = try encoder.encode(CaseJSON(report.cases[0].row))
    #expect(
      try JSONDecoder().decode(Listed.self, from: data).labels == [
        .init(name: "liver", dice: 0.9), .init(name: "kidney", dice: 0, only_in: "A"),
        .init(name: "Spleen", dice: 0, only_in: "B"),
      ])
  }
}
