import Foundation
import Glibc
import TestSupport

/// A shell in a real terminal: a tmux server of its own, with one window of a given size.
///
/// A machine without tmux fails the test with a clear error. ``end()`` (or the end of its life) kills the server.
final class TmuxSession {
  /// The reason why a terminal test could not go on.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let server: String
  /// The folder of journals unless a test gives another: never the developer's own.
  private let stateFolder: String
  private var hasEnded = false

  /// Starts `sh` in a window of `columns` x `rows` with `TERM` and further variables as given; an empty value unsets.
  init(
    columns: Int = 100, rows: Int = 30, terminalType: String? = nil, environment: [String: String] = [:]
  ) throws {
    server = "segdeck-test-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
    stateFolder = FileManager.default.temporaryDirectory.appending(path: "\(server)-state").path
    // What the developer's own shell says about colours and languages must not decide a test.
    var variables = [
      "COLORTERM": "", "NO_COLOR": "", "LC_ALL": "", "LC_CTYPE": "", "LANG": "C.UTF-8", "PS1": "ready> ",
      "XDG_STATE_HOME": stateFolder,
    ]
    if let terminalType { variables["TERM"] = terminalType }
    variables.merge(environment) { $1 }
    let settings = variables.sorted { $0.key < $1.key }.map { $1.isEmpty ? "-u \($0)" : "\($0)='\($1)'" }
    let unset = settings.filter { $0.hasPrefix("-u") }
    let set = settings.filter { !$0.hasPrefix("-u") }
    let shell = "exec env \((unset + set).joined(separator: " ")) bash --norc --noprofile"
    try tmux(
      "-u", "-f", "/dev/null", "new-session", "-d", "-s", "main", "-x", "\(columns)", "-y", "\(rows)", shell)
    try tmux("set-option", "-g", "status", "off")
    try tmux("set-option", "-s", "escape-time", "0")
    try waitFor("ready>")
  }

  deinit { end() }

  /// Kills the server and everything in it.
  func end() {
    guard !hasEnded else { return }
    hasEnded = true
    _ = try? tmux("kill-server")
    try? FileManager.default.removeItem(atPath: stateFolder)
  }

