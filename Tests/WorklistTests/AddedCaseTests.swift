import Foundation
import Testing
import Work
import Worklist

@Suite("Cases that readers added to a worklist")
struct AddedCaseTests {
  private func added(_ name: String, _ image: String, series: String? = nil) -> WorklistCase {
    WorklistCase(name: name, images: [image], series: series)
  }

  @Test("a record of an added case is one line of JSON, which is read as the same")
  func coding() {
    let record = CaseRecord(
      sequence: 3, time: "2026-01-01T00:00:00.000Z", reader: "ann", host: "h", caseName: "scan",
      image: "/data/scan", series: "1.2.3", kind: .added, decision: CaseDecision())
    #expect(
      String(decoding: record.json, as: UTF8.self) == """
        {"sequence":3,"time":"2026-01-01T00:00:00.000Z","reader":"ann","host":"h","case":"scan","image":"/data/scan",\
        "event":"added","series":"1.2.3"}
        """)
    #expect(CaseRecord(json: record.json) == record)
  }

  @Test("the cases of all readers are read in the order in which they were added, and nobody has read them")
  func merging() throws {
    let folder = try SampleFolder()
    let (ann, bob) = (
      RecordWriter(folders: [folder("r")], reader: "ann"), RecordWriter(folders: [folder("r")], reader: "bob")
    )
    func add(_ writer: RecordWriter, _ name: String, _ series: String? = nil, after sequence: Int) throws {
      try writer.append(
        .added, caseName: name, image: "/\(name).nii", series: series, decision: CaseDecision(),
        after: sequence)
    }
    try add(ann, "b", after: 5)
    try add(bob, "c", "7", after: 6)
    try add(ann, "d", after: 7)
    try add(bob, "a", after: 8)
    try ann.append(
      .decided, caseName: "d", image: "/d.nii", decision: CaseDecision(verdict: .accepted), after: 9)
    var records = ReviewRecords(folders: [folder("r")])
    let expected = [
      added("b", "/b.nii"), added("c", "/c.nii", series: "7"), added("d", "/d.nii"), added("a", "/a.nii"),
    ]
    #expect(records.poll() == ["a", "b", "c", "d"])
    #expect(records.addedCases == expected)
    #expect(records.reviews.mapValues(\.readers) == ["d": ["ann"]])
    // What this process wrote is known before the disk is read, and once.
    let own = try ann.append(
      .added, caseName: "e", image: "/e.nii", decision: CaseDecision(), after: records.highestSequence)
    records.add(own.event, file: own.file, line: own.line)
    #expect(records.addedCases.map(\.name) == ["b", "c", "d", "a", "e"])
    records.poll()
    #expect(records.addedCases.map(\.name) == ["b", "c", "d", "a", "e"])
    // A file that shrank is read again.
    let whole = try Data(contentsOf: URL(filePath: own.file))
    let first = try #require(whole.firstIndex(of: 10))
    truncate(own.file, off_t(first + 1))
    records.poll()
    #expect(records.addedCases.map(\.name) == ["b", "c", "a"])
  }

  @Test("a case is listed once, whoever added it, and not where the worklist lists its image")
  func listing() throws {
    let folder = try SampleFolder("images/one.nii", "other/one.nii", "other/two.nii")
    let names = ["one", "two"]
    var list = Worklist(cases: names.map { WorklistCase(name: $0, images: [folder("images/\($0).nii")]) })
    list.append([
      added("again", folder("other/../images/one.nii")), added("one", folder("other/one.nii")),
      added("three", folder("other/two.nii")), added("three again", folder("other/two.nii")),
      added("gone", folder("other/gone.nii")), added("three", folder("other/two.nii"), series: "2"),
    ])
    #expect(
      list.cases.dropFirst(2) == [
        added("one (2)", folder("other/one.nii")), added("three", folder("other/two.nii")),
        WorklistCase(
          name: "gone", images: [folder("other/gone.nii")], missingFiles: [folder("other/gone.nii")]),
        added("three (2)", folder("other/two.nii"), series: "2"),
      ])
    // A list of the same cases with the same records has no case twice, and the series.
    var copy = Worklist(cases: [added("scan", "/scan.dcm")])
    copy.append([added("scan", "/scan.dcm", series: "2")])
    #expect(copy.cases == [added("scan", "/scan.dcm", series: "2")])
  }
}
