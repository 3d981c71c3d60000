import Screen

/// Decides when a session draws a frame, and with how much detail.
///
/// Where the terminal says what it has shown, at most one frame is on its way, so that the screen never lags behind the
/// keys by more than that, however slow the connection is. While keys follow each other frames have less detail than at
/// rest, where that makes a difference; the detail follows what the connection carried so far. On a slow connection the
/// pixels of a frame are sent in parts, between which keys are answered; two of them may be on their way, so that the
/// connection does not wait for answers.
package struct FramePacer: Sendable {
  /// What is to be done now.
  package enum Step: Equatable, Sendable {
    /// Nothing, until an event or until so many seconds have passed.
    case wait(seconds: Double?)
    /// Draw the newest state, with so many bytes of pixels at most.
    case draw(PictureDetail, graphicsLimit: Int = .max)
  }

  /// Keys that follow each other faster than this belong together; a full picture is drawn when none came for so long.
  private static let restSeconds = 0.15
  /// A terminal that has not answered for so long is not waited for; one that has answered before is trusted longer.
  ///
  /// Before the first answer, a terminal that never answers must not hold up the frames of the first seconds, and a slow
  /// connection must not get more than it has carried: it is given the time for the bytes on their way.
  private var patienceSeconds: Double {
    guard !hasAnswered else { return 15 }
    let byteCount = unanswered.reduce(0) { $0 + $1.byteCount }
    return min(2, 0.3 + Double(byteCount) / Self.slowBytesPerSecond)
  }
  /// A connection of 2 Mbit/s.
  private static let slowBytesPerSecond = 250_000.0
  /// The time in which a frame should be on the screen after a key, and a full one at rest.
  private static let responseSeconds = 0.1
  private static let fullSeconds = 0.9

  /// Whether full pictures cost more than coarse ones, as pixels do, and those can have fewer shades.
  private var hasCoarsePictures: Bool
  private var sendsPixels: Bool
  /// Whether there is something new to show.
  private var isChanged = true
  private var lastInput = -1.0
  private var lastDrawn: (detail: PictureDetail, seconds: Double, sent: SentFrame)?
  /// When sending began and how many bytes were sent, for frames and parts of which the terminal has not said yet that it
  /// has shown them.
  private var unanswered: [(seconds: Double, byteCount: Int)] = []
  /// The time of the last answer.
  private var lastAnswer = -1.0
  private var hasAnswered = false
  /// The shortest time from a frame to its answer; nil before it is known.
  private var roundTripSeconds: Double?
  /// The bytes of larger frames and parts, and the seconds in which they arrived; each counts four fifths of the one after it.
  ///
  /// An answer is often read late, behind a write that waits for the connection, and the next one then seems early. Sums
  /// are right for both together, where a mean of their rates is too high.
  private var carried = (bytes: 0.0, seconds: 0.0)
  /// What the connection carries; nil before it is known.
  private var bytesPerSecond: Double? { carried.bytes > 0 ? carried.bytes / carried.seconds : nil }
  /// The size of the largest of the last frames of each detail that had pictures to send; of what was sent of it, where the
  /// rest never was.
  private var byteCounts: [PictureDetail: Int] = [:]
  /// The bytes of the parts so far of a frame that is sent in parts.
  private var bytesOfParts = 0

  /// A pacer of a session on a terminal.
  package init(_ capabilities: TerminalCapabilities) {
    hasCoarsePictures = capabilities.pixelsPerCell(.coarse) != capabilities.pixelsPerCell(.full)
    sendsPixels = capabilities.pictureMode.isPixels
  }

  /// Notes that the terminal shows pictures in another way, over the same connection.
  package mutating func change(_ capabilities: TerminalCapabilities) {
    let other = FramePacer(capabilities)
    (hasCoarsePictures, sendsPixels) = (other.hasCoarsePictures, other.sendsPixels)
    byteCounts = [:]
  }

  /// Notes that there is something new to show; `isInput` for a key, a paste or the mouse.
  package mutating func change(atSeconds now: Double, isInput: Bool) {
    isChanged = true
    if isInput { lastInput = now }
  }

  /// Notes what was sent of a frame, and when sending began.
  /// - Parameter unansweredFrames: The number of frames of which the terminal has yet to say that it has shown them.
  package mutating func draw(
    _ detail: PictureDetail, _ sent: SentFrame, atSeconds now: Double, unansweredFrames: Int
  ) {
    let continues = !isChanged && lastDrawn?.detail == detail && lastDrawn?.sent.isComplete == false
    isChanged = false
    lastDrawn = (detail, now, sent)
    unanswered = Array((unanswered + [(now, sent.byteCount)]).suffix(unansweredFrames))
    bytesOfParts = (continues ? bytesOfParts : 0) + sent.byteCount
    let known = byteCounts[detail] ?? 0
    if bytesOfParts > 4096 { byteCounts[detail] = max(bytesOfParts, sent.isComplete ? known * 3 / 4 : known) }
  }

  /// Notes that the terminal has shown a frame or a part of one, and how many others it has yet to answer.
  package mutating func show(atSeconds now: Double, unansweredFrames: Int) {
    hasAnswered = true
    guard unansweredFrames < unanswered.count else { return }
    let answered = unanswered[unanswered.count - unansweredFrames - 1]
    unanswered.removeFirst(unanswered.count - unansweredFrames)
    // Bytes that follow others on their way arrive after them, without a round trip of their own.
    let follows = answered.seconds < lastAnswer
    let seconds = max(now - max(answered.seconds, lastAnswer), 1e-4)
    lastAnswer = now
    if answered.byteCount <= 4096 {
      if !follows { roundTripSeconds = min(roundTripSeconds ?? seconds, seconds) }
    } else {
      carried.bytes = 0.8 * carried.bytes + Double(answered.byteCount)
      carried.seconds = 0.8 * carried.seconds + max(seconds - (follows ? 0 : roundTripSeconds ?? 0), 1e-4)
    }
  }

  /// What is to be done at a time.
  package func step(atSeconds now: Double) -> Step {
    if let lastDrawn, unanswered.count > (lastDrawn.sent.isComplete ? 0 : 1),
      now - lastDrawn.seconds < patienceSeconds
    {
      let isAwaited = isChanged || !lastDrawn.detail.hasAllPixels || !lastDrawn.sent.isComplete
      return .wait(seconds: isAwaited ? lastDrawn.seconds + patienceSeconds - now : nil)
    }
    let isAtRest = now - lastInput >= Self.restSeconds
    if isChanged {
      // The first key after a rest is answered in full where that is fast enough.
      let isRepeated = lastDrawn.map { lastInput - $0.seconds < Self.restSeconds } ?? false
      let isFull = isAtRest || !(isRepeated || isSlow(.full))
      let detail = isFull ? restDetail : coarseDetail
      // Beside panes that have become cells, pixels of others can wait until the rest.
      return .draw(detail, graphicsLimit: detail == .coarsest && sendsPixels ? 0 : graphicsLimit)
    }
    guard let lastDrawn, !lastDrawn.detail.hasAllPixels || !lastDrawn.sent.isComplete else {
      return .wait(seconds: nil)
    }
    if lastDrawn.detail.hasAllPixels { return .draw(lastDrawn.detail, graphicsLimit: graphicsLimit) }
    return isAtRest
      ? .draw(restDetail, graphicsLimit: graphicsLimit) : .wait(seconds: lastInput + Self.restSeconds - now)
  }

  /// The bytes of pixels that are sent at once, so that the next key is answered soon.
  private var graphicsLimit: Int {
    bytesPerSecond.map { max(8192, Int(saturating: $0 * Self.responseSeconds)) } ?? .max
  }

  /// The detail of frames while keys follow each other.
  private var coarseDetail: PictureDetail {
    if isSlow(hasCoarsePictures ? .coarse : .full) { return .coarsest }
    return hasCoarsePictures ? .coarse : .full
  }

  /// The detail of frames at rest.
  private var restDetail: PictureDetail {
    sendsPixels && isSlow(.full, for: Self.fullSeconds) ? .fewShades : .full
  }

  /// Whether frames of a detail take too long, as far as is known; by default, for an answer to a key.
  private func isSlow(_ detail: PictureDetail, for seconds: Double = responseSeconds) -> Bool {
    guard let bytesPerSecond else { return false }
    // Of a coarse picture of which nothing is known, a quarter of the full one's bytes is expected.
    guard let byteCount = byteCounts[detail] ?? (detail == .coarse ? byteCounts[.full].map { $0 / 4 } : nil)
    else { return false }
    return Double(byteCount) / bytesPerSecond >= seconds
  }
}
