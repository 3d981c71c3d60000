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
    session.look()
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

  @Test(
    "pairs that a reader confirms in one case count in the list and the report of all cases",
    .timeLimit(.minutes(5)))
  func pairsCountInLists() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    for number in [1, 2] {
      let path = folder("data/labels/case\(number).nii")
      let file = try ImageFile.open(path)
      var labels = try file.labelVolume()
      // Two labels of different sizes, 1 and 2 in one mask and 2 and 1 in the other.
      let first = labels.voxels.count / 2
      for index in labels.voxels.indices where labels.voxels[index] > 0 {
        labels.voxels[index] = index < first ? 1 : 2
      }
      // The program never replaces a file that it has read.
      try labels.write(to: folder("new.nii"), source: file.source)
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.moveItem(atPath: folder("new.nii"), toPath: path)
      labels.voxels = labels.voxels.map { $0 > 0 ? 3 - $0 : 0 }
      try labels.write(to: folder("net/case\(number).nii"), source: file.source)
    }
    func dice() throws -> [Double?] {
      let outcome = try cases.call(["worklist", "data", "--labels", "net", "--measure", "--json"])
      let rows = try #require(
        JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
      return rows.map { row in
        (row["labels"] as? [[String: Any]])?.compactMap { $0["dice"] as? Double }.min()
      }
    }
    let before = try dice()
    #expect(before == [0, 0, nil])
    let session = try TmuxSession(
      columns: 120, rows: 40,
      environment: [
        "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "COLORTERM": "truecolor",
        "XDG_STATE_HOME": folder("state"), "XDG_CACHE_HOME": folder("cache"),
      ])
    try session.enter("clear; cd \(folder.path) && \(try BuiltProgram.path()) review data --labels net")
    try session.waitFor("Pairs of labels", seconds: 60)
    session.look()
    try session.press("Enter")
    try session.waitFor("pairs of labels")
    try session.press("C")
    // The list measures both cases again with the pairs.
    try session.waitUntil("measures again", seconds: 60) { text in
      text.split(separator: "\n").count { $0.contains(/case[12] .*1\.00/) } == 2
    }
    try session.press("Escape")
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try dice() == [1, 1, nil])
    #expect(
      try cases.call(["report", "data", "--labels", "net", "--no-pictures", "-o", "out"]).status == 0)
    let labels = String(decoding: try folder.bytes("out/report.labels.csv"), as: UTF8.self)
    #expect(
      labels.split(separator: "\n").filter { $0.hasPrefix("case2,") }.allSatisfy { $0.contains(",1.0000,") })
  }
}
