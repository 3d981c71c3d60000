import Cohort
import Foundation
import Testing
import Work

private let settings = "5e77"

private func record(
  _ event: CohortRecord.Event, _ attempt: Int, case name: String = "a", settings: String = settings,
  time: String = "2026-12-01T10:00:00.000Z"
) -> CohortRecord {
  CohortRecord(event, case: name, attempt: attempt, settingsSha256: settings, time: time)
}

private func progress(_ records: [CohortRecord]) -> CaseProgress {
  records.reduce(into: CaseProgress()) { $0.add($1) }
}

@Suite("What records say about a case")
struct CaseProgressTests {
  @Test("the last attempt decides, whatever the order in which records are read")
  func order() {
    let records = [
      record(.started, 1), record(.failed, 1), record(.retried, 1), record(.started, 2), record(.done, 2),
    ]
    let states: [CaseProgress.State] = [
      .begun(records[0]), .failed(records[1]), .left, .begun(records[3]), .done(records[4]),
    ]
    for (count, state) in states.enumerated() {
      let known = Array(records[...count])
      for orders in [known, known.reversed(), known + known] {
        let progress = progress(orders)
        #expect(progress.state(settingsSha256: settings) == state)
        #expect(progress.attempt == known[count].attempt)
      }
    }
    #expect(CaseProgress().state(settingsSha256: settings) == .left)
  }

  @Test("a case that is done stays done, whatever ends later; one with other settings or images is left")
  func done() {
    let done = record(.done, 1)
    let known = progress([record(.started, 1), done, record(.started, 2), record(.failed, 3)])
    #expect(known.state(settingsSha256: settings) == .done(done))
    #expect(known.state(settingsSha256: "other") == .left)
    #expect(progress([done]).state(settingsSha256: settings) { _ in false } == .left)
    #expect(progress([record(.failed, 1)]).state(settingsSha256: settings) { _ in false } == .left)
  }

  @Test("attempts that began and did not end are counted back to the last that ended or was taken back")
  func interruptions() {
    let begun = [record(.started, 2), record(.started, 3)]
    #expect(progress(begun).interruptionCount(settingsSha256: settings) == 2)
    for end in [record(.failed, 1), record(.retried, 1), record(.done, 1)] {
      #expect(progress(begun + [record(.started, 1), end]).interruptionCount(settingsSha256: settings) == 2)
    }
    #expect(progress(begun + [record(.retried, 3)]).interruptionCount(settingsSha256: settings) == 0)
    #expect(progress(begun).interruptionCount(settingsSha256: "other") == 0)
  }
}

@Suite("Records of many tasks")
struct CohortRecordsTests {
  private func folder() -> String {
    FileManager.default.temporaryDirectory.appending(path: "segdeck-cohort-\(UUID().uuidString)").path
  }

  @Test("a line holds the whole record")
  func line() throws {
    var whole = record(.done, 3)
    whole.image = "/data/a.nii"
    whole.inputs = [CohortRecord.InputFile(path: "/no such file")]
    whole.imagesSha256 = "1f"
    whole.mask = "masks/a.nii.gz"
    whole.labels = [
      CohortRecord.Label(
        value: 6, name: "liver", ml: 1480.25, components: 1, holes: 2, missingSlices: 0, touches: ["I"],
        entropyInside: 0.1)
    ]
    whole.comparisons = [
      CohortRecord.Comparison(
        name: "liver", ml: 1480.25, referenceMl: 1500, dice: 0.95, hd95Mm: 4.5, assdMm: 1, surfaceDice: 0.9)
    ]
    whole.cause = .memory
    whole.cost = CohortRecord.Cost()
    #expect(CohortRecord(json: whole.json) == whole)
    let text = String(decoding: whole.json, as: UTF8.self)
    #expect(text.contains(#""schema":"segdeck-cohort","#) && text.contains(#""hd95_mm":4.5,"#))
    #expect(text.contains(#""case":"a","#) && text.contains(#""missing_slices":0,"#) && !text.contains("\n"))
    #expect(whole.inputs?[0].bytes == -1)
    let later = text.replacing(#""version":1"#, with: #""version":2"#)
    #expect(CohortRecord(json: Data(later.utf8)) == nil)
    #expect(CohortRecord(json: Data("{}".utf8)) == nil)
  }

  @Test("files of several tasks are merged, new lines alone are read, and a torn line costs itself alone")
  func merging() throws {
    let path = folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var records = CohortRecords(folder: path)
    records.poll()
    #expect(records.cases.isEmpty)
    let writers = try (0..<2).map { _ in try CohortRecordWriter(folder: path) }
    try writers[0].append(record(.started, 1, case: "a"))
    try writers[1].append(record(.done, 1, case: "b"))
    records.poll()
    #expect(Set(records.cases.keys) == ["a", "b"])
    try writers[0].append(record(.done, 1, case: "a"))
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    #expect(names.count == 2)
    let torn = try #require(FileHandle(forWritingAtPath: path + "/" + names[0]))
    try torn.seekToEnd()
    try torn.write(contentsOf: Data("{\"crc32\":\"0000\n{\"crc32\":\"00".utf8))
    records.poll()
    #expect(records["a"].state(settingsSha256: settings) == .done(record(.done, 1, case: "a")))
    #expect(records.damagedLineCount == 1)
    var again = CohortRecords(folder: path)
    again.poll()
    #expect(again.cases == records.cases)
  }

  @Test("the table of results does not depend on when, where and in how many attempts cases were computed")
  func table() {
    func results(_ attempt: Int, host: String, time: String) -> [CohortResult] {
      var done = record(.done, attempt, time: time)
      done.host = host
      done.labels = [
        CohortRecord.Label(
          value: 6, name: "liver, left", ml: 12.5, components: 1, holes: 0, missingSlices: 0,
          touches: ["R", "I"])
      ]
      done.reference = "manual"
      done.comparisons = [
        CohortRecord.Comparison(
          name: "liver, left", ml: 12.5, referenceMl: 10, dice: 0.5, hd95Mm: nil, assdMm: nil, surfaceDice: 0),
        CohortRecord.Comparison(
          name: "spleen", ml: 0, referenceMl: 2, dice: 0, hd95Mm: nil, assdMm: nil, surfaceDice: 0),
      ]
      var failed = record(.failed, attempt, case: "b", time: time)
      failed.error = "b.nii: is empty"
      return [
        CohortResult(name: "a", state: .done(done)), CohortResult(name: "b", state: .failed(failed)),
        CohortResult(name: "c", state: .left),
      ]
    }
    let table = results(1, host: "n1", time: "2026-12-01T10:00:00.000Z").table
    #expect(table == results(4, host: "n2", time: "2026-12-02T10:00:00.000Z").table)
    #expect(
      String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst() == [
        "a,done,\"liver, left\",6,12.500,1,0,0,R I,,,manual,10.000,0.5000,,,0.0000,",
        "a,done,spleen,,0.000,,,,,,,manual,2.000,0.0000,,,0.0000,", "b,failed,,,,,,,,,,,,,,,,b.nii: is empty",
        "c,left,,,,,,,,,,,,,,,,",
      ])
  }
}
