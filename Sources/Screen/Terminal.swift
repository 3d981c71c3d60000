/// A terminal: it shows frames and sends events.
///
/// Tests use a scripted one.
package protocol Terminal: AnyObject {
  /// Rows and columns now.
  var size: ScreenSize { get }
  var capabilities: TerminalCapabilities { get }
  /// Shows `frame`; sends only the cells that differ from the last frame.
  func draw(_ frame: Frame)
  /// Frames that the terminal was asked about and has not yet said that it shows (``TerminalEvent/shown``).
  var unansweredFrames: Int { get }
  /// The number of bytes that the last ``draw(_:)`` sent.
  var bytesOfLastFrame: Int { get }
  /// Whether frames are lines of text that are read one after the other, in place of screens.
  var isReadAloud: Bool { get }
  /// Waits for the next event; nil at the timeout or after ``wake``.
  func nextEvent(waitingMilliseconds: Int) -> TerminalEvent?
  /// Ends a running wait for events, or else the next one. Thread-safe.
  var wake: @Sendable () -> Void { get }
}

extension Terminal {
  /// 0, for a terminal that is never asked.
  package var unansweredFrames: Int { 0 }
  /// 0, for a terminal to which nothing is sent.
  package var bytesOfLastFrame: Int { 0 }
  /// Screens are seen.
  package var isReadAloud: Bool { false }
}
