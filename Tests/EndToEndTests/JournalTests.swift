import Foundation
import Glibc
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// A small CT with its labels, in a folder that also has the state of its reviews.
struct TinyCase {
  let folder: TemporaryFolder
  /// With the bundled models, and the state below ``folder``.
  let environment: [String: String]
  /// The words that open the image in a shell.
  let review: String
  /// The same with the labels as a mask.
  let reviewWithMask: String

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    environment = [
      "SEGDECK_SHARE": checkout.appending(path: "sample-data").path, "XDG_STATE_HOME": folder("state"),
    ]
    review = "\(try BuiltProgram.path()) review \(folder("ct.nii.gz"))"
    reviewWithMask = review + " --mask \(folder("labels.nii.gz"))"
    try succeed(
      [
        "phantom", "ct", "--seed", "3", "--size", "28x26x18", "-o", "ct.nii.gz", "--labels", "labels.nii.gz",
      ], in: folder.path)
  }

  /// The output of `segdeck journal`, which must succeed.
  @discardableResult
  func journal(_ words: String...) throws -> String {
    try succeed(["journal"] + words, in: folder.path, environment: environment)
  }
}

/// Reviews that are killed, closed, opened twice, or cannot write their journal.
@Suite(.serialized)
struct JournalTests {
  @Test("opening a case removes old journals, but none whose accepted version was not exported")
  func pruning() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    for (name, keys, shown) in [
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
      #expect(terminal.hasSent(shown, within: 30))
      // Written, and looked through for what is old, when the next one is opened.
      for _ in 0..<300 {
        let list = try tiny.journal("list")
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
    let list = try tiny.journal("list")
    #expect(list.contains("accepted labels.nii.gz"))
    #expect(!list.contains("flagged"))
  }
}
