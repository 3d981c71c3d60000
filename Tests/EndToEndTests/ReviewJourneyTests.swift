import Foundation
import TestSupport
import Testing

/// The whole job in a real terminal: `segdeck review` driven by keys alone.
@Suite(.serialized)
struct ReviewJourneyTests {
  /// Slower kernels than the processor has, so that the network takes some seconds; the same for screen and
  /// command line, since other instructions round otherwise.
  private static let environment = [
    "SEGDECK_INSTRUCTION_SET": "portable", "SEGDECK_SHARE": checkout.appending(path: "sample-data").path,
    "COLORTERM": "truecolor",
  ]

  @Test(
    "open, scroll, segment, refine, compare, accept and export by keys give the file that the commands give",
    .timeLimit(.minutes(10)))
  func wholeJob() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      [
        "phantom", "ct", "--seed", "4711", "--size", "160x136x128", "-o", "ct.nii.gz", "--labels",
        "truth.nii.gz",
      ],
      in: folder.path)
    let image = try folder.bytes("ct.nii.gz")
    // An earlier export, which must be asked about.
    try Data("earlier".utf8).write(to: URL(filePath: folder("ct_seg.nii.gz")))

    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: Self.environment.merging(["XDG_STATE_HOME": folder("state")]) { $1 })
    let modes = try session.terminalModes()
    try session.enter("clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz"))")
    try session.waitFor("Sagittal", seconds: 60)
    try scrollEveryPlane(session)
    try runNetworkWhileScrolling(session)
    try refineWithOtherKernels(session)
    try compareVersions(session)
    try session.press("y")
    try session.waitFor("accepted CRF 1")
    try session.press("E")
    try session.waitFor("┌ Question ")
    #expect(try folder.bytes("ct_seg.nii.gz") == Data("earlier".utf8))
    try session.press("y")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try session.terminalModes() == modes)
    #expect(try folder.bytes("ct.nii.gz") == image)

    try checkExport(folder)
    #expect(try folder.bytes("ct.nii.gz") == image)
  }

  @Test(
    "the cursor moves over the text of a line, which stays, whoever writes the cells",
    .timeLimit(.minutes(2)),
    arguments: ["truecolor", "256"])
  func cursorInLine(colours: String) throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: Self.environment.merging(["XDG_STATE_HOME": folder("state")]) { $1 })
    try session.enter("clear; \(try BuiltProgram.path()) review --color \(colours)")
    try session.waitFor("Sagittal", seconds: 60)
    try session.type(":comment abcdefgh")
    try session.waitFor(" :comment abcdefgh")
    func cursorColumn() throws -> String {
      try session.tmux("display-message", "-p", "-t", "main", "#{cursor_x},#{cursor_y}")
    }
    for (key, column) in [("Home", 2), ("Right", 3), ("Right", 4), ("End", 18), ("Left", 17)] {
      try session.press(key)
      let place = "\(column),39\n"
      try session.waitUntil("has its cursor at \(place)") { _ in (try? cursorColumn()) == place }
      #expect(try session.screen().contains(" :comment abcdefgh"), "after \(key)")
    }
    try session.press("Escape", "q")
    try session.waitFor("ready>")
  }

  @Test("a review that crashes gives the terminal back", .timeLimit(.minutes(1)))
  func crash() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: Self.environment.merging(["XDG_STATE_HOME": folder("state")]) { $1 })
    let modes = try session.terminalModes()
    try session.enter("clear; \(try BuiltProgram.path())")
    try session.waitFor("Axial", seconds: 30)
    try session.signalProgram("SEGV")
    let shown = try session.waitFor("ready>")
    #expect(!shown.contains("Axial"))
    #expect(try session.terminalModes() == modes)
    #expect(
      try session.tmux(
        "display-message", "-p", "-t", "main", "#{mouse_any_flag}#{cursor_flag}#{alternate_on}") == "010\n")
  }

  @Test("masks that do not fit or are not there are named, and the rest opens", .timeLimit(.minutes(1)))
  func misfittingMasks() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for (name, size) in [("ct", "40x34x24"), ("other", "32x32x24")] {
      let words = ["--size", size, "-o", "\(name).nii.gz", "--labels", "\(name)_labels.nii.gz"]
      try succeed(["phantom", "ct", "--seed", "11"] + words, in: folder.path)
    }
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: Self.environment.merging(["XDG_STATE_HOME": folder("state")]) { $1 })
    let masks = ["other_labels", "ct_labels", "missing"].map { "--mask \(folder($0)).nii.gz" }
    try session.enter(
      "clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) \(masks.joined(separator: " "))")
    let shown = try session.waitFor("not opened: ", seconds: 30)
    #expect(shown.contains("A ct_labels.nii.gz"))
    try session.press("M")
    // A frame may be caught while it is drawn.
    for text in ["Messages, the newest last", "other_labels.nii.gz", "missing.nii.gz"] {
      try session.waitFor(text)
    }
    try session.press("q", "q")
    try session.waitFor("ready>")
  }

  @Test("a review whose image cannot be opened leaves one line and the shell's screen")
  func missingImage() throws {
    let session = try TmuxSession(columns: 100, rows: 30, environment: Self.environment)
    let modes = try session.terminalModes()
    try session.enter("clear; \(try BuiltProgram.path()) /nowhere/scan.nii.gz; echo \"ended with\" $?")
    let shown = try session.waitFor("ended with 1")
    #expect(
      shown.contains("segdeck: /nowhere/scan.nii.gz: cannot be opened: found No such file or directory"))
    #expect(try session.terminalModes() == modes)
  }

  /// PgUp in each plane moves that plane's slice by one and no other.
  private func scrollEveryPlane(_ session: TmuxSession) throws {
    var expected = try #require(Slices(try session.screen()))
    #expect(expected == Slices(sagittal: 80, coronal: 68, axial: 64))
    for (key, plane, step) in [
      ("a", \Slices.axial, 1), ("c", \Slices.coronal, -1), ("s", \Slices.sagittal, -1),
    ] {
      try session.press(key, "PageUp")
      let before = expected[keyPath: plane]
      let shown = try session.waitUntil("moves the slice of plane \(key)") {
        Slices($0)?[keyPath: plane] != before
      }
      expected[keyPath: plane] += step
      #expect(Slices(shown) == expected)
    }
    try session.press("a")
  }

  /// Runs the liver model; while its percentage is below 100, the slice number changes between two captures.
  private func runNetworkWhileScrolling(_ session: TmuxSession) throws {
    try session.press("m")
    try session.waitFor("Enter runs it", seconds: 60)
    try session.press("Enter")
    let first = try session.waitUntil("runs the network") { Self.percentage($0) != nil }
    try session.press("PageUp")
    let second = try session.waitUntil("scrolls") { Slices($0) != Slices(first) }
    let (before, after) = (try #require(Slices(first)), try #require(Slices(second)))
    #expect(after.axial == before.axial + 1)
    let (early, late) = (try #require(Self.percentage(first)), try #require(Self.percentage(second)))
    #expect(early <= late && late < 100)
    let shown = try session.waitFor("liver is shown", seconds: 120)
    #expect(Self.percentage(shown) == nil)
    #expect(try #require(Self.millilitres(shown)) > 0)
  }

  /// Types two knobs of the CRF panel and refines the whole image.
  private func refineWithOtherKernels(_ session: TmuxSession) throws {
    try session.press("t")
    try session.waitFor("μ1 appearance")
    try session.type("2.5")
    try session.press("Enter")
    try session.waitUntil("takes μ1") { $0.contains(/μ1 appearance .* 2\.5\b/) }
    try session.press("Down")
    try session.type("6")
    try session.press("Enter")
    try session.waitUntil("takes θα") { $0.contains(/θα width .* 6 mm/) }
    try session.press("Enter")
    try session.waitFor("CRF 1 is shown", seconds: 120)
    try session.press("Escape")
    try session.waitUntil("shows the knobs") { $0.contains(/μ1 2\.5 +θα 6\b/) }
  }

  /// Flips between the network's version and the refined one and shows where they differ.
  private func compareVersions(_ session: TmuxSession) throws {
    let refined = try #require(Self.millilitres(try session.screen()))
    try session.press("Tab")
    try session.waitUntil("shows the other version's volume") { Self.millilitres($0) != refined }
    try session.press("d")
    try session.waitFor("difference of")
    let shown = try session.waitFor("only A")
    let row = try #require(shown.firstMatch(of: /liver +[\d.]+ +([+−-][\d.]+) +(0\.\d+|1\.0+)/))
    #expect(row.1.dropFirst().contains { ("1"..."9").contains($0) })
    try session.press("d")
    try session.waitUntil("leaves the difference") { !$0.contains("difference of") }
    try session.press("Tab")
    try session.waitUntil("shows the refined version again") { Self.millilitres($0) == refined }
  }

  /// The export equals what the commands of its record make in another folder, byte for byte.
  private func checkExport(_ folder: TemporaryFolder) throws {
    let record = try JSONDecoder().decode(ExportRecord.self, from: folder.bytes("ct_seg.json"))
    #expect(record.commands.count == 2)
    #expect(
      record.commands.first?.hasPrefix("segdeck segment \(folder("ct.nii.gz")) --model liver --pro") == true)
    #expect(record.commands.last?.hasPrefix("segdeck refine \(folder("ct.nii.gz")) --probabilities ") == true)
    #expect(record.commands.last?.contains(" --appearance-weight 2.5 --theta-alpha 6.0 ") == true)
    #expect(record.commands.last?.hasSuffix(" -o OUTPUT") == true)
    try FileManager.default.createDirectory(atPath: folder("again"), withIntermediateDirectories: false)
    for command in record.commands {
      let words = command.replacingOccurrences(of: "OUTPUT", with: "ct_seg.nii.gz").split(separator: " ")
      try succeed(words.dropFirst().map(String.init), in: folder("again"), environment: Self.environment)
    }
    #expect(
      try succeed(["replay", "ct_seg.json", "--verify"], in: folder.path, environment: Self.environment)
        == "same\n")
    #expect(try folder.bytes("ct_seg.nii.gz") == folder.bytes("again/ct_seg.nii.gz"))
    #expect(try folder.bytes("ct_seg.labels.json") == folder.bytes("again/ct_seg.labels.json"))
    // The refinement changed something, or the comparison above would say little.
    #expect(try folder.bytes("again/ct_seg.nii.gz") != folder.bytes("again/step1.nii.gz"))
    for (stem, name) in [("ct_seg", "exported.nii"), ("ct", "image.nii")] {
      try succeed(["convert", "\(stem).nii.gz", name], in: folder.path)
    }
    let (mask, image) = (try folder.bytes("exported.nii"), try folder.bytes("image.nii"))
    // NIfTI-1: dim, pixdim with units, and the codes and numbers of qform and sform.
    for field in [40..<56, 76..<108, 123..<124, 252..<328] { #expect(mask[field] == image[field]) }
  }

  /// The fields of `NAME.json` that the test needs.
  private struct ExportRecord: Decodable {
    var commands: [String]
  }

  /// The progress of the network on the screen; nil when none runs.
  private static func percentage(_ screen: String) -> Int? {
    screen.firstMatch(of: /running liver +[█░]+ +(\d+)%/).flatMap { Int($0.1) }
  }

  /// The volume of the shown version's liver in the label table.
  private static func millilitres(_ screen: String) -> Double? {
    screen.firstMatch(of: /■[ ›]liver +([\d.]+)/).flatMap { Double($0.1) }
  }
}

/// The slice numbers in the titles of the three panes.
private struct Slices: Equatable {
  var sagittal, coronal, axial: Int

  init(sagittal: Int, coronal: Int, axial: Int) {
    (self.sagittal, self.coronal, self.axial) = (sagittal, coronal, axial)
  }

  /// Reads them from a screen; nil when one is not there.
  init?(_ screen: String) {
    guard let sagittal = screen.firstMatch(of: /Sagittal +i (\d+) of/).flatMap({ Int($0.1) }),
      let coronal = screen.firstMatch(of: /Coronal +j (\d+) of/).flatMap({ Int($0.1) }),
      let axial = screen.firstMatch(of: /Axial +k (\d+) of/).flatMap({ Int($0.1) })
    else { return nil }
    self.init(sagittal: sagittal, coronal: coronal, axial: axial)
  }
}
