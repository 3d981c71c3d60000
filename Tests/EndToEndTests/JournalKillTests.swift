import Foundation
import Glibc
import TestSupport
import Testing
import Work

/// The fields of `journal export` that the tests need.
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

extension JournalTests {
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
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
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
          case let remainder where remainder % 3 == 0:
            state.thetaAlpha = 1 + Double(step) / 10
            terminal.type(":set theta-alpha \(state.thetaAlpha)\r")
          case let remainder where remainder % 3 == 1:
            let voxel = ExportedJournal.Index(i: step % 28, j: step / 28 % 26, k: step % 17)
            state.crosshair = voxel
            terminal.type("g\(voxel.i),\(voxel.j),\(voxel.k)\r")
          default:
            terminal.type(state.isFlagged ? ":retract flag\r" : "f")
            state.isFlagged.toggle()
          }
          states.append((state, now()))
          usleep(UInt32(min(random(30_000...250_000), max(0, killTime - now()) * 1e6)))
        }
      } else {
        usleep(UInt32(max(0, killTime - now()) * 1e6))
      }
      let end = now()
      terminal.end(with: killNumber % 5 == 0 ? SIGHUP : SIGKILL)
      // The CRF takes its time before its version has happened, beside other work seconds.
      let certain = states.lastIndex { $0.typed < end - margin } ?? 0
      let certainVersions = states.lastIndex { $0.typed < end - margin - 4 } ?? 0
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
      let context = "kill \(killNumber) after \(end) s, step \(step): \(restored) of \(possible)"
      #expect(possible.contains { $0.thetaAlpha == restored.thetaAlpha }, "\(context)")
      #expect(possible.contains { $0.isFlagged == restored.isFlagged }, "\(context)")
      #expect(possible.contains { $0.crosshair == nil || $0.crosshair == restored.crosshair }, "\(context)")
      #expect(restored.versionCount >= states[certainVersions].state.versionCount, "\(context)")
      #expect(restored.versionCount <= states.last!.state.versionCount, "\(context)")
      present = restored
    }
    // What the last of them left can be reviewed on.
    let names = try JSONDecoder().decode(
      ExportedJournal.self,
      from: Data(
        try tiny.journal("export", folder("ct.nii.gz"))
          .utf8)
    ).versions.map(\.name)
    #expect(names == ["labels.nii.gz"] + (1..<names.count).map { "CRF \($0)" })
  }

  @Test("killed, restored, accepted and exported: the mask is that of the session that made it")
  func restoredAndExported() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment)
    let review =
      "clear; \(tiny.reviewWithMask)"
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
    try tiny.journal("export", "ct", "-o", "again.nii.gz")
    #expect(try folder.bytes("again.nii.gz") == folder.bytes("refined.nii.gz"))
    // Both records can be carried out, and say the same of where the mask comes from.
    for record in ["ct_seg.json", "again.json"] {
      #expect(try succeed(["replay", record, "--verify"], in: folder.path) == "same\n")
    }
    #expect(try origin("again.json", in: folder) == origin("ct_seg.json", in: folder))
    let list = try tiny.journal("list")
    #expect(list.contains("accepted CRF 1, exported; flagged"))
    let happened = try tiny.journal("show", folder("ct.nii.gz"))
    for text in [
      "version labels.nii.gz: from", "version CRF 1: the CRF on labels.nii.gz", "flag the case",
      "accept CRF 1",
    ] {
      #expect(happened.contains(text))
    }
    let unasked = try segdeck(["journal", "remove", "ct"], in: folder.path, environment: environment)
    #expect(unasked.status == 1)
    #expect(unasked.errors.contains("expected a terminal, or --force"))
    try tiny.journal("remove", "ct", "--force")
    #expect(
      try tiny.journal("list").hasPrefix("no journals in ")
    )

    // Another image at the same path is another case.
    try succeed(
      [
        "phantom", "ct", "--seed", "4", "--size", "28x26x18", "-o", "ct.nii.gz", "--labels", "other.nii.gz",
        "--force",
      ], in: folder.path)
    try session.enter("reset; \(tiny.review)")
    let other = try session.waitFor("no mask: m runs", seconds: 60)
    #expect(!other.contains("restored"))
    try session.press("q")
  }
}
