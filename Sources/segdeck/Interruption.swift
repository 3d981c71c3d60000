import Foundation
import Work

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
