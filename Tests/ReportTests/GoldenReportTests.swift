import CCrypto
import Foundation
import Metrics
import Report
import TestSupport
import Testing
import Work
import Worklist

/// Whole files against `Golden`; SEGDECK_REWRITE_REPORTS=1 writes them anew.
@Suite struct GoldenReportTests {
  private static let folder = checkout.appending(path: "Tests/ReportTests/Golden")

  private static let contents: [(name: String, content: Data)] = {
    let report = sampleReport
    guard let json = try? report.json() else { preconditionFailure("the numbers of the sample are finite") }
    return [
      ("report.csv", report.casesTable), ("report.labels.csv", report.labelsTable),
      ("report.verdicts.csv", report.verdictsTable), ("report.json", json), ("report.md", report.markdown),
      ("report.html", report.page),
    ]
  }()

  @Test(
    "every file of a report is what it was",
    arguments: [
      "report.csv", "report.labels.csv", "report.verdicts.csv", "report.json", "report.md", "report.html",
    ])
  func golden(name: String) throws {
    let content = try #require(Self.contents.first { $0.name == name }?.content)
    let file = Self.folder.appending(path: name)
    if ProcessInfo.processInfo.environment["SEGDECK_REWRITE_REPORTS"] == "1" { try content.write(to: file) }
    let expected = try String(contentsOf: file, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    let found = String(decoding: content, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    for (number, (one, other)) in zip(found, expected).enumerated() {
      #expect(one == other, "line \(number + 1) of \(name)")
    }
    #expect(found.count == expected.count)
  }

  @Test("no file contains terminal controls or invisible characters")
  func controls() throws {
    for (name, content) in Self.contents {
      let text = try #require(String(validating: content, as: UTF8.self))
      let controls = text.unicodeScalars.filter { $0.isTerminalControl && $0 != "\n" }
      #expect(controls.isEmpty, "\(name)")
    }
  }

  @Test("no cell of a table begins as a formula does, but numbers may be negative")
  func formulas() throws {
    for (name, content) in Self.contents where name.hasSuffix(".csv") {
      let text = String(decoding: content, as: UTF8.self)
      let cells = text.matches(of: /(?:^|[,\n])"?([=+\-@\t])([^,\n]*)/).map { String($0.1) + String($0.2) }
      #expect(cells.filter { Double($0) == nil } == [], "\(name)")
    }
    let table = String(decoding: sampleReport.casesTable, as: UTF8.self)
    #expect(table.contains("\n'=cmd|' /C calc'!A0,"))
    #expect(table.contains("'+1 x"))
  }

  @Test("texts add no tag or attribute to the page, and the page loads nothing")
  func markup() throws {
    let page = String(decoding: sampleReport.page, as: UTF8.self)
    #expect(page.contains("&lt;script&gt;document.title=&#39;broken&#39;&lt;/script&gt;"))
    #expect(page.matches(of: /<script/).count == 1)
    #expect(page.matches(of: /<[a-z]+[^>]*\son[a-z]+=/).isEmpty)
    #expect(page.matches(of: /(?:src|href)="(?!data:image\/png;base64,)/).isEmpty)
    #expect(!page.contains("<b>eve</b>"))
    #expect(!page.contains("url(") && !page.contains("@import"))
  }

  @Test("the page's policy allows its own script and no other, and no connection")
  func policy() throws {
    let page = String(decoding: sampleReport.page, as: UTF8.self)
    let script = try #require(page.firstMatch(of: /<script>((?:.|\n)*?)<\/script>/)?.1)
    var digest = [UInt8](repeating: 0, count: 32)
    let bytes = Array(script.utf8)
    #expect(EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1)
    let hash = Data(digest).base64EncodedString()
    #expect(
      page.contains(
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
          + "script-src 'sha256-\(hash)'\""))
  }

  @Test("a report without cases has complete files too")
  func empty() throws {
    let report = CohortReport(
      place: "none", created: "2026-11-29T18:00:00.000Z", program: "segdeck 0.1.0", listedCaseCount: 0,
      toleranceMillimetres: 2, cases: [])
    #expect(
      String(decoding: report.markdown, as: UTF8.self)
        == "# Report of none\n\n0 cases. Written 2026-11-29 18:00 UTC by segdeck 0.1.0.\n")
    #expect(
      String(decoding: try report.json(), as: UTF8.self) == """
        {
          "cases" : [

          ],
          "created" : "2026-11-29T18:00:00.000Z",
          "listed_cases" : 0,
          "place" : "none",
          "program" : "segdeck 0.1.0",
          "readers" : [

          ],
          "schema" : "segdeck-report",
          "surface_dice_tolerance_mm" : 2,
          "version" : 1
        }

        """)
    #expect(String(decoding: report.labelsTable, as: UTF8.self).hasPrefix("case,label,value,ml,"))
    #expect(String(decoding: report.page, as: UTF8.self).contains("0 cases"))
  }

