import Foundation
import Review
import Synchronization
import Work

/// The command lines of all reviews: `segdeck/commands.json` in `$XDG_STATE_HOME` or `~/.local/state`, readable by the
/// user alone.
///
/// The last ``CommandHistory/depth`` lines of each prompt are stored. A file that cannot be read counts as empty.
package struct StoredCommandHistory {
  private let path: String

  private static let maximumByteCount = 4 << 20
  /// Serialises writes of reviews in this process; a ``FileLock`` excludes those of other processes.
  private static let turn = Mutex(())
  /// The number of attempts to take the lock, at intervals of 20 ms.
  private static let attempts = 50

  private struct Document: Codable {
    var commands: [String]
    var places: [String]
  }

  /// The user's history.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    path = FilePath.joined(UserFolder.state(environment), "commands.json")
  }

  /// The stored lines.
  package var history: CommandHistory {
    let content = try? ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(path, limit: Self.maximumByteCount)
    }
    guard let data = content.flatMap(\.self),
      let document = try? JSONDecoder().decode(Document.self, from: data)
    else { return CommandHistory() }
    func safe(_ lines: [String]) -> [String] {
      lines.filter { line in !line.unicodeScalars.contains { $0.isTerminalControl } }
    }
    return CommandHistory(commands: safe(document.commands), places: safe(document.places))
  }

  /// Stores a line as the newest.
  /// - Returns: All lines.
  /// - Throws: ``InputError`` when the file cannot be written, or another program keeps it locked.
  package func add(_ line: CommandHistoryJob.Line) throws(InputError) -> CommandHistory {
    let result = Self.turn.withLock { _ -> Result<CommandHistory, InputError> in
      Result { () throws(InputError) in try addInTurn(line) }
    }
    return try result.get()
  }

  private func addInTurn(_ line: CommandHistoryJob.Line) throws(InputError) -> CommandHistory {
    try FileSystem.makeFolder(FilePath.folder(of: path), mode: 0o700)
    // Files that replace it later get the same mode.
    let descriptor = FileSystem.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    if descriptor >= 0 { close(descriptor) }
    let lock = try locked()
    defer { withExtendedLifetime(lock) {} }
    var history = history
    history.add(line.text, after: line.prompt)
    let document = Document(commands: history.commands, places: history.places)
    try AtomicFile.write(finiteJSON(document) + Data("\n".utf8), to: path)
    return history
  }

  private func locked() throws(InputError) -> FileLock {
    for _ in 1..<Self.attempts {
      if let lock = try? FileLock(path, owner: "segdeck") { return lock }
      usleep(20_000)
    }
    return try FileLock(path, owner: "segdeck")
  }
}
