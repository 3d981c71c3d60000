import Foundation
import TestSupport
import Testing

/// Megabytes of address space: from less than the program takes to begin to more than these cases need.
private let addressSpaces = [200, 330, 360, 400, 440, 480, 520, 560, 620, 700, 2000]

@Suite("Where memory is short") struct MemoryTests {
  @Test(
    "a command ends with its result or one line, and nothing half-written stays",
    arguments: [
      ["segment", "i.nii.gz", "-o", "out.nii.gz"],
      ["segment", "i.nii.gz", "-o", "out.nii.gz", "--tile", "48x48x48"],
      ["refine", "i.nii.gz", "--mask", "l.nii.gz", "-o", "out.nii.gz"],
      ["compare", "l.nii.gz", "l.nii.gz"],
      ["convert", "l.nii.gz", "out.nii.gz", "--like", "i.nii.gz"],
      ["info", "l.nii.gz"],
    ])
  func commandsEndInOrder(words: [String]) throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try succeed(
      ["phantom", "ct", "--seed", "3", "--size", "160x150x120", "--spacing", "2.2"]
        + ["-o", "i.nii.gz", "--labels", "l.nii.gz"], in: folder.path)
    let before = Set(try folder.contents().keys)
    var statuses: Set<Int32> = []
    for megabytes in addressSpaces {
      let outcome = try segdeck(words, in: folder.path, shell: "ulimit -v \(megabytes << 10)")
      statuses.insert(outcome.status)
      let left = Set(try folder.contents().keys).subtracting(before)
      let lines = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("segdeck: note: ") }
      if outcome.status == 0 {
        #expect(lines == [])
        #expect(left == (words.contains("-o") || words[0] == "convert" ? left.union(["out.nii.gz"]) : []))
        for name in left { try FileManager.default.removeItem(atPath: folder(name)) }
      } else {
        #expect(outcome.status == 1, "\(megabytes) MB: \(outcome.errors)")
        #expect(lines.count == 1 && lines[0].hasPrefix("segdeck: "), "\(megabytes) MB: \(outcome.errors)")
        #expect(left == [], "\(megabytes) MB")
      }
    }
    // The table reaches from too little to enough.
    #expect(statuses == [0, 1])
  }
}
