import Foundation
import TestSupport
import Testing

/// The CRF's knobs in a real terminal.
struct KnobJourneyTests {
  @Test(
    "a changed knob refines the region, then the whole image; Tab flips, and Enter keeps the result",
    .timeLimit(.minutes(2)))
  func turnAKnob() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      [
        "phantom", "ct", "--seed", "11", "--size", "80x68x48", "-o", "ct.nii.gz", "--labels", "truth.nii.gz",
      ],
      in: folder.path)
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: [
        "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "COLORTERM": "truecolor",
        "XDG_STATE_HOME": folder("state"), "XDG_CONFIG_HOME": folder("config"),
      ])
    try session.enter(
      "clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) --mask \(folder("truth.nii.gz"))")
    try session.waitFor("Sagittal", seconds: 60)
    // Without the appearance kernel a mask of ten labels is refined in no time.
    try session.press("t", "0", "Enter", "Down", "Down", "Down")
    let opened = try session.waitUntil("refines all of the image", seconds: 60) {
      $0.contains(/μ1 appearance .* 0\b/) && Self.changed($0, "image") != nil
    }
    try session.type("9")
    try session.press("Enter")
    let turned = try session.waitUntil("shows what the turn did", seconds: 60) {
      $0.contains(/μ2 smoothness .* 9\b/) && Self.changed($0, "image") != nil
        && Self.changed($0, "image") != Self.changed(opened, "image")
    }
    #expect(try #require(Self.changed(turned, "image")) > 0)
    let refined = try session.screen(withColours: true)
    try session.press("Tab")
    let beforeRefinement = try session.waitUntil("flips", condition: refined)
    #expect(beforeRefinement != refined)
    try session.press("Tab", "S")
    try session.type("mine")
    try session.press("Enter")
    try session.waitFor("saved the kernels as mine")
    #expect(FileManager.default.fileExists(atPath: folder("config/segdeck/crf/mine.json")))
    try session.press("Enter")
    try session.waitFor("A truth.nii.gz")
    try session.waitFor("CRF 1")
    // The first closes the panel.
    try session.press("q", "q")
    try session.waitFor("ready>")
  }

  /// The changed voxels that the panel counts in the box or in the image.
  private static func changed(_ screen: String, _ region: String) -> Int? {
    if screen.contains("\(region): nothing changes") { return 0 }
    let count = /(box|image): ([\d ]+?) (vox(els)? )?in\s/
    guard let match = screen.firstMatch(of: count), match.1 == region else { return nil }
    return Int(match.2.replacing(" ", with: ""))
  }
}

extension TmuxSession {
  /// Waits until the window's colours differ from those of an earlier screen.
  fileprivate func waitUntil(_ what: String, seconds: Double = 10, condition earlier: String) throws -> String
  {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      let shown = try screen(withColours: true)
      if shown != earlier { return shown }
      Thread.sleep(forTimeInterval: 0.03)
    }
    throw Failure(description: "after \(seconds) s the terminal never \(what)")
  }
}
