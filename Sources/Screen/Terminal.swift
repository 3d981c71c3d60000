/// What shows frames and sends events: the real terminal, or a scripted one in tests.
package protocol Terminal: AnyObject {
  /// Rows and columns now.
  var size: ScreenSize { get }
  /// What this terminal can show.
  var capabilities: TerminalCapabilities { get }
  /// Shows `frame`, sending only what differs from the last one.
  func draw(_ frame: Frame)
  /// The next event; nil when none came in time or the terminal was woken from another thread.
  func nextEvent(waitingMilliseconds: Int) -> TerminalEvent?
  /// Ends a wait for events under way, or else the next one; any thread may call it.
  var wake: @Sendable () -> Void { get }
}
