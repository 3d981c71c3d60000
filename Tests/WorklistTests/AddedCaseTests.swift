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
        added("other/one", folder("other/one.nii")), added("three", folder("other/two.nii")),
        WorklistCase(
          name: "gone", images: [folder("other/gone.nii")], missingFiles: [folder("other/gone.nii")]),
        added("three (2)", folder("other/two.nii"), series: "2"),
      ])
    // A list of the same cases with the same records has no case twice, and the series.
    var copy = Worklist(cases: [added("scan", "/scan.dcm")])
    copy.append([added("scan", "/scan.dcm", series: "2")])
    #expect(copy.cases == [added("scan", "/scan.dcm", series: "2")])
  }

  @Test("images of one name that two readers added keep their verdicts, whoever added or decided first")
  func sameName() throws {
    let folder = try SampleFolder("mon/scan.nii", "tue/scan.nii", "images/a.nii", "images/scan.nii")
    for isListed in [false, true] {
      let records = folder("r\(isListed)")
      let (ann, bob) = (
        RecordWriter(folders: [records], reader: "ann"), RecordWriter(folders: [records], reader: "bob")
      )
      func write(
        _ writer: RecordWriter, _ kind: CaseRecord.Kind, _ day: String, _ verdict: CaseDecision.Verdict?
      )
        throws
      {
        try writer.append(
          kind, caseName: "scan", image: folder("\(day)/scan.nii"), decision: CaseDecision(verdict: verdict),
          after: 0)
      }
      try write(ann, .added, "mon", nil)
      try write(ann, .decided, "mon", .accepted)
      try write(bob, .added, "tue", nil)
      try write(bob, .decided, "tue", .rejected)
      // Without a case of its own in the list.
      try write(bob, .decided, "wed", .needsWork)
      try bob.append(
        .decided, caseName: "a", image: "elsewhere/a.nii", decision: CaseDecision(verdict: .needsWork),
        after: 0)
      func verdicts(_ records: ReviewRecords) -> [String: [String: CaseDecision.Verdict?]] {
        records.reviews.mapValues { $0.decisions.mapValues(\.verdict) }
      }
      var list = Worklist(
        cases: (isListed ? ["a", "scan"] : ["a"]).map {
          WorklistCase(name: $0, images: [folder("images/\($0).nii")])
        })
      var read = ReviewRecords(folders: [records])
      read.poll()
      read.addCases(to: &list)
      let added = list.cases.suffix(2)
      #expect(added.map(\.images) == [[folder("mon/scan.nii")], [folder("tue/scan.nii")]])
      #expect(added.map(\.name) == [isListed ? "mon/scan" : "scan", "tue/scan"])
      let names = added.map(\.name)
      #expect(
        verdicts(read) == [
          names[0]: ["ann": .accepted], names[1]: ["bob": .rejected], "a": ["bob": .needsWork],
          (isListed ? "scan" : folder("wed/scan.nii")): ["bob": .needsWork],
        ])
      // What is recorded later goes the same way, and an image that this session adds has the name that it has here.
      try write(ann, .decided, "tue", .accepted)
      #expect(read.poll() == ["tue/scan"])
      #expect(read.reviews["tue/scan"]?.decisions["ann"]?.verdict == .accepted)
      read.list(WorklistCase(name: "wed/scan", images: [folder("wed/scan.nii")]))
      try write(bob, .added, "wed", nil)
      read.poll()
      #expect(read.reviews["wed/scan"]?.decisions["bob"]?.verdict == .needsWork)
    }
  }

  @Test(
    "the image of a record is named from the worklist's folder where it is in it, else by its absolute path")
  func recordedPaths() throws {
    let folder = try SampleFolder("data/images/a.nii", "data/list.csv", "b.nii")
    for place in ["data", "data/", "data/list.csv"] {
      func path(_ image: String) -> String {
        RecordFolder.recordedPath(ofImage: folder(image), worklist: folder(place))
      }
      #expect(path("data/images/a.nii") == "images/a.nii")
      #expect(path("data/../b.nii") == folder("b.nii"))
    }
  }

  @Test(
    "verdicts of cases that are not in the list are named, a few of them; cases that were only opened are not"
  )
  func unlisted() throws {
    var records = ReviewRecords(folders: [])
    func add(_ number: Int, _ decision: CaseDecision) {
      records.add(
        CaseRecord(
          sequence: number, time: "2026-01-01T00:00:00.000Z", reader: "ann", host: "h",
          caseName: "ct_\(number)",
          image: "ct_\(number).nii", kind: .decided, decision: decision), file: "r.jsonl", line: number)
    }
    func note(_ listed: [Int]) -> String? {
      records.unlistedNote(
        Worklist(cases: listed.map { WorklistCase(name: "ct_\($0)", images: ["ct_\($0).nii"]) }))
    }
    add(1, CaseDecision(verdict: .accepted))
    add(2, CaseDecision())
    #expect(note([1]) == nil)
    #expect(note([]) == "a verdict of a case that is not in the list: ct_1")
    for number in 9...12 { add(number, CaseDecision(isFlagged: true)) }
    #expect(note([1, 12]) == "verdicts of 3 cases that are not in the list: ct_9, ct_10, ct_11")
    #expect(note([]) == "verdicts of 5 cases that are not in the list: ct_1, ct_9, ct_10 and 2 more")
  }
}
