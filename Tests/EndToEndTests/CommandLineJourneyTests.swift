import Foundation
import TestSupport
import Testing

/// The command line of the review in a real terminal, and the files that it opens.
@Suite(.serialized)
struct CommandLineJourneyTests {
  @Test(
    "Tab completes files, a mask and another image are opened, a misfit is reported, and later sessions have the lines",
    .timeLimit(.minutes(5)))
  func files() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for (name, size) in [("ct", "28x26x18"), ("other", "20x20x12")] {
      try succeed(
        [
          "phantom", "ct", "--seed", "3", "--size", size, "-o", "\(name).nii.gz", "--labels",
          "\(name)-labels.nii.gz",
        ], in: folder.path)
    }
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: [
        "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "XDG_STATE_HOME": folder("state"),
      ])
    try session.enter("cd \(folder.path); clear; \(try BuiltProgram.path()) review ct.nii.gz")
    try session.waitFor("Sagittal", seconds: 60)
    try session.type(":mask ct-")
    try session.press("Tab")
    try session.waitFor(":mask ct-labels.nii.gz")
    try session.type(" as reader one")
    try session.press("Enter")
    try session.waitFor("reader one is shown")
    try session.type(":mask other-labels.nii.gz")
    try session.press("Enter")
    try session.waitFor("does not fit the image: other dimensions")
    try session.type(":opne nowhere.nii")
    try session.press("Enter")
    try session.waitFor("did you mean open?")
    try session.type(":open nowhere.nii")
    try session.press("Enter")
    try session.waitFor("nowhere.nii: cannot be opened")
    try session.type(":open other.nii.gz")
    try session.press("Enter")
    try session.waitUntil("shows the other image", seconds: 60) {
      $0.contains("segdeck  other") && $0.contains("Sagittal")
    }
    try session.type(":")
    try session.press("Up")
    try session.waitFor(":open other.nii.gz")
    try session.press("Escape")
    try session.type("q")
    try session.waitFor("ready>")
    // The mask is in the journal of the first image, the lines in the history.
    try session.enter("clear; \(try BuiltProgram.path()) review ct.nii.gz")
    try session.waitFor("A reader one", seconds: 60)
    try session.type(":mask")
    try session.press("Up")
    try session.waitFor(":mask other-labels.nii.gz")
    try session.press("Up")
    try session.waitFor(":mask ct-labels.nii.gz as reader one")
    try session.press("Escape")
    try session.type("q")
    try session.waitFor("ready>")
  }

  @Test("the first start without an image offers the tour, once, and Enter takes it", .timeLimit(.minutes(5)))
  func tour() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let session = try TmuxSession(
      columns: 100, rows: 30,
      environment: [
        "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "XDG_STATE_HOME": folder("state"),
      ])
    let program = try BuiltProgram.path()
    try session.enter("clear; \(program)")
    try session.waitFor("Enter begins a tour of two minutes", seconds: 60)
    try session.press("Enter")
    try session.waitFor("Tour, 1 of ")
    try session.press("PageUp")
    try session.waitFor("Tour, 2 of ")
    try session.press("Escape")
    try session.waitFor("the tour is over")
    try session.type("q")
    try session.waitFor("ready>")
    try session.enter("clear; \(program)")
    let shown = try session.waitFor("? help", seconds: 60)
    #expect(!shown.contains("begins a tour"))
    try session.type("q")
    try session.waitFor("ready>")
    try session.enter("clear; \(program) tour")
    try session.waitFor("Tour, 1 of ", seconds: 60)
    try session.press("Escape")
    try session.type("q")
    try session.waitFor("ready>")
  }
}
