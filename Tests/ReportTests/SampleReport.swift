import Foundation
import Metrics
import Report
import Work
import Worklist

/// A case with readers' decisions, in chronological order.
func reported(
  _ name: String, _ decisions: KeyValuePairs<String, CaseDecision>, item: WorklistCase? = nil
) -> ReportedCase {
  var review = CaseReview()
  for (position, (reader, decision)) in decisions.enumerated() {
    let record = CaseRecord(
      sequence: position + 1, time: "2026-11-29T16:0\(position):00.000Z", reader: reader, host: "ws1",
      caseName: name, image: "\(name).nii", kind: .decided, decision: decision)
    review.add(record, order: .init(record, file: "f", line: position + 1))
  }
  let item = item ?? WorklistCase(name: name, images: ["\(name).nii"])
  return ReportedCase(CaseRow(item, review: decisions.isEmpty ? nil : review))
}

/// Texts that break out of tables, markup, scripts and lines where they are not escaped.
enum Hostile {
  static let name = "=cmd|' /C calc'!A0"
  static let comment = """
    </td><script>document.title='broken'</script><img src=x onerror="document.title='broken'">
    @SUM(1)\u{1b}[31m \u{202e}txt.exe\u{2066} `code` **bold** | cell | [link](http://evil.example) &lt; "quoted" 'single'
    """
  static let tag = "-2+3\u{2028}next"
  static let column = "+1\tx"
  static let reader = "<b>eve</b>"
}

/// A report with every kind of content, hostile texts among them.
let sampleReport: CohortReport = {
  var first = reported(
    "case1",
    [
      "ann": .init(
        verdict: .accepted, score: 4, comment: "sharp borders", tags: ["portal venous"], seconds: 41.5,
        version: .init(name: "nnunet", exportedPath: "out/case1_seg.nii.gz")),
      "bob": .init(verdict: .rejected, score: 2, seconds: 75),
    ],
    item: WorklistCase(
      name: "case1", images: ["data/images/case1.nii.gz"],
      masks: [
        .init(name: "nnunet", path: "data/nnunet/case1.nii.gz"),
        .init(name: "experts", path: "data/experts/case1.nii.gz"),
      ], values: ["site": "Bonn"]))
  first.row.measures = CaseMeasures(labels: [
    .init(
      value: 1, name: "liver", millilitres: 1480.25, componentCount: 2, missingSliceCount: 1,
      touchedSides: [.right, .superior], dice: 0.9312),
    .init(
      value: 2, name: "spleen", millilitres: 210, holeCount: 3,
      contradiction: .init(name: "left kidney", dice: 0.875)),
  ])
  first.row.uncertainties = [
    LabelUncertainty(
      label: "liver", network: "liver", classCount: 2, entropy: ClassEntropy(nearBorder: 0.75, inside: 0.3125)
    ),
    LabelUncertainty(
      label: "Spleen", network: "", classCount: 3, entropy: ClassEntropy(nearBorder: 0.5, inside: nil)),
  ]
  first.row.flags = [CohortFlag(label: "liver", text: "liver: 2 components, usually 1")]
  first.comparison = [
    ComparedStructure(
      name: "Liver", valuesA: [1], millilitresA: 1480.25, millilitresB: 1502.5, dice: 0.93124,
      hd95Millimetres: 6.708,
      averageDistanceMillimetres: 1.2345, surfaceDice: 0.9),
    ComparedStructure(name: "lesion", valuesA: [], millilitresA: 0, millilitresB: 3.125, dice: 0),
  ]
  // The smallest PNG file: one black pixel.
  let pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVQIW2NgAAAAAgABYkBPaAAAAABJRU5ErkJggg=="
  first.pictures = [
    ReportedPicture(
      title: "A nnunet", legend: [.init(colour: "#e69f00", text: "liver")], png: Data(base64Encoded: pixel)!,
      width: 1, height: 1)
  ]
  let hostile = reported(
    Hostile.name,
    [
      Hostile.reader: .init(
        verdict: .needsWork, isFlagged: true, comment: Hostile.comment, tags: [Hostile.tag, "-5"], seconds: 3)
    ],
    item: WorklistCase(
      name: Hostile.name, images: ["a\"b<c>.nii"], masks: [.init(name: "m|1", path: "m\n1.nii")],
      values: ["site": Hostile.column]))
  var missing = reported(
    "case10", [:],
    item: WorklistCase(
      name: "case10", images: ["gone.nii"], masks: [.init(name: "seg", path: "case10_seg.nii")],
      missingFiles: ["gone.nii"]))
  missing.problems = ["gone.nii: no such file"]
  return CohortReport(
    place: "data & <more>", created: "2026-11-29T18:00:00.000Z", program: "segdeck 0.1.0", listedCaseCount: 5,
    filter: "score<5 or missing", toleranceMillimetres: 2, columns: ["site"],
    cases: [first, hostile, missing])
}()
