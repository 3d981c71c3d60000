import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes

/// Two masks of one image, numbered differently and one of them without names, in a real terminal.
@Suite(.serialized)
struct PairingJourneyTests {
  @Test(
    "an uncertain pairing is asked about once and remembered for the same files",
    .timeLimit(.minutes(5)))
  func pairing() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      [
        "phantom", "ct", "--seed", "3", "--size", "64x56x48", "-o", "ct.nii.gz", "--labels", "truth.nii.gz",
      ], in: folder.path)
    let truth = try ImageFile.open(folder("truth.nii.gz"))
    var other = try truth.labelVolume()
    // The liver is 1 there and the spleen 6: by value both would have a Dice of 0.
    other.voxels = other.voxels.map { $0 == 6 ? 1 : $0 == 1 ? 6 : $0 }
    try other.write(to: folder("other.nii.gz"), source: truth.source)
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: [
        "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "COLORTERM": "truecolor",
        "XDG_STATE_HOME": folder("state"),
      ])
    let command =
      "clear; \(try BuiltProgram.path()) review \(folder("ct.nii.gz")) --mask \(folder("truth.nii.gz")) "
      + "--mask \(folder("other.nii.gz"))"
    try session.enter(command)
    let question = try session.waitFor("Pairs of labels", seconds: 60)
    #expect(question.contains(/liver +label 1 +1\.00/))
    try session.press("Enter")
    let paired = try session.waitUntil("compares the pairs") { $0.contains(/858\.22 +0\.00 +1\.000/) }
    #expect(paired.contains(/■ liver *\n.* B: label 1 +858\.22 +0\.00 +1\.000/))
    try session.press("q")
    try session.waitFor("ready>")
    try session.enter(command)
    // Either the remembered pairing or the journal reports it, whichever is read first.
    let again = try session.waitUntil("opens again", seconds: 60) {
      $0.contains("paired as you chose before") || $0.contains("restored")
    }
    #expect(!again.contains("Pairs of labels"))
    try session.press("q")
    try session.waitFor("ready>")

    let compared = try segdeck(["compare", "truth.nii.gz", "other.nii.gz"], in: folder.path)
    #expect(compared.errors.contains("label 1 of other.nii.gz overlaps liver of truth.nii.gz by 1.00"))
    #expect(compared.errors.contains("--label 1=liver compares them"))
  }
}
