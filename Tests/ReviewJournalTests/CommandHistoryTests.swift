import Foundation
import Review
import Testing
import Work
import segdeck

@Suite("The history of command lines on the disk")
struct CommandHistoryTests {
  private func withFolder(_ body: (StoredCommandHistory, String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "segdeck-history-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(StoredCommandHistory(environment: ["XDG_STATE_HOME": folder]), folder + "/segdeck/commands.json")
  }

  @Test("lines are kept for later sessions, the newest last and none twice, for the user alone")
  func keeping() throws {
    try withFolder { stored, path in
      #expect(stored.history == CommandHistory())
      for text in ["score 4", "mask caf\u{10ffe9}.nii", "score 4"] {
        _ = try stored.add(.init(.command, text))
      }
      let all = try stored.add(.init(.goTo, "liver"))
      let expected = CommandHistory(commands: ["mask caf\u{10ffe9}.nii", "score 4"], places: ["liver"])
      #expect((all, stored.history) == (expected, expected))
      #expect(FileSystem.status(path).map { $0.st_mode & 0o777 } == 0o600)
    }
  }

  @Test("lines of many threads at once are all kept")
  func together() throws {
    try withFolder { stored, _ in
      DispatchQueue.concurrentPerform(iterations: 20) { number in
        _ = try? stored.add(.init(.command, "score \(number)"))
      }
      #expect(Set(stored.history.commands) == Set((0..<20).map { "score \($0)" }))
    }
  }

  @Test("only the last lines are kept", arguments: [CommandHistory.depth + 3])
  func depth(count: Int) {
    let history = CommandHistory(commands: (0..<count).map { "slice \($0)" })
    #expect(history.commands == (3..<count).map { "slice \($0)" })
  }

  @Test(
    "a damaged file counts as empty, and lines with control characters are left out",
    arguments: [
      ("{", []), ("[1]", []), ("{\"commands\":[\"a\\u001b[2J\",\"b\"],\"places\":[]}", ["b"]),
    ] as [(String, [String])])
  func damage(content: String, lines: [String]) throws {
    try withFolder { stored, path in
      try FileSystem.makeFolder(FilePath.folder(of: path))
      try content.write(toFile: path, atomically: true, encoding: .utf8)
      #expect(stored.history == CommandHistory(commands: lines))
    }
  }
}
