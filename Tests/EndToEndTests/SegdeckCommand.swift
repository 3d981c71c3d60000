import Foundation
import TestSupport

/// A folder of its own for one test; ``remove()`` deletes it.
struct TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "segdeck-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.resolvingSymlinksInPath().path
  }

  /// The path of `name` in this folder.
  func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Makes folders in this one.
  func make(_ names: String...) throws {
    for name in names {
      try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: false)
    }
  }

  /// The content of `name` in this folder.
  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: self(name))) }

  /// Deletes the folder and everything in it.
  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// The content of every file below the folder, by relative path; a folder counts as empty content.
  func contents() throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      contents[name] = FileManager.default.contents(atPath: self(name)) ?? Data()
    }
    return contents
  }
}

/// The result of a run of segdeck.
struct CommandOutcome {
  let status: Int32
  let output: String
  let errors: String
}

/// Runs segdeck in `folder` to its end, with `environment` over the test's own (an empty value unsets).
///
/// The bundled models are those of the checkout unless `environment` says otherwise. `shell` is what the shell that
/// starts the program does first, such as setting a limit.
func segdeck(
  _ words: [String], in folder: String, environment: [String: String] = [:], program: String? = nil,
  shell: String = ":"
) throws -> CommandOutcome {
  let errors = FileManager.default.temporaryDirectory.appending(path: "segdeck-errors-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: errors) }
  let variables = ["SEGDECK_SHARE": checkout.appending(path: "sample-data").path].merging(environment) { $1 }
  let unset = variables.filter(\.value.isEmpty).flatMap { ["-u", $0.key] }
  let set = variables.filter { !$0.value.isEmpty }.map { "\($0)=\($1)" }
  let start = "errors=$1; shift; exec 2>\"$errors\"; \(shell); exec \"$@\""
  let result = try run(
    ["env", "-C", folder] + unset + set
      + ["sh", "-c", start, "sh", errors.path, try program ?? BuiltProgram.path()] + words)
  return CommandOutcome(
    status: result.status, output: result.output, errors: try String(contentsOf: errors, encoding: .utf8))
}

/// Runs segdeck and throws when it fails; gives what it printed.
@discardableResult
func succeed(
  _ words: [String], in folder: String, environment: [String: String] = [:], program: String? = nil
) throws -> String {
  let outcome = try segdeck(words, in: folder, environment: environment, program: program)
  guard outcome.status == 0 else {
    throw TmuxSession.Failure(
      description: "segdeck \(words.joined(separator: " ")) ended with \(outcome.status): \(outcome.errors)")
  }
  return outcome.output
}
