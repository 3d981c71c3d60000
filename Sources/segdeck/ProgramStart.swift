import CursesTerminal
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

  /// The least address space that code, libraries and the stacks of threads take before any work begins.
  private static let minimumAddressSpace = 320 << 20

  /// Ends the program where `ulimit -v` leaves less than it takes to begin: threads that cannot be made are tried again
  /// for ever by the system's own library.
  private static func requireAddressSpace() {
    guard let limit = AvailableMemory.addressSpaceLimit, limit < minimumAddressSpace else { return }
    let error = InputError(
      "ulimit -v", "the address space is too small", found: "\(limit >> 20) MiB",
      expected: "\(minimumAddressSpace >> 20) MiB or more")
    Console.message(error.description)
    // Not exit, which would wait for threads of libraries that still try to begin.
    _exit(1)
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
    requireAddressSpace()
    AvailableMemory.enforceLimit {
      // Nothing here may allocate: the names of files and the terminal's sequences lie ready.
      UnfinishedFiles.remove()
      CursesTerminal.restoreImmediately()
      let line: StaticString =
        "segdeck: memory: does not suffice: expected a smaller image, or a higher limit\n"
      _ = write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
      _exit(1)
    }
  }
}
