import ArgumentParser
import Foundation
import Synchronization
import Work

/// How a command computes: threads from its option, a progress line when stderr is a terminal, Ctrl-C as cancel.
struct CommandWork: ParsableArguments {
  @Option(name: .long, help: "Threads to compute with; by default all cores.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is 1 to 1024, not \(threads)")
    }
  }

  /// A context whose progress shows behind `title`, and which Ctrl-C cancels.
  func context(_ title: String) -> WorkContext {

    let line = ProgressLine(title)
    return WorkContext(
      threadCount: threads ?? WorkContext.coreCount, cancellation: Interruption.cancellation()
    ) {
      line.show($0)
    }
  }
}

/// One line on stderr that is written over while work goes on; nothing where stderr is no terminal.
final class ProgressLine: Sendable {
  private let title: String
  private let isShown = isatty(2) == 1
  private let state = Mutex<(percent: Int, start: ContinuousClock.Instant)>((-1, .now))

  init(_ title: String) { self.title = title }

  /// Shows the share done, at most once per percent.
  func show(_ share: Double, _ text: String = "") {
    guard isShown, share.isFinite else { return }
    let percent = Int(min(max(share, 0), 1) * 100)
    let elapsed: Double? = state.withLock { state in
      guard percent > state.percent || !text.isEmpty else { return nil }
      state.percent = percent
      return (ContinuousClock.now - state.start) / .seconds(1)
    }
    guard let elapsed else { return }
    let filled = String(repeating: "#", count: percent / 5) + String(repeating: ".", count: 20 - percent / 5)
    let left = share > 0.02 ? "  \(duration(elapsed / share - elapsed)) left" : ""
    let ending = percent == 100 ? "\r\u{1b}[K" : ""
    Console.paint(
      "\r\u{1b}[K\(title.printableLine) [\(filled)] \(percent) %\(left)  \(text.printableLine)\(ending)")
  }
}

/// Turns Ctrl-C, a polite kill and a terminal that hangs up into cancellation; a second one ends the program at once.
enum Interruption {
  private static let requested = Cancellation()

  /// The cancellation that an interruption requests.
  static func cancellation() -> Cancellation { requested }

  /// Installs the handlers; a signal that the caller ignores, as `nohup` does, stays ignored.
  static func begin() {
    // Touched before the handlers are installed, since they must not run its initialiser.
    _ = requested
    UnfinishedFiles.prepare()
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      sigaction(number, nil, &action)
      if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
      {
        continue
      }
      signal(number) { number in
        if Interruption.requested.isRequested {
          UnfinishedFiles.remove()
          _exit(128 + number)
        }
        Interruption.requested.request()
      }
    }
  }
}
