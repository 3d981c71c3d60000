import Foundation
import Work

/// What is set up before the first option is read.
enum ProgramStart {
  /// The program's arguments without its name, as the bytes that the shell gave.
  ///
  /// Swift's own `CommandLine.arguments` repairs what is not UTF-8, and so names other files.
  static let arguments: [String] = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
    CommandLine.unsafeArgv[index].map { FilePath.text($0) }
  }

  /// Makes streams and signals safe to use.
  static func prepare() {
    // A file opened later must not become the standard stream that the caller closed. Opened the wrong way round, the
    // stream still fails when it is used.
    for (descriptor, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ]
    where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", mode)
    }
    // A reader that went away and a limit on file sizes are failures of a write, with a line and an exit code.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    Interruption.begin()
  }
}
