import Foundation
import Glibc

/// Runs a program, found by `PATH`, to its end: exit status (128 + N for signal N) and everything that it printed.
///
/// Foundation's `Process` does not serve: it waits for a socket that the child inherits, and a tmux server that stays
/// behind holds it for ever. Here the child gets no descriptor but its standard ones.
@discardableResult
func run(_ words: [String]) throws -> (status: Int32, output: String) {
  let result = try runMeasured(words)
  return (result.status, result.output)
}

/// The same, with the most memory in bytes that the program, or one that it waited for, had at a time.
func runMeasured(_ words: [String]) throws -> (status: Int32, output: String, peakBytes: Int) {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else {
    throw TmuxSession.Failure(description: "no pipe: errno \(errno)")
  }
  let output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
  let started = Result {
    try spawn(words) { actions in
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
      posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
      posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    }
  }
  close(ends[1])
  let process = try started.get()
  let printed = try output.readToEnd() ?? Data()
  var status: Int32 = 0
  var usage = rusage()
  while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
  let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
  return (code, String(decoding: printed, as: UTF8.self), usage.ru_maxrss << 10)
}

/// Starts a program, found by `PATH`, with every signal as a program expects it and no descriptors but the standard
/// ones.
///
/// - Parameters:
///   - environment: Stands over the test's own.
///   - inNewSession: Whether the first terminal that it opens becomes the one that controls it.
///   - connect: Says what its standard descriptors are.
func spawn(
  _ words: [String], environment: [String: String] = [:], inNewSession: Bool = false,
  connecting connect: (inout posix_spawn_file_actions_t) -> Void
) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  connect(&actions)
  // Closing what is not open is no error here.
  for descriptor in Int32(3)..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
  // Threads of a test run block or ignore signals, which a child would inherit.
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigfillset(&signals)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  let newSession = 0x80
  posix_spawnattr_setflags(
    &attributes,
    Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | (inNewSession ? Int16(newSession) : 0))
  var arguments = words.map { strdup($0) } + [nil]
  var variables =
    ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
  defer { for text in arguments + variables { free(text) } }
  var process = pid_t()
  let failure = posix_spawnp(&process, words[0], &actions, &attributes, &arguments, &variables)
  guard failure == 0 else {
    throw TmuxSession.Failure(description: "\(words[0]) cannot be run (errno \(failure)): is it installed?")
  }
  return process
}
