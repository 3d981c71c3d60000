import Foundation
import Glibc
import Synchronization
import TestSupport

/// A program on a terminal of its own, without a shell or tmux between: quick to start, to type to and to kill.
final class PseudoTerminal {
  private let main: Int32
  private let process: pid_t
  private let output = Output()
  private var hasEnded = false

  /// The output of the program so far.
  private final class Output: Sendable {
    let text = Mutex("")
  }

  /// Starts `words` on a terminal of 100 x 30 with `environment` over the test's own.
  init(_ words: [String], environment: [String: String]) throws {
    main = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // What unlockpt and ptsname do, which Swift's overlay of the C library leaves out: TIOCSPTLCK and TIOCGPTN.
    var isLocked: CInt = 0
    var number: CUnsignedInt = 0
    guard main >= 0, ioctl(main, 0x4004_5431, &isLocked) == 0, ioctl(main, 0x8004_5430, &number) == 0 else {
      throw TmuxSession.Failure(description: "no pseudo-terminal: errno \(errno)")
    }
    let name = "/dev/pts/\(number)"
    let variables = ["TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "", "NO_COLOR": ""]
    do {
      process = try spawn(
        ["sh", "-c", "stty rows 30 cols 100; exec \"$@\"", "sh"] + words,
        environment: variables.merging(environment) { $1 }, inNewSession: true
      ) { actions in
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
      }
    } catch {
      close(main)
      throw error
    }
    let (main, output) = (main, output)
    Thread.detachNewThread {
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(main, &bytes, bytes.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        output.text.withLock { $0 = String(($0 + text).suffix(1 << 17)) }
      }
      close(main)
    }
  }

  deinit { if !hasEnded { end(with: SIGKILL) } }

  /// Sends a text as if it were typed.
  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(main, $0.baseAddress!, $0.count) }
  }

  /// Types a text once the program sends nothing more; whether it then sends anything within so many seconds.
  func respondsTo(_ text: String, within seconds: Double) -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    var before: String
    repeat {
      before = output.text.withLock { $0 }
      usleep(500_000)
    } while output.text.withLock({ $0 }) != before && Date() < deadline
    type(text)
    repeat {
      if output.text.withLock({ $0 }) != before { return true }
      usleep(5000)
    } while Date() < deadline
    return false
  }

  /// Whether the program has sent `text`, within so many seconds.
  func hasSent(_ text: String, within seconds: Double) -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    repeat {
      if output.text.withLock({ $0.contains(text) }) { return true }
      usleep(5000)
    } while Date() < deadline
    return false
  }

  /// Sends a signal and waits until the program has ended.
  /// - Returns: The signal that ended it; 0 for none.
  @discardableResult
  func end(with signal: Int32) -> Int32 {
    guard !hasEnded else { return 0 }
    hasEnded = true
    kill(process, signal)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status & 0x7f
  }
}
