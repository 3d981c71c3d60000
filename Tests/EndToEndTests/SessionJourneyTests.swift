import Foundation
import Glibc
import TestSupport
import Testing

/// The fields of `segdeck worklist --json` that these tests need.
private struct ListedCase: Decodable, Equatable {
  struct Decision: Decodable, Equatable {
    var reader: String
    var verdict: String?
    var flagged: Bool
    var score: Int?
    var comment: String
  }
  var name: String
  var decisions: [Decision]
}

/// Reviews of many cases in a real terminal.
@Suite(.serialized)
struct SessionJourneyTests {
  /// Four cases in a folder, `images/case-1.nii.gz` and on with masks in `labels/`.
  private func caseFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["data/images", "data/labels"] {
      try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
    }
    for number in 1...4 {
      try succeed(
        [
          "phantom", "ct", "--seed", "\(number)", "--size", "28x26x18", "-o",
          "data/images/case-\(number).nii.gz", "--labels", "data/labels/case-\(number).nii.gz",
        ], in: folder.path)
    }
    return folder
  }

  private func environment(_ folder: TemporaryFolder) -> [String: String] {
    [
      "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "COLORTERM": "truecolor",
      "XDG_STATE_HOME": folder("state"), "XDG_CACHE_HOME": folder("cache"),
    ]
  }

  private func decisions(_ folder: TemporaryFolder) throws -> [String: [ListedCase.Decision]] {
    let text = try succeed(
      ["worklist", "data", "--json"], in: folder.path, environment: environment(folder))
    let cases = try JSONDecoder().decode([ListedCase].self, from: Data(text.utf8))
    return Dictionary(uniqueKeysWithValues: cases.map { ($0.name, $0.decisions) })
  }

  @Test(
    "a killed session resumes at the case where it stopped, with every verdict",
    .timeLimit(.minutes(5)))
  func killedSession() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment(folder))
    let program = try BuiltProgram.path()
    let review = "\(program) review \(folder("data")) --reader ann"
    try session.enter("clear; sh -c 'echo $$ >\(folder("pid")); exec \(review)'")
    try session.waitUntil("opens the first case", seconds: 60) {
      $0.contains("1/4  case-1") && $0.contains("Axial")
    }
    session.look()
    try session.type("5Y")
    try session.waitUntil("goes on", seconds: 60) { $0.contains("2/4  case-2") && $0.contains("Axial") }
    session.look()
    try session.type("f\"")
    try session.waitFor("comment")
    try session.type("needs Y, not q")
    try session.press("Enter")
    try session.waitFor("comment kept")
    try session.press("C-n")
    try session.waitUntil("opens the third", seconds: 60) {
      $0.contains("3/4  case-3") && $0.contains("Axial")
    }
    session.look()
    try session.type("e")
    try session.waitFor("rejected labels")
    // The record is on the disk a moment later; beside other tests that may take longer.
    let deadline = Date().addingTimeInterval(30)
    while try decisions(folder)["case-3"]?.first?.verdict != "rejected", Date() < deadline { usleep(100_000) }
    try session.killProgram(withNumberIn: folder("pid"))
    #expect(
      try decisions(folder) == [
        "case-1": [.init(reader: "ann", verdict: "accepted", flagged: false, score: 5, comment: "")],
        "case-2": [.init(reader: "ann", verdict: nil, flagged: true, score: nil, comment: "needs Y, not q")],
        "case-3": [.init(reader: "ann", verdict: "rejected", flagged: false, score: nil, comment: "")],
        "case-4": [],
      ])

    try session.enter("clear; \(review)")
    try session.waitUntil("opens where it stopped", seconds: 60) {
      $0.contains("3/4  case-3") && $0.contains("Axial")
    }
    try session.type("C")
    let list = try session.waitFor("4 cases")
    #expect(list.contains(/case-1 +accepted +5/))
    #expect(list.contains(/case-2 +flagged/))
    #expect(list.contains(/case-4 +unread/))
    try session.type("/score>4")
    try session.waitFor("1 of 4 cases")
    try session.press("Enter", "Enter")
    let first = try session.waitUntil("opens the only one", seconds: 60) {
      $0.contains("1/1 of 4, filter score>4  case-1") && $0.contains("Axial") && $0.contains("accepted: ")
    }
    #expect(first.contains(/accepted: labels.* score 5/))
    try session.type("q")
    try session.waitFor("ready>")
  }

  @Test(
    "a mask that cannot be read is named in its case, and what one reader exported another replaces",
    .timeLimit(.minutes(5)))
  func damagedMaskAndExports() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let damaged = try folder.bytes("data/labels/case-1.nii.gz").prefix(300)
    try FileManager.default.createDirectory(
      atPath: folder("data/preds"), withIntermediateDirectories: true)
    try damaged.write(to: URL(filePath: folder("data/preds/case-1.nii.gz")))
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment(folder))
    let review = "\(try BuiltProgram.path()) review \(folder("data")) --reader"
    func accept() throws {
      try session.type("y")
      try session.waitFor("accepted labels")
      try session.type("E")
    }
    try session.enter("clear; \(review) ann")
    try session.waitFor("not opened: preds: case-1.nii.gz: ", seconds: 60)
    session.look()
    try accept()
    try session.waitFor("case-1_seg.nii.gz")
    try session.type("q")
    try session.waitFor("ready>")
    try session.enter("clear; \(review) bob")
    try session.waitFor("not opened: preds: case-1.nii.gz: ", seconds: 60)
    session.look()
    try accept()
    try session.waitFor("Replace them?")
    session.look()
    try session.type("y")
    try session.waitUntil("replaces the file") {
      $0.contains("accepted: labels and exported") && $0.contains("case-1_seg.nii.gz")
    }
    try session.type("q")
    try session.waitFor("ready>")
    let record = String(decoding: try folder.bytes("data/images/case-1_seg.json"), as: UTF8.self)
    #expect(record.contains(/"reviewer" *: *"bob"/))
  }

  @Test(
    "filtering the list on a terminal with 24-bit colours leaves no foreign character",
    .timeLimit(.minutes(5)))
  func filteredList() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      ["phantom", "ct", "--seed", "1", "--size", "28x26x18", "-o", "scan.nii.gz", "--labels", "mask.nii.gz"],
      in: folder.path)
    // The last rows move up: ncurses finds them again, and would scroll.
    let names = (0..<12).map { $0 < 8 ? "abdomen_\($0)" : "lits_\($0)" }
    let rows =
      ["case,image,mask:experts,mask:net"] + names.map { "\($0),scan.nii.gz,mask.nii.gz,mask.nii.gz" }
    try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: folder("list.csv")))
    let session = try TmuxSession(
      columns: 120, rows: 40, terminalType: "xterm-256color", environment: environment(folder))
    try session.enter("clear; \(try BuiltProgram.path()) review --worklist \(folder("list.csv"))")
    try session.waitUntil("opens the first case", seconds: 60) { $0.contains("1/12") && $0.contains("Axial") }
    try session.type("C")
    try session.waitUntil("lists every case with its Dice", seconds: 60) { shown in
      shown.contains("12 cases")
        && shown.split(separator: "\n").count { $0.contains(" 1.000") } == names.count
    }
    func filter(_ text: String, _ count: Int) throws {
      for character in text { try session.type(String(character)) }
      let title = count == names.count ? " segdeck  12 cases" : " segdeck  \(count) of 12 cases"
      let shown = try session.waitUntil("shows \(count) cases") { $0.hasPrefix(title) }
      #expect(!shown.unicodeScalars.contains { (0x2801...0x28FF).contains($0.value) }, "\(shown)")
      let listed = shown.split(separator: "\n").filter { $0.contains(" 1.000") }
      #expect(listed.count == count, "\(shown)")
    }
    try session.type("/")
    try filter("lits", 4)
    try session.press("C-u")
    try filter("", 12)
    try filter("11", 1)
    try session.press("C-u")
    try filter("abdomen_7", 1)
    try session.press("Escape")
    try filter("", 12)
    try session.press("Escape")
    try session.waitUntil("shows the case again") { $0.contains("1/12") && $0.contains("Axial") }
    try session.type("q")
    try session.waitFor("ready>")
  }

  @Test(
    "an image that was opened in a worklist is one of its cases from then on, and the worklist file is not changed",
    .timeLimit(.minutes(5)))
  func addedCase() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let variables = environment(folder)
    try succeed(
      [
        "phantom", "ct", "--seed", "9", "--size", "28x26x18", "-o", "other.nii.gz", "--labels",
        "other-labels.nii.gz",
      ], in: folder.path)
    try succeed(["worklist", "data", "-o", "list.csv"], in: folder.path, environment: variables)
    let file = try folder.bytes("list.csv")
    let session = try TmuxSession(columns: 120, rows: 40, environment: variables)
    let review = "\(try BuiltProgram.path()) review --worklist \(folder("list.csv")) --reader ann"
    try session.enter("clear; sh -c 'echo $$ >\(folder("pid")); exec \(review)'")
    try session.waitUntil("opens the first case", seconds: 60) {
      $0.contains("1/4  case-1") && $0.contains("Axial")
    }
    try session.type(":open \(folder("other.nii.gz"))")
    try session.press("Enter")
    try session.waitUntil("opens the image", seconds: 60) {
      $0.contains("5/5  other") && $0.contains("Axial")
    }
    func names() throws -> [String] {
      let text = try succeed(["worklist", "list.csv", "--json"], in: folder.path, environment: variables)
      return try JSONDecoder().decode([ListedCase].self, from: Data(text.utf8)).map(\.name)
    }
    let all = ["case-1", "case-2", "case-3", "case-4", "other"]
    let deadline = Date().addingTimeInterval(30)
    while try names() != all, Date() < deadline { usleep(100_000) }
    try session.killProgram(withNumberIn: folder("pid"))
    #expect(try names() == all)
    try session.enter("clear; \(review)")
    try session.waitUntil("opens where it stopped", seconds: 60) {
      $0.contains("5/5  other") && $0.contains("Axial")
    }
    try session.type("C")
    #expect(try session.waitFor("5 cases").contains(/other +opened/))
    try session.press("Escape")
    try session.type("q")
    try session.waitFor("ready>")
    try succeed(["report", "list.csv", "-o", "report"], in: folder.path, environment: variables)
    #expect(String(decoding: try folder.bytes("report/report.csv"), as: UTF8.self).contains("\nother,"))
    #expect(try folder.bytes("list.csv") == file)
  }

  @Test(
    "verdicts of a killed session that could not be written are recorded by the next one, whichever case it opens",
    .timeLimit(.minutes(5)))
  func unwrittenVerdicts() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let variables = environment(folder)
    // Files have the names of the folders, so that not even root can make those.
    let obstacles = ["data/segdeck-records", "state/segdeck/records"]
    try FileManager.default.createDirectory(
      atPath: folder("state/segdeck"), withIntermediateDirectories: true)
    for name in obstacles { try Data().write(to: URL(filePath: folder(name))) }
    let session = try TmuxSession(columns: 120, rows: 40, environment: variables)
    let review = "\(try BuiltProgram.path()) review \(folder("data")) --reader ann"
    try session.enter("clear; sh -c 'echo $$ >\(folder("pid")); exec \(review)'")
    let steps = [(1, "Y", "2/4"), (2, "4f", "flagged the case"), (3, "e", "rejected labels")]
    for (number, keys, shown) in steps {
      if number == 3 { try session.press("C-n") }
      try session.waitUntil("opens case \(number)", seconds: 60) {
        $0.contains("\(number)/4  case-\(number)") && $0.contains("Axial")
      }
      session.look()
      try session.type(keys)
      try session.waitFor(shown)
    }
    func journalled() throws -> String {
      try succeed(["journal", "list"], in: folder.path, environment: variables)
    }
    let deadline = Date().addingTimeInterval(30)
    while try !journalled().contains("rejected labels"), Date() < deadline { usleep(100_000) }
    try session.killProgram(withNumberIn: folder("pid"))
    for name in obstacles { try FileManager.default.removeItem(atPath: folder(name)) }
    #expect(try decisions(folder).values.allSatisfy(\.isEmpty))
    // The first case is on the screen, the second is opened ahead, and the third is not opened.
    try session.enter("clear; \(review)")
    let expected: [String: [ListedCase.Decision]] = [
      "case-1": [.init(reader: "ann", verdict: "accepted", flagged: false, score: nil, comment: "")],
      "case-2": [.init(reader: "ann", verdict: nil, flagged: true, score: 4, comment: "")],
      "case-3": [.init(reader: "ann", verdict: "rejected", flagged: false, score: nil, comment: "")],
      "case-4": [],
    ]
    try session.waitUntil("opens the first case", seconds: 60) {
      $0.contains("1/4  case-1") && $0.contains("Axial")
    }
    let end = Date().addingTimeInterval(60)
    while try decisions(folder) != expected, Date() < end { usleep(100_000) }
    #expect(try decisions(folder) == expected)
    try session.type("C")
    #expect(try session.waitFor("4 cases").contains(/case-3 +rejected/))
    try session.press("Escape")
    try session.type("q")
    try session.waitFor("ready>")
    #expect(try decisions(folder) == expected)
  }

  @Test("two readers see each other's verdicts, and neither loses one", .timeLimit(.minutes(5)))
  func twoReaders() throws {
    let folder = try caseFolder()
    defer { folder.remove() }
    let program = try BuiltProgram.path()
    let sessions = try ["ann", "bob"].map { reader in
      var variables = environment(folder)
      // Journals are each reader's own.
      variables["XDG_STATE_HOME"] = folder("state-\(reader)")
      variables["SEGDECK_READER"] = reader
      let session = try TmuxSession(columns: 120, rows: 40, environment: variables)
      try session.enter("clear; \(program) review \(folder("data"))")
      try session.waitUntil("opens the first case", seconds: 60) {
        $0.contains("1/4  case-1") && $0.contains("Axial")
      }
      return session
    }
    sessions[0].look()
    try sessions[0].type("e2")
    try sessions[1].waitUntil("hears of it", seconds: 60) { $0.contains("ann: rejected") }
    try sessions[1].type("Y")
    try sessions[0].waitUntil("hears of that", seconds: 60) { $0.contains("bob: accepted") }
    for session in sessions {
      try session.type("q")
      try session.waitFor("ready>")
    }
    let first = try decisions(folder)["case-1"]?.sorted { $0.reader < $1.reader }
    #expect(
      first == [
        .init(reader: "ann", verdict: "rejected", flagged: false, score: 2, comment: ""),
        .init(reader: "bob", verdict: "accepted", flagged: false, score: nil, comment: ""),
      ])
  }
}
