import Foundation
import Testing
import Work
import Worklist

@Suite struct RecordTests {
  private func decision(_ verdict: CaseDecision.Verdict?, score: Int? = nil) -> CaseDecision {
    CaseDecision(verdict: verdict, score: score)
  }

  /// Accepts the cases c1 to c`count`, and gives the file.
  private func accept(_ count: Int, _ writer: RecordWriter) throws -> String {
    var file = ""
    for number in 1...count {
      file = try writer.append(
        .decided, caseName: "c\(number)", image: "", decision: decision(.accepted), after: 0
      ).file
    }
    return file
  }

  private func event(
    _ sequence: Int, _ reader: String, _ verdict: CaseDecision.Verdict?, _ kind: CaseRecord.Kind = .decided,
    time: String = "2026-01-01T00:00:00.000Z"
  ) -> CaseRecord {
    CaseRecord(
      sequence: sequence, time: time, reader: reader, host: "h", caseName: "c", image: "c.nii", kind: kind,
      decision: decision(verdict))
  }

  @Test("a record is one line of JSON, which is read as the same")
  func coding() throws {
    var event = CaseRecord(
      sequence: 7, time: CaseRecord.time(Date(timeIntervalSince1970: 1_764_432_000.1237)),
      reader: "Ann \"A\"",
      host: "ws1", caseName: "case\n1 \u{1f600}", image: "images/\\a.nii.gz", kind: .decided,
      decision: CaseDecision(
        verdict: .needsWork, isFlagged: true, score: 4, comment: "a\tb \u{1} \u{2028}",
        tags: ["motion", "x,y"],
        seconds: 12.5, version: .init(name: "seg", exportedPath: "out/c.nii"),
        pairings: [
          MaskPairing(
            first: .init(mask: "a", labels: [2: "x", 1: "\""]),
            second: .init(mask: "b", labels: [70000: "y"]),
            partners: [1: 70000])
        ]))
    let text = String(decoding: event.json, as: UTF8.self)
    #expect(
      text == """
        {"sequence":7,"time":"2025-11-29T16:00:00.123Z","reader":"Ann \\"A\\"","host":"ws1","case":"case\\n1 \u{1f600}",\
        "image":"images/\\\\a.nii.gz","event":"decided","verdict":"needs work","flagged":true,"score":4,\
        "comment":"a\\tb \\u0001 \u{2028}","tags":["motion","x,y"],"seconds":12.500,"version":"seg","exported":"out/c.nii",\
        "pairings":[{"first":"a","second":"b","first labels":[[1,"\\""],[2,"x"]],"second labels":[[70000,"y"]],\
        "pairs":[[1,70000]]}]}
        """)
    #expect(CaseRecord(json: event.json) == event)
    #expect(try JSONSerialization.jsonObject(with: event.json) is [String: Any])
    event.decision = CaseDecision()
    #expect(CaseRecord(json: event.json) == event)
  }

  @Test(
    "flags and scores of later readers stand beside the verdict that was given last, and never replace it")
  func verdictAndFlag() throws {
    var records = ReviewRecords(folders: [])
    func add(_ sequence: Int, _ reader: String, _ decision: CaseDecision) {
      var event = self.event(sequence, reader, nil)
      event.decision = decision
      records.add(event, file: "f", line: sequence)
    }
    func row(_ reader: String?, missing: [String] = []) -> CaseRow {
      CaseRow(
        WorklistCase(name: "c", images: ["c.nii"], missingFiles: missing), review: records.reviews["c"],
        reader: reader)
    }
    add(1, "ann", CaseDecision(verdict: .accepted, comment: "good", version: .init(name: "net")))
    add(2, "bob", CaseDecision(isFlagged: true, score: 3))
    let decision = CaseDecision(
      verdict: .accepted, isFlagged: true, score: 3, comment: "good", version: .init(name: "net"))
    #expect(records.reviews["c"]?.decision == decision)
    #expect(records.reviews["c"]?.decidingEvent?.reader == "ann")
    #expect(row(nil).statusText == "accepted, flagged")
    #expect(row("bob").statusText == "accepted (ann), flagged")
    #expect(row("ann").statusText == "accepted")
    #expect(row("cy").statusText == "accepted (ann), flagged")
    #expect(row("cy", missing: ["c.nii"]).statusText == "missing, accepted (ann), flagged")
    #expect(
      CaseRow(WorklistCase(name: "d", images: [], missingFiles: ["x"]), reader: "cy").statusText == "missing")
    #expect(try CaseQuery("decided flagged accepted").matches(row(nil)))
    add(3, "ann", CaseDecision())
    #expect(row(nil).statusText == "flagged")
    #expect(row("cy").statusText == "flagged (bob)")
    #expect(try !CaseQuery("decided").matches(row(nil)))
  }

  @Test("a list that is written from another begins with its verdicts, and overwrites none of its own")
  func copiesRecords() throws {
    let folder = try SampleFolder("cases/a.nii")
    let environment = ["XDG_STATE_HOME": folder("state")]
    _ = try accept(3, RecordWriter(worklist: folder("cases"), reader: "ann", environment: environment))
    let list = folder("list.csv")
    func copy(_ worklist: String, _ other: String) throws -> Int {
      try RecordFolder.copyRecords(ofWorklist: worklist, to: other, environment: environment)
    }
    #expect(try copy(folder("cases"), list) == 1)
    var records = ReviewRecords(worklist: list, environment: environment)
    records.poll()
    #expect(
      records.reviews.mapValues { $0.decision }
        == Dictionary(
          uniqueKeysWithValues: (1...3).map { ("c\($0)", decision(.accepted)) }))
    #expect(try copy(folder("cases"), list) == 0)
    #expect(try copy(list, list) == 0)
    #expect(try copy(folder("none.csv"), list) == 0)
  }

  @Test(
    "a line that is not a record is refused",
    arguments: [
      "", "[]", "{}", #"{"sequence":0,"reader":"a","case":"c","event":"decided"}"#,
      #"{"sequence":99999999999999999,"reader":"a","case":"c","event":"decided"}"#,
      #"{"sequence":1,"reader":"a","case":"c","event":"exploded"}"#,
      #"{"sequence":1,"reader":"a","case":"c","event":"decided","score":6}"#,
      #"{"sequence":1,"case":"c","event":"decided"}"#,
    ])
  func noRecords(text: String) { #expect(CaseRecord(json: Data(text.utf8)) == nil) }

  @Test(
    "the last decision that is not withdrawn counts, by sequence and not by the clock, in whatever order records come"
  )
  func merging() {
    let events = [
      event(1, "ann", .accepted, time: "2030-01-01T00:00:00.000Z"), event(2, "bob", .rejected),
      event(3, "cy", nil, .opened),
    ]
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
      var review = CaseReview()
      for index in order {
        review.add(events[index], order: .init(events[index], file: "f", line: 1))
      }
      #expect(review.decision == decision(.rejected))
      #expect(review.decidingEvent?.reader == "bob")
      #expect(review.readers == ["ann", "bob", "cy"])
      #expect(review.openBy == ["cy"])
      #expect(review.isDisputed)
      #expect(review.decisions["ann"] == decision(.accepted))
    }
  }

  @Test(
    "a withdrawn decision leaves that of another reader, and equal sequences are ordered by time and file")
  func withdrawal() {
    var review = CaseReview()
    func add(_ event: CaseRecord, file: String = "f") {
      review.add(event, order: .init(event, file: file, line: 1))
    }
    add(event(1, "ann", .accepted))
    add(event(2, "bob", .rejected))
    add(event(3, "bob", nil))
    #expect(review.decision == decision(.accepted))
    #expect(!review.isDisputed)
    add(event(3, "ann", .needsWork, time: "2026-01-02T00:00:00.000Z"))
    #expect(review.decision == decision(.needsWork))
    add(event(3, "ann", .rejected, time: "2026-01-02T00:00:00.000Z"), file: "e")
    #expect(review.decision == decision(.needsWork))
    add(event(4, "ann", .needsWork, .closed))
    #expect(review.openBy == [] && review.decision == decision(.needsWork))
  }

  @Test("a process that leaves a case without knowing of a decision in another one does not withdraw it")
  func otherProcess() {
    let opened = event(1, "ann", nil, .opened)
    let decided = event(2, "ann", .accepted)
    let closed = event(3, "ann", nil, .closed)
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
      var review = CaseReview()
      let added = [(opened, "a"), (decided, "b"), (closed, "a")]
      for index in order {
        review.add(added[index].0, order: .init(added[index].0, file: added[index].1, line: 1))
      }
      #expect(review.decisions == ["ann": decision(.accepted)])
      #expect(review.entries["ann"]?.last.kind == .closed)
      #expect(review.entries["ann"]?.decidingFile == "b")
      #expect(review.openBy == [])
      // A damaged record of the decision is made good by a later record of the same process.
      let again = event(4, "ann", .rejected, .closed)
      review.add(again, order: .init(again, file: "b", line: 2))
      #expect(review.decision == decision(.rejected))
    }
  }

  @Test("a poll returns the records that others appended since the last one")
  func polling() throws {
    let folder = try SampleFolder()
    let ann = RecordWriter(folders: [folder("r")], reader: "ann")
    let bob = RecordWriter(folders: [folder("r")], reader: "bob")
    var records = ReviewRecords(folders: [folder("r")])
    #expect(records.poll() == [])
    try ann.append(.opened, caseName: "c1", image: "c1.nii", decision: CaseDecision(), after: 0)
    #expect(records.poll() == ["c1"])
    let sequence = records.highestSequence
    try bob.append(.decided, caseName: "c2", image: "c2.nii", decision: decision(.accepted), after: sequence)
    try ann.append(.decided, caseName: "c1", image: "c1.nii", decision: decision(.rejected), after: sequence)
    #expect(records.poll() == ["c1", "c2"])
    #expect(records.poll() == [])
    #expect(sequence == 1 && records.highestSequence == 2)
    #expect(records.reviews["c1"]?.decision == decision(.rejected))
    #expect(records.notes == [])
    // What this process wrote is known before the disk is read, and does not change when it is.
    let own = try ann.append(
      .decided, caseName: "c3", image: "c3.nii", decision: decision(nil, score: 5), after: 9)
    records.add(own.event, file: own.file, line: own.line)
    let reviews = records.reviews
    #expect(reviews["c3"]?.decision?.score == 5 && records.highestSequence == 10)
    records.poll()
    #expect(records.reviews == reviews)
  }

  @Test("a damaged line, a torn end and bytes of another program cost no other record")
  func damage() throws {
    let folder = try SampleFolder()
    let writer = RecordWriter(folders: [folder.path], reader: "ann")
    let file = try accept(5, writer)
    var lines = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    lines[1] = lines[1].replacingOccurrences(of: "accepted", with: "rejected")
    lines[3] = "\u{1}\u{2}"
    let torn = lines.joined(separator: "\n") + "\n" + lines[0].prefix(50)
    try Data(torn.utf8).write(to: URL(filePath: file))
    var records = ReviewRecords(folders: [folder.path])
    #expect(records.poll() == ["c1", "c3", "c5"])
    let name = FilePath.name(of: file)
    #expect(
      records.notes.map(folder.relative) == [
        "\(name): 2 damaged records are ignored", "\(name): its last record is not complete",
      ])
    // The torn line is completed later.
    try Data((torn + lines[0].dropFirst(50) + "\n").utf8).write(to: URL(filePath: file))
    records.poll()
    #expect(!records.notes.contains { $0.contains("not complete") })
  }

  @Test("a file that shrank is read again, and one that vanished is reported and its records stay")
  func shrinking() throws {
    let folder = try SampleFolder()
    let writer = RecordWriter(folders: [folder.path], reader: "ann")
    let file = try accept(3, writer)
    var records = ReviewRecords(folders: [folder.path])
    records.poll()
    let whole = try Data(contentsOf: URL(filePath: file))
    let first = try #require(whole.firstIndex(of: 10))
    truncate(file, off_t(first + 1))
    #expect(records.poll() == ["c2", "c3"])
    #expect(Set(records.reviews.keys) == ["c1"])
    unlink(file)
    #expect(records.poll() == [])
    #expect(Set(records.reviews.keys) == ["c1"])
    #expect(records.notes.contains { $0.contains("is gone") })
    // The writer creates its file again with all its records.
    try writer.append(.decided, caseName: "c4", image: "", decision: decision(.accepted), after: 0)
    #expect(records.poll().contains("c4"))
    #expect(Set(records.reviews.keys) == ["c1", "c4"])
  }

  @Test("where the shared folder cannot be written, verdicts go to the user's own, with a note")
  func fallback() throws {
    let folder = try SampleFolder("cases/a.nii", "file")
    let environment = ["XDG_STATE_HOME": folder("state")]
    #expect(RecordFolder.shared(worklist: folder("list.csv")) == folder("list.records"))
    #expect(RecordFolder.shared(worklist: folder("cases")) == folder("cases/segdeck-records"))
    let personal = RecordFolder.personal(worklist: folder("cases"), environment: environment)
    #expect(personal == folder("state/segdeck/records") + folder("cases/segdeck-records"))
    // A file has the name of the folder, so that not even root can create it.
    let writer = RecordWriter(folders: [folder("file/records"), personal], reader: "ann")
    #expect(writer.note == nil)
    try writer.append(.decided, caseName: "a", image: "a.nii", decision: decision(.accepted), after: 0)
    #expect(
      writer.note?.hasPrefix("other readers do not see your verdicts, which are written to \(personal): ")
        == true)
    var records = ReviewRecords(worklist: folder("cases"), environment: environment)
    #expect(records.poll() == ["a"])
  }

  @Test("the reader is the option's, the variable's or the login name")
  func readerNames() throws {
    let environment = ["SEGDECK_READER": "bob"]
    #expect(try ReaderName.resolved(option: " ann ", environment: environment) == "ann")
    #expect(try ReaderName.resolved(option: nil, environment: environment) == "bob")
    #expect(try !ReaderName.resolved(option: nil, environment: [:]).isEmpty)
    for wrong in ["", "  ", "a\nb", "a\u{1b}[2J", String(repeating: "a", count: 101)] {
      #expect(throws: InputError.self) { try ReaderName.resolved(option: wrong, environment: [:]) }
    }
  }

  @Test("ten thousand records of two readers are merged: each case has the last decision")
  func manyRecords() throws {
    let folder = try SampleFolder()
    var bytes: [Data] = [Data(), Data()]
    for number in 1...10_000 {
      let event = CaseRecord(
        sequence: number, time: CaseRecord.time(Date()), reader: "r\(number % 2)", host: "host",
        caseName: "case\(number % 1000)", image: "images/case\(number % 1000).nii.gz", kind: .decided,
        decision: CaseDecision(
          verdict: .accepted, score: 3, comment: "some words about it", tags: ["motion"], seconds: 40,
          version: .init(name: "seg")))
      bytes[number % 2] += LineFileSample.line(event.json)
    }
    for (index, data) in bytes.enumerated() { try data.write(to: URL(filePath: folder("r\(index).jsonl"))) }
    var records = ReviewRecords(folders: [folder.path])
    #expect(records.poll() == Set((0..<1000).map { "case\($0)" }))
    #expect(records.notes == [])
    #expect(records.reviews["case7"]?.decidingEvent?.sequence == 9007)
  }
}
