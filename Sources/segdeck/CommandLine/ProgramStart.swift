import CursesTerminal
import Foundation
import Work

/// The setup of the process before the arguments are parsed.
enum ProgramStart {
  /// The program's arguments without its name, with the exact bytes of the shell (see ``FilePath``).
  ///
  /// Swift's `CommandLine.arguments` replaces bytes that are not UTF-8, so it would name other files.
  static let arguments: [String] = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
    CommandLine.unsafeArgv[index].map { FilePath.text($0) }
  }

  /// The minimum address space of code, libraries and thread stacks, in bytes.
  private static let minimumAddressSpace = 320 << 20

  /// Ends the program where `ulimit -v` is below ``minimumAddressSpace``: the system's library would retry for ever to
  /// create threads.
  private static func requireAddressSpace() {
    guard let limit = AvailableMemory.addressSpaceLimit, limit < minimumAddressSpace else { return }
    let error = InputError(
      "ulimit -v", "the address space is too small", found: "\(limit >> 20) MiB",
      expected: "\(minimumAddressSpace >> 20) MiB or more")
    Console.message(error.description)
    // Not `exit`, which would wait for threads that cannot be created.
    _exit(1)
  }

  /// Prepares standard streams, signals and the memory limit.
  static func prepare() {
    // A file that is opened later must not get the descriptor of a closed standard stream. The stream is opened with
    // the wrong mode, so that its use still fails.
    for (descriptor, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ]
    where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", mode)
    }
    // A closed pipe and a file size limit then fail as errors of `write`, with a message and an exit code.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    Interruption.begin()
    requireAddressSpace()
    AvailableMemory.enforceLimit {
      // Nothing here may allocate.
      UnfinishedFiles.remove()
      CursesTerminal.restoreImmediately()
      let line: StaticString =
        "segdeck: memory: does not suffice: expected a smaller image, or a higher limit\n"
      _ = write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
      _exit(1)
    }
  }
}