  @Test("a label that only the second mask has is one row, with its measures and its comparison")
  func labelOfSecondMask() {
    var one = reported("c", [:])
    one.row.measures = CaseMeasures(labels: [
      .init(value: 1, name: "label 1", millilitres: 10, dice: 0.9, otherMillilitres: 9),
      .init(value: 2, name: "label 2", millilitres: 0, componentCount: 0, dice: 0, otherMillilitres: 3),
    ])
    one.comparison = [
      ComparedStructure(name: "label 1", valuesA: [1], millilitresA: 10, millilitresB: 9, dice: 0.9),
      ComparedStructure(
        name: "label 2", valuesA: [], millilitresA: 0, millilitresB: 3, dice: 0, surfaceDice: 0),
    ]
    let report = CohortReport(
      place: "p", created: "", program: "", listedCaseCount: 1, toleranceMillimetres: 2, cases: [one])
    let rows = String(decoding: report.labelsTable, as: UTF8.self).split(separator: "\n").dropFirst()
    #expect(
      rows.map {
        $0.split(separator: ",", omittingEmptySubsequences: false).prefix(14).joined(separator: ",")
      }
        == [
          "c,label 1,1,10.000,1,0,0,,10.000,9.000,0.9000,,,",
          "c,label 2,,0.000,0,0,0,,0.000,3.000,0.0000,,,0.0000",
        ])
    #expect(
      String(decoding: report.page, as: UTF8.self).matches(of: /<bdi>label 2 \(only B\)<\/bdi>/).count == 1)
    #expect(one.lowestSurfaceDice == 0)
  }

  @Test("a label takes the comparison of its value, and the name that only the second mask has")
  func labelRows() {
    var one = reported("c", [:])
    one.row.measures = CaseMeasures(labels: [
      .init(value: 6, name: "label 6", millilitres: 10),
      .init(value: 7, name: "label 7", millilitres: 2, contradiction: .init(name: "aorta", dice: 0.7)),
    ])
    one.row.uncertainties = [0.125, 0.25].map { inside in
      LabelUncertainty(
        label: "Liver", network: "net \(inside)", classCount: 2,
        entropy: ClassEntropy(nearBorder: 2 * inside, inside: inside))
    }
    one.comparison = [
      ComparedStructure(name: "liver", valuesA: [6], millilitresA: 10, millilitresB: 11, dice: 0.9),
      ComparedStructure(name: "spleen", valuesA: [], millilitresA: 0, millilitresB: 3, dice: 0),
    ]
    let report = CohortReport(
      place: "p", created: "", program: "", listedCaseCount: 1, toleranceMillimetres: 2, cases: [one])
    #expect(
      String(decoding: report.labelsTable, as: UTF8.self) == """
        case,label,value,ml,components,holes,missing_slices,touches,a_ml,b_ml,dice,hd95_mm,assd_mm,surface_dice,entropy_inside,entropy_near_border,lies_where,only_in
        c,liver,6,10.000,1,0,0,,10.000,11.000,0.9000,,,,0.2500,0.5000,,
        c,label 7,7,2.000,1,0,0,,,,,,,,,,aorta,
        c,spleen,,,,,,,0.000,3.000,0.0000,,,,,,,B

        """)
  }
}
