/// A terminal: it shows frames and sends events.
///
/// Tests use a scripted one.
package protocol Terminal: AnyObject {
  /// Rows and columns now.
  var size: ScreenSize { get }
  var capabilities: TerminalCapabilities { get }
  /// Shows `frame`; sends only the cells that differ from the last frame.
  func draw(_ frame: Frame)
  /// Waits for the next event; nil at the timeout or after ``wake``.
  func nextEvent(waitingMilliseconds: Int) -> TerminalEvent?
  /// Ends a running wait for events, or else the next one. Thread-safe.
  var wake: @Sendable () -> Void { get }
}
