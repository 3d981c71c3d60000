import Foundation
import Glibc
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// What `journal export` prints, as far as the tests need it.
private struct ExportedJournal: Decodable {
  struct Version: Decodable { var name: String }
  struct Index: Decodable, Equatable { var i, j, k: Int }
  struct Spacing: Decodable { var i: Double }
  struct Kernels: Decodable { var thetaAlphaMillimetres: Spacing }
  struct Verdicts: Decodable { var flagged: Bool }
  struct Decisions: Decodable {
    var kernels: Kernels
    var verdicts: Verdicts
  }
  struct View: Decodable { var crosshair: Index }
  var versions: [Version]
  var decisions: Decisions?
  var view: View?
}

/// Reviews that are killed, closed, opened twice, or have no place for their journal.
@Suite(.serialized)
struct JournalTests {
  private static let share = ["SEGDECK_SHARE": checkout.appending(path: "sample-data").path]

  private func tinyCase(_ folder: TemporaryFolder) throws {
    try succeed(
      [
        "phantom", "ct", "--seed", "3", "--size", "28x26x18", "-o", "ct.nii.gz", "--labels", "labels.nii.gz",
      ], in: folder.path)
  }

  /// The parts of a review that the script below changes.
  private struct Happened: Equatable {
    var thetaAlpha = 4.0
    var isFlagged = false
    var crosshair: ExportedJournal.Index?
    var versionCount = 1
  }

  @Test(
    "whatever happened more than a second before the program was killed is restored, 20 times or SEGDECK_KILLS times",
    .timeLimit(.minutes(60)))
  func kills() throws {
    let variables = ProcessInfo.processInfo.environment
    let count = variables["SEGDECK_KILLS"].flatMap(Int.init) ?? 20
    // Beside all other tests a key may wait seconds for its turn; by hand, with the machine to itself, it does not.
    let margin = variables["SEGDECK_KILLS"] == nil ? 3.0 : 1.0
    var generator = SplitMix64(seed: variables["SEGDECK_SEED"].flatMap(UInt64.init) ?? 1)
    func random(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    let environment = Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 }
    let program = try BuiltProgram.path()
    var step = 0
    var present = Happened()
    for killNumber in 1...max(1, count) {
      // What had happened after each step of this session, and when it was typed.
      var states = [(state: present, typed: -Double.infinity)]
      let terminal = try PseudoTerminal(
        [program, "review", folder("ct.nii.gz"), "--mask", folder("labels.nii.gz")], environment: environment)
      let start = ContinuousClock.now
      func now() -> Double { (ContinuousClock.now - start) / .seconds(1) }
      // Every fifth one while it starts, the others while it is worked with.
      let isEarly = killNumber % 5 == 2
      var killTime = isEarly ? random(0.05...1) : 60
      // What is decided before the journal was read counts in place of what it holds.
      let isReady =
        terminal.hasSent("Axial", within: killTime)
        && (present == Happened() || terminal.hasSent("restored", within: isEarly ? 0.5 : 30))
      if !isReady, !isEarly { killTime = now() }
      if isReady {
        if !isEarly { killTime = now() + random(0...margin + 1.5) }
        while now() < killTime {
          var state = states.last!.state
          step += 1
          switch step % 12 {
          case 3:
            // Seldom, so that none is stopped by the next.
            state.versionCount += 1
            terminal.type("t\rq")
          case let place where place % 3 == 0:
            state.thetaAlpha = 1 + Double(step) / 10
            terminal.type(":set theta-alpha \(state.thetaAlpha)\r")
          case let place where place % 3 == 1:
            let place = ExportedJournal.Index(i: step % 28, j: step / 28 % 26, k: step % 17)
            state.crosshair = place
            terminal.type("g\(place.i),\(place.j),\(place.k)\r")
          default:
            state.isFlagged.toggle()
            terminal.type("f")
          }
          states.append((state, now()))
          usleep(UInt32(min(random(30_000...250_000), max(0, killTime - now()) * 1e6)))
        }
      } else {
        usleep(UInt32(max(0, killTime - now()) * 1e6))
      }
      let end = now()
      terminal.end(with: killNumber % 5 == 0 ? SIGHUP : SIGKILL)
      // The CRF takes its time before its version has happened.
      let certain = states.lastIndex { $0.typed < end - margin } ?? 0
      let certainVersions = states.lastIndex { $0.typed < end - margin - 1 } ?? 0
      let outcome = try segdeck(
        ["journal", "export", folder("ct.nii.gz")], in: folder.path, environment: environment)
      guard outcome.status == 0 else {
        // Killed before there was a journal.
        #expect(certain == 0 && present == Happened(), "kill \(killNumber): \(outcome.errors)")
        continue
      }
      let journal = try JSONDecoder().decode(ExportedJournal.self, from: Data(outcome.output.utf8))
      let possible = states[certain...].map(\.state)
      let restored = Happened(
        thetaAlpha: journal.decisions?.kernels.thetaAlphaMillimetres.i ?? 4,
        isFlagged: journal.decisions?.verdicts.flagged ?? false, crosshair: journal.view?.crosshair,
        versionCount: max(1, journal.versions.count))
      let place = "kill \(killNumber) after \(end) s, step \(step): \(restored) of \(possible)"
      #expect(possible.contains { $0.thetaAlpha == restored.thetaAlpha }, "\(place)")
      #expect(possible.contains { $0.isFlagged == restored.isFlagged }, "\(place)")
      #expect(possible.contains { $0.crosshair == nil || $0.crosshair == restored.crosshair }, "\(place)")
      #expect(restored.versionCount >= states[certainVersions].state.versionCount, "\(place)")
      #expect(restored.versionCount <= states.last!.state.versionCount, "\(place)")
      present = restored
    }
    // What the last of them left can be reviewed on.
    let names = try JSONDecoder().decode(
      ExportedJournal.self,
      from: Data(
        try succeed(["journal", "export", folder("ct.nii.gz")], in: folder.path, environment: environment)
          .utf8)
    ).versions.map(\.name)
    #expect(names == ["labels.nii.gz"] + (1..<names.count).map { "CRF \($0)" })
  }

