import Screen

/// Decides when a session draws a frame, and with how much detail.
///
/// Where the terminal says what it has shown, at most one frame is on its way, so that the screen never lags behind the
/// keys by more than that, however slow the connection is. While keys follow each other frames have less detail than at
/// rest, where that makes a difference; the detail follows what the connection carried so far.
package struct FramePacer: Sendable {
  /// What is to be done now.
  package enum Step: Equatable, Sendable {
    /// Nothing, until an event or until so many seconds have passed.
    case wait(seconds: Double?)
    /// Draw the newest state.
    case draw(PictureDetail)
  }

  /// Keys that follow each other faster than this belong together; a full picture is drawn when none came for so long.
  private static let restSeconds = 0.15
  /// A terminal that has not answered for so long is not waited for; one that has answered before is trusted longer.
  private var patienceSeconds: Double { hasAnswered ? 15 : 2 }
  /// The time in which a frame should be on the screen after a key.
  private static let responseSeconds = 0.1

  /// Whether full pictures cost more than coarse ones, as pixels do.
  private let hasCoarsePictures: Bool
  /// Whether there is something new to show.
  private var isChanged = true
  private var lastInput = -1.0
  private var lastDrawn: (detail: PictureDetail, seconds: Double, byteCount: Int)?
  /// Frames of which the terminal has not said yet that it has shown them.
  private var unansweredFrames = 0
  private var hasAnswered = false
  /// The shortest time from a frame to its answer, and the bytes per second of larger frames; nil before they are known.
  private var roundTripSeconds: Double?
  private var bytesPerSecond: Double?
  /// The size of the last frame of each detail that had pictures to send.
  private var byteCounts: [PictureDetail: Int] = [:]

  /// A pacer of a session on a terminal.
  package init(_ capabilities: TerminalCapabilities) {
    hasCoarsePictures = capabilities.pixelsPerCell(.coarse) != capabilities.pixelsPerCell(.full)
  }

  /// Notes that there is something new to show; `isInput` for a key, a paste or the mouse.
  package mutating func change(atSeconds now: Double, isInput: Bool) {
    isChanged = true
    if isInput { lastInput = now }
  }

  /// Notes that a frame was sent, and when sending began.
  /// - Parameter unansweredFrames: The number of frames of which the terminal has yet to say that it has shown them.
  package mutating func draw(
    _ detail: PictureDetail, atSeconds now: Double, byteCount: Int, unansweredFrames: Int
  ) {
    isChanged = false
    self.unansweredFrames = unansweredFrames
    lastDrawn = (detail, now, byteCount)
    if byteCount > 4096 { byteCounts[detail] = byteCount }
  }

  /// Notes that the terminal has shown a frame, and how many others it has yet to answer.
  package mutating func show(atSeconds now: Double, unansweredFrames: Int) {
    self.unansweredFrames = unansweredFrames
    hasAnswered = true
    // Only the last frame has known bytes and a known time.
    guard unansweredFrames == 0, let lastDrawn else { return }
    let seconds = max(now - lastDrawn.seconds, 1e-4)
    if lastDrawn.byteCount <= 4096 {
      roundTripSeconds = min(roundTripSeconds ?? seconds, seconds)
    } else {
      let rate = Double(lastDrawn.byteCount) / max(seconds - (roundTripSeconds ?? 0), 1e-4)
      bytesPerSecond = bytesPerSecond.map { 0.5 * $0 + 0.5 * rate } ?? rate
    }
  }

  /// What is to be done at a time.
  package func step(atSeconds now: Double) -> Step {
    if unansweredFrames > 0, let lastDrawn, now - lastDrawn.seconds < patienceSeconds {
      let isAwaited = isChanged || lastDrawn.detail != .full
      return .wait(seconds: isAwaited ? lastDrawn.seconds + patienceSeconds - now : nil)
    }
    let isAtRest = now - lastInput >= Self.restSeconds
    if isChanged {
      // The first key after a rest is answered in full where that is fast enough.
      let isRepeated = lastDrawn.map { lastInput - $0.seconds < Self.restSeconds } ?? false
      return .draw(isAtRest || !(isRepeated || isSlow(.full)) ? .full : coarseDetail)
    }
    guard let lastDrawn, lastDrawn.detail != .full else { return .wait(seconds: nil) }
    return isAtRest ? .draw(.full) : .wait(seconds: lastInput + Self.restSeconds - now)
  }

  /// The detail of frames while keys follow each other.
  private var coarseDetail: PictureDetail {
    if isSlow(hasCoarsePictures ? .coarse : .full) { return .coarsest }
    return hasCoarsePictures ? .coarse : .full
  }

  /// Whether frames of a detail take too long for an answer to a key, as far as is known.
  private func isSlow(_ detail: PictureDetail) -> Bool {
    guard let bytesPerSecond, let byteCount = byteCounts[detail] else { return false }
    return Double(byteCount) / bytesPerSecond > Self.responseSeconds
  }
}
