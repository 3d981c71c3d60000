/// A terminal: it shows frames and sends events.
///
/// Tests use a scripted one.
package protocol Terminal: AnyObject {
  /// Rows and columns now.
  var size: ScreenSize { get }
  var capabilities: TerminalCapabilities { get }
  /// Shows `frame`; sends only what differs from the last frame.
  ///
  /// - Parameter graphicsLimit: The bytes of pixels after which the rest of them waits for the next call, which may be
  ///   one with the same frame.
  @discardableResult func draw(_ frame: Frame, graphicsLimit: Int) -> SentFrame
  /// Frames that the terminal was asked about and has not yet said that it shows (``TerminalEvent/shown``).
  var unansweredFrames: Int { get }
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
  /// Screens are seen.
  package var isReadAloud: Bool { false }

  /// Shows all of a frame.
  @discardableResult package func draw(_ frame: Frame) -> SentFrame { draw(frame, graphicsLimit: .max) }
}

/// What was sent of a frame.
package struct SentFrame: Hashable, Sendable {
  /// The number of bytes.
  package var byteCount: Int
  /// Whether the whole frame has been sent.
  package var isComplete: Bool

  /// By default, nothing had to be sent.
  package init(byteCount: Int = 0, isComplete: Bool = true) {
    self.byteCount = byteCount
    self.isComplete = isComplete
  }
}