  /// Runs a tmux command on this session's server and gives what it printed.
  @discardableResult
  func tmux(_ arguments: String...) throws -> String { try tmux(arguments) }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    let result = try run(["tmux", "-L", server] + arguments)
    guard result.status == 0 else {
      throw Failure(description: "tmux \(arguments.joined(separator: " ")): \(result.output)")
    }
    return result.output
  }

  /// Presses keys, in tmux' names: "q", "Up", "PageDown", "C-z", "Escape", "F1".
  func press(_ keys: String...) throws {
    for key in keys { try tmux("send-keys", "-t", "main", key) }
  }

  /// Types a text as it stands.
  func type(_ text: String) throws { try tmux("send-keys", "-t", "main", "-l", text) }

  /// Sends bytes to the program as a terminal would: mouse reports, paste marks.
  func send(bytes: [UInt8]) throws {
    try tmux(["send-keys", "-t", "main", "-H"] + bytes.map { String($0, radix: 16) })
  }

  /// Types a command line and Enter.
  func enter(_ command: String) throws {
    try type(command)
    try press("Enter")
  }

  /// The rows of the window, one line for each; with `-e` escape sequences for colours.
  func screen(withColours: Bool = false) throws -> String {
    withColours
      ? try tmux("capture-pane", "-t", "main", "-p", "-e") : try tmux("capture-pane", "-t", "main", "-p")
  }

  /// Waits until the window shows `text`, and gives the screen; throws with the last screen when it does not come.
  @discardableResult
  func waitFor(_ text: String, seconds: Double = 20) throws -> String {
    try waitUntil("shows \"\(text)\"", seconds: seconds) { $0.contains(text) }
  }

  /// Waits until the screen satisfies a condition.
  @discardableResult
  func waitUntil(_ what: String, seconds: Double = 20, _ condition: (String) -> Bool) throws -> String {
    let deadline = Date().addingTimeInterval(seconds)
    var shown = ""
    repeat {
      shown = try screen()
      if condition(shown) { return try settled(shown, condition) }
      Thread.sleep(forTimeInterval: 0.03)
    } while Date() < deadline
    throw Failure(description: "after \(seconds) s the terminal never \(what); it shows:\n\(shown)")
  }

  /// Looks at what is shown for as long as keys that decide something are still refused.
  func look() { Thread.sleep(forTimeInterval: 0.5) }

  /// The screen once it no longer changes, or the last one that satisfies the condition: the first one may show a part
  /// of a frame.
  private func settled(_ first: String, _ condition: (String) -> Bool) throws -> String {
    var shown = first
    for _ in 0..<10 {
      Thread.sleep(forTimeInterval: 0.03)
      let next = try screen()
      guard next != shown, condition(next) else { break }
      shown = next
    }
    return shown
  }

  /// Kills the program whose process number a file holds, as `kill -9` does, and waits for the shell.
  func killProgram(withNumberIn file: String) throws {
    let text = try String(contentsOfFile: file, encoding: .utf8)
    guard let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)),
      kill(process, SIGKILL) == 0
    else {
      throw Failure(description: "cannot kill the process \(text)")
    }
    // The prompt of a shell that was faster than the terminal's guard is gone.
    try waitFor("The program was killed.")
    try press("Enter")
    try waitFor("ready>")
  }

  /// Gives the window a new size.
  func resize(columns: Int, rows: Int) throws {
    try tmux("resize-window", "-t", "main", "-x", "\(columns)", "-y", "\(rows)")
  }

  /// The process number of the program that the shell runs in the foreground.
  func programProcess(named name: String = "segdeck", seconds: Double = 10) throws -> Int32 {
    let shell = try tmux("display-message", "-p", "-t", "main", "#{pane_pid}").trimmingCharacters(
      in: .whitespacesAndNewlines)
    let deadline = Date().addingTimeInterval(seconds)
    repeat {
      if let process = Self.child(of: shell, named: name) { return process }
      Thread.sleep(forTimeInterval: 0.03)
    } while Date() < deadline
    throw Failure(description: "the shell \(shell) runs no \(name)")
  }

  /// Sends a signal ("TERM", "STOP") to the program that the shell runs in the foreground.
  func signalProgram(_ name: String) throws {
    // The shell's own kill: the program of that name is not part of a small system.
    try run(["sh", "-c", "kill -\(name) \(try programProcess())"])
  }

  /// The process number of a child, by the system's own list: pgrep is not part of a small system.
  private static func child(of parent: String, named name: String) -> Int32? {
    let numbers =
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
    return numbers.first { number in
      // "NUMBER (NAME) STATE PARENT ..."; a process may end before it is read.
      let status = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
      guard let match = status.prefixMatch(of: #/\d+ \((.*)\) \S (\d+) /#) else { return false }
      return match.1 == name && match.2 == parent
    }
  }

  /// The terminal's modes as `stty -g` prints them in the shell; the shell must be at its prompt.
  func terminalModes() throws -> String {
    let mark = "modes-\(UInt32.random(in: 0...UInt32.max))"
    // The typed line itself must not hold the mark in one piece.
    try enter("clear; echo \"\(mark.prefix(6))\"\"\(mark.dropFirst(6)) $(stty -g) end\"")
    let shown = try waitUntil("prints the modes") {
      $0.replacingOccurrences(of: "\n", with: "").contains("\(mark) ")
        && $0.replacingOccurrences(of: "\n", with: "").contains(" end")
    }
    let line = shown.replacingOccurrences(of: "\n", with: "")
    guard let start = line.range(of: "\(mark) "),
      let end = line.range(of: " end", range: start.upperBound..<line.endIndex)
    else { throw Failure(description: "stty -g printed nothing:\n\(shown)") }
    return String(line[start.upperBound..<end.lowerBound])
  }
}

/// The segdeck that was built beside the tests.
enum BuiltProgram {
  /// Its path; throws when it was not built.
  static func path() throws -> String {
    var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    // The test runner lies in the build folder itself, or in a bundle inside it.
    for _ in 0..<6 {
      let candidate = folder.appending(path: "segdeck").path
      if FileManager.default.isExecutableFile(atPath: candidate), folder.path != checkout.path {
        return candidate
      }
      folder.deleteLastPathComponent()
    }
    let products = ["release", "debug"].map { checkout.appending(path: ".build/\($0)/segdeck").path }
    if let found = products.first(where: FileManager.default.isExecutableFile) { return found }
    throw TmuxSession.Failure(description: "no segdeck beside \(CommandLine.arguments[0]): build it first")
  }
}