  @Test("killed, restored, accepted and exported: the mask is that of the session that made it")
  func restoredAndExported() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    let environment = Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 }
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment)
    let review =
      "clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) --mask \(folder("labels.nii.gz"))"
    try session.enter(review)
    try session.waitFor("Axial", seconds: 60)
    try session.press("t")
    try session.type("2.5")
    try session.press("Enter")
    try session.waitUntil("takes μ1") { $0.contains(/μ1 appearance .* 2\.5\b/) }
    try session.press("Enter")
    try session.waitFor("CRF 1 is shown", seconds: 60)
    try session.press("q", "f")
    try session.waitFor("case flagged")
    // Other programs see what was done, and write nothing.
    let second = try TmuxSession(columns: 120, rows: 40, environment: environment)
    try second.enter(review)
    try second.waitFor("restored 1 version from", seconds: 60)
    try second.waitFor("another segdeck has this case open")
    try second.press("e", "q")
    try second.waitFor("is not in the journal")
    try second.press("y")
    try second.waitFor("ready>")
    usleep(1_200_000)
    try session.signalProgram("KILL")
    try session.waitFor("ready>")

    try session.press("C-l")
    try session.enter("reset; \(review)")
    let shown = try session.waitFor("restored 1 version from", seconds: 60)
    #expect(shown.contains("case flagged") && shown.contains("B CRF 1"))
    try session.press("y")
    try session.waitFor("accepted CRF 1")
    try session.press("q")
    try session.waitFor("was not exported")
    try session.press("n", "E")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    try succeed(
      [
        "refine", "ct.nii.gz", "--mask", "labels.nii.gz", "--mask-confidence", "0.9", "--appearance-weight",
        "2.5",
        "--theta-alpha", "4", "--theta-beta", "20", "--smoothness-weight", "1.5", "--theta-gamma", "2",
        "--iterations", "5", "-o", "refined.nii.gz",
      ], in: folder.path)
    #expect(try folder.bytes("ct_seg.nii.gz") == folder.bytes("refined.nii.gz"))

    // The journal gives the same mask, lists the case, and goes when told to.
    try succeed(["journal", "export", "ct", "-o", "again.nii.gz"], in: folder.path, environment: environment)
    #expect(try folder.bytes("again.nii.gz") == folder.bytes("refined.nii.gz"))
    // Both records can be carried out, and say the same of where the mask comes from.
    for record in ["ct_seg.json", "again.json"] {
      #expect(try succeed(["replay", record, "--verify"], in: folder.path) == "same\n")
    }
    #expect(try origin("again.json", in: folder) == origin("ct_seg.json", in: folder))
    let list = try succeed(["journal", "list"], in: folder.path, environment: environment)
    #expect(list.contains("accepted CRF 1, exported; flagged"))
    let happened = try succeed(
      ["journal", "show", folder("ct.nii.gz")], in: folder.path, environment: environment)
    for text in [
      "version labels.nii.gz: from", "version CRF 1: the CRF on labels.nii.gz", "flag the case",
      "accept CRF 1",
    ] {
      #expect(happened.contains(text))
    }
    let unasked = try segdeck(["journal", "remove", "ct"], in: folder.path, environment: environment)
    #expect(unasked.status == 1)
    #expect(unasked.errors.contains("expected a terminal, or --force"))
    try succeed(["journal", "remove", "ct", "--force"], in: folder.path, environment: environment)
    #expect(
      try succeed(["journal", "list"], in: folder.path, environment: environment).hasPrefix("no journals in ")
    )

    // Another image at the same path is another case.
    try succeed(
      [
        "phantom", "ct", "--seed", "4", "--size", "28x26x18", "-o", "ct.nii.gz", "--labels", "other.nii.gz",
        "--force",
      ], in: folder.path)
    try session.enter("reset; \(try BuiltProgram.path()) review \(folder("ct.nii.gz"))")
    let other = try session.waitFor("no mask: m runs", seconds: 60)
    #expect(!other.contains("restored"))
    try session.press("q")
  }

  @Test(
    "voxels that were changed by hand survive a kill, can be undone then, and are written with their count")
  func changesSurvive() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    let session = try TmuxSession(
      columns: 120, rows: 40, environment: Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 })
    let review =
      "reset; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) --mask \(folder("labels.nii.gz"))"
    func type(_ line: String) throws {
      try session.press(":")
      try session.type(line)
      try session.press("Enter")
    }
    try session.enter(review)
    try session.waitFor("Axial", seconds: 60)
    try type("2,2,2")
    try type("paint liver")
    try session.waitFor("labels.nii.gz edited is shown")
    try type("2,3,2")
    try type("paint liver")
    try session.waitFor("paint liver in labels.nii.gz edited")
    usleep(1_200_000)
    try session.signalProgram("KILL")
    try session.waitFor("ready>")
    try session.enter(review)
    try session.waitFor("restored 1 version from", seconds: 60)
    try session.press("y", "E")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("z", "z")
    try session.waitFor("undid: paint liver")
    try session.press("q")
    try session.waitFor("ready>")

    let before = try ImageFile.open(folder("labels.nii.gz")).labelVolume()
    var painted = before
    for j in [2, 3] { painted.voxels[before.grid.size.offset(VoxelIndex(2, j, 2))] = 6 }
    #expect(try ImageFile.open(folder("ct_seg.nii.gz")).labelVolume().voxels == painted.voxels)
    let record = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(filePath: folder("ct_seg.json"))))
    #expect((record as? [String: Any])?["voxelsChangedByHand"] as? Int == 2)
    let replay = try segdeck(["replay", "ct_seg.json", "--verify"], in: folder.path)
    #expect(replay.status == 1)
    #expect(
      replay.errors
        == "segdeck: ct_seg.json: the mask was changed by hand, which no command does again: found 2 voxels\n"
    )
  }

  /// Model, source and commands of a record.
  private func origin(_ record: String, in folder: TemporaryFolder) throws -> [String] {
    struct File: Decodable {
      var absolutePath: String
      var sha256: String
      var change: String?
    }
    struct Record: Decodable {
      var model, source: File?
      var commands: [String]
    }
    let read = try JSONDecoder().decode(
      Record.self, from: Data(contentsOf: URL(filePath: folder(record))))
    return [read.model, read.source].map {
      "\($0?.absolutePath ?? "-") \($0?.sha256 ?? "-") \($0?.change ?? "-")"
    }
      + read.commands
  }

  @Test("the record of a restored network or mask states the file that made it, whatever lies there now")
  func restoredRecords() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    let models = checkout.appending(path: "sample-data/models")
    func lay(_ name: String) throws {
      try? FileManager.default.removeItem(atPath: folder("net.safetensors"))
      try FileManager.default.copyItem(
        atPath: models.appending(path: "\(name).safetensors").path, toPath: folder("net.safetensors"))
    }
    try lay("liver")
    let environment = Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 }
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment)
    let review = "\(try BuiltProgram.path()) review \(folder("ct.nii.gz"))"
    func type(_ line: String) throws {
      try session.press(":")
      try session.type(line)
      try session.press("Enter")
    }
    // Two labels of the mask, which has no names of its own, are one here.
    try FileManager.default.removeItem(atPath: folder("labels.labels.json"))
    try session.enter(
      "clear; \(review) --model \(folder("net.safetensors")) --mask \(folder("labels.nii.gz")) --label 8,9=both"
    )
    try session.waitFor("Axial", seconds: 60)
    try type("export \(folder("mask.nii.gz"))")
    try session.waitFor("nothing is accepted")
    try session.press("y", "E")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("m")
    try session.waitFor("Enter runs it", seconds: 60)
    try session.press("Enter")
    try session.waitFor("B net", seconds: 120)
    try session.press("y")
    try session.waitFor("accepted: net")
    try type("export \(folder("before.nii.gz"))")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    let network = try origin("before.json", in: folder)
    let mask = try origin("ct_seg.json", in: folder)
    #expect(network[0].hasSuffix(" -") && network[1] == "- - -")
    #expect(mask[1].hasPrefix(folder("labels.nii.gz") + " "))
    #expect(mask[2].contains("--label"))

    // Neither mask nor model are named this time.
    try session.enter("reset; \(review)")
    try session.waitFor("restored 2 versions from", seconds: 60)
    try type("export \(folder("after.nii.gz"))")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try origin("after.json", in: folder) == network)
    try succeed(
      ["journal", "export", "ct", "--version", "labels.nii.gz", "-o", "own.nii.gz"], in: folder.path,
      environment: environment)
    #expect(try origin("own.json", in: folder) == mask)
    for record in ["before.json", "after.json", "own.json", "ct_seg.json"] {
      #expect(
        try succeed(["replay", record, "--verify"], in: folder.path, environment: environment) == "same\n")
    }

    // Another model at the same place is not the one that made it.
    try lay("hippocampus")
    try succeed(["journal", "export", "ct", "-o", "later.nii.gz"], in: folder.path, environment: environment)
    let later = try origin("later.json", in: folder)
    #expect(later[0] == network[0].dropLast() + "changed since it was opened")
    #expect(later.dropFirst() == network.dropFirst())
    #expect(
      try segdeck(["replay", "later.json", "--verify"], in: folder.path, environment: environment).errors
        .contains("net.safetensors: is not the file of the record"))
  }

  @Test("what was decided a moment before a terminal hangs up or the program is told to end is kept")
  func toldToEnd() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    for (number, signal) in [SIGHUP, SIGTERM, SIGINT].enumerated() {
      let environment = Self.share.merging(["XDG_STATE_HOME": folder("state\(number)")]) { $1 }
      let terminal = try PseudoTerminal(
        [try BuiltProgram.path(), "review", folder("ct.nii.gz")], environment: environment)
      #expect(terminal.hasSent("Axial", within: 60))
      // The journal is there once it can be listed.
      for _ in 0..<300 {
        if try succeed(["journal", "list"], in: folder.path, environment: environment).contains("ct.nii.gz") {
          break
        }
        usleep(100_000)
      }
      // Only what differs from the screen before is sent, so that any answer to the key must do.
      #expect(terminal.answers("f", within: 30))
      #expect(terminal.end(with: signal) == signal)
      let list = try succeed(["journal", "list"], in: folder.path, environment: environment)
      #expect(list.contains(" flagged "))
    }
  }

  @Test("old journals go when another case is opened, but never one whose accepted version was not exported")
  func pruning() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let environment = Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 }
    func journals() throws -> String {
      try succeed(["journal", "list"], in: folder.path, environment: environment)
    }
    for (name, keys, answer) in [
      ("accepted", "y", "accepted labels"), ("flagged", "f", "flagged the case"), ("new", "", "Axial"),
    ] {
      try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
      try succeed(
        [
          "phantom", "ct", "--seed", "\(name.count)", "--size", "28x26x18", "-o", "\(name)/\(name).nii.gz",
          "--labels", "\(name)/labels.nii.gz",
        ], in: folder.path)
      let terminal = try PseudoTerminal(
        [
          try BuiltProgram.path(), "review", folder("\(name)/\(name).nii.gz"), "--mask",
          folder("\(name)/labels.nii.gz"),
        ], environment: environment)
      #expect(terminal.hasSent("Axial", within: 60))
      terminal.type(keys)
      #expect(terminal.hasSent(answer, within: 30))
      // Written, and looked through for what is old, when the next one is opened.
      for _ in 0..<300 {
        let list = try journals()
        if list.contains("\(name) "), keys.isEmpty ? !list.contains("flagged") : list.contains(" \(name)") {
          break
        }
        usleep(100_000)
      }
      terminal.end(with: SIGTERM)
      for file in try FileManager.default.contentsOfDirectory(atPath: folder("state/segdeck/journals")) {
        try FileManager.default.setAttributes(
          [.modificationDate: Date.now - 200 * 86400],
          ofItemAtPath: folder("state/segdeck/journals/\(file)"))
      }
    }
    let list = try journals()
    #expect(list.contains("accepted labels.nii.gz"))
    #expect(!list.contains("flagged"))
  }

  @Test("damage is named by list, show and export, and said when the case is opened; what is left is shown")
  func damage() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    let environment = Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 }
    let session = try TmuxSession(columns: 140, rows: 40, environment: environment)
    let review = "\(try BuiltProgram.path()) review \(folder("ct.nii.gz"))"
    try session.enter("clear; \(review) --mask \(folder("labels.nii.gz"))")
    try session.waitFor("Axial", seconds: 60)
    try session.press("t", "Enter")
    try session.waitFor("CRF 1 is shown", seconds: 60)
    try session.press("q", "y")
    try session.waitFor("accepted CRF 1")
    try session.press("q")
    try session.waitFor("was not exported")
    try session.press("y")
    try session.waitFor("ready>")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder("state/segdeck/journals")).first)
    let journal = folder("state/segdeck/journals/\(name)")
    let whole = try Data(contentsOf: URL(filePath: journal))
    /// Where the records begin, with the lengths of text and voxels.
    var records: [(start: Int, text: Int, voxels: Int)] = []
    var place = whole.firstIndex(of: 10)! + 1
    while place < whole.count {
      func number(_ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(whole[place + offset + $1]) << (8 * $1) }
      }
      records.append((place, number(0), number(8)))
      place += 24 + number(0) + number(8)
    }
    let versions = records.filter { $0.voxels > 0 }
    #expect(versions.count == 2)
    func damage(at position: Int) throws {
      var bytes = whole
      bytes[position] ^= 0x10
      try bytes.write(to: URL(filePath: journal))
    }
    func run(_ words: String...) throws -> CommandOutcome {
      try segdeck(["journal"] + words, in: folder.path, environment: environment)
    }
    func opened() throws -> String {
      try session.enter("reset; \(review)")
      let shown = try session.waitFor("damaged", seconds: 60)
      try session.press("q")
      try session.waitFor("ready>")
      return shown
    }

    // The voxels of the CRF.
    try damage(at: versions[1].start + 24 + versions[1].text)
    let shown = try run("show", "ct").output
    #expect(shown.contains("damaged   the voxels of CRF 1\n"))
    #expect(shown.contains("version CRF 1: the CRF on labels.nii.gz (damaged)\n"))
    #expect(try run("export", "ct", "-o", "a.nii.gz").errors.contains("the voxels of CRF 1 are damaged"))
    #expect(
      try run("export", "ct", "--version", "none", "-o", "a.nii.gz").errors.contains(
        "expected labels.nii.gz, CRF 1 (damaged)"))
    let left = try opened()
    #expect(left.contains("CRF 1 is damaged") && left.contains("A labels.nii.gz"))

    // The voxels of the mask, which is opened again.
    try damage(at: versions[0].start + 24 + versions[0].text)
    try session.enter("reset; \(review) --mask \(folder("labels.nii.gz"))")
    let known = try session.waitFor("restored 1 version from", seconds: 60)
    #expect(!known.contains("damaged") && known.contains("accepted: CRF 1"))
    try session.press("q")
    try session.waitFor("was not exported")
    try session.press("y")
    try session.waitFor("ready>")

    // A header: all behind it is lost, and kept beside.
    try damage(at: versions[1].start + 2)
    let count = whole.count - versions[1].start
    #expect(try run("show", "ct").output.contains(": \(count) bytes cannot be read\n"))
    #expect(try run("list").output.contains(" damaged "))
    let cut = try opened()
    #expect(cut.contains("the journal is damaged behind") && cut.contains("\(count) bytes were kept as"))
    #expect(try run("show", "ct").output.contains("kept as it was: \(journal).damaged\n"))
    try succeed(["journal", "remove", "ct", "--force"], in: folder.path, environment: environment)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("state/segdeck/journals")) == [])
  }

  @Test("a place that is missing at the start is tried again, and then has everything")
  func laterPlace() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    try Data().write(to: URL(filePath: folder("state")))
    let environment = Self.share.merging(["XDG_STATE_HOME": folder("state")]) { $1 }
    let session = try TmuxSession(columns: 80, rows: 30, environment: environment)
    try session.enter(
      "clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) --mask \(folder("labels.nii.gz"))")
    try session.waitFor("what you do here is not kept: File exists", seconds: 60)
    try session.press("f")
    try session.waitFor("flagged the case")
    try FileManager.default.removeItem(atPath: folder("state"))
    try session.press("e")
    try session.waitFor("the journal is written again", seconds: 30)
    try session.press("q")
    try session.waitFor("ready>")
    let list = try succeed(["journal", "list"], in: folder.path, environment: environment)
    #expect(list.contains("rejected labels.nii.gz; flagged"))
  }

  @Test("without a place for the journal the review goes on, says so, and asks at the end")
  func noPlace() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try tinyCase(folder)
    let session = try TmuxSession(
      columns: 120, rows: 40, environment: Self.share.merging(["XDG_STATE_HOME": "/proc/nowhere"]) { $1 })
    try session.enter(
      "clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) --mask \(folder("labels.nii.gz"))")
    try session.waitFor("what you do here is not kept", seconds: 60)
    try session.press("f", "q")
    try session.waitFor("is not in the journal")
    try session.press("y")
    try session.waitFor("ready>")
  }
}
