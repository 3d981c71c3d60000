import Foundation
import Work

/// Converts SIGINT, SIGTERM and SIGHUP to cancellation; a second signal ends the program at once.
enum Interruption {
  private static let requested = Cancellation()

  /// The cancellation that a signal requests.
  static func cancellation() -> Cancellation { requested }

  /// Installs the handlers.
  ///
  /// A signal that the parent process ignores, as `nohup` does, stays ignored.
  static func begin() {
    // Initialised before the handlers are installed, because a signal handler must not do it.
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
        if Interruption.requested.wasRequested {
          UnfinishedFiles.remove()
          _exit(128 + number)
        }
        Interruption.requested.request()
      }
    }
  }
}
