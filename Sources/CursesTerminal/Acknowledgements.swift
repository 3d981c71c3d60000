/// The questions after frames (CSI 5 n), and how many of them are open.
package struct Acknowledgements: Sendable {
  private var open = 0
  private var hasAnswered = false
  private var lastQuestion: ContinuousClock.Instant?

  /// How long the first answer may take, and any later one, for which a slow connection may have much to send first.
  private static let firstPatience = Duration.seconds(2), patience = Duration.seconds(10)

  /// No question yet.
  package init() {}

  /// Whether to ask after a frame: not where the first question stayed without an answer.
  package mutating func ask(at now: ContinuousClock.Instant) -> Bool {
    if open > 0, unanswered(at: now) == 0 {
      if !hasAnswered { return false }
      open = 0
    }
    // The time of the first question alone counts until it is answered.
    if hasAnswered || open == 0 { lastQuestion = now }
    open += 1
    return true
  }

  /// Takes an answer; whether a question was open.
  package mutating func take() -> Bool {
    guard open > 0 else { return false }
    open -= 1
    hasAnswered = true
    return true
  }

  /// Open questions; none where an answer no longer comes.
  package func unanswered(at now: ContinuousClock.Instant) -> Int {
    guard let lastQuestion else { return 0 }
    return now - lastQuestion > (hasAnswered ? Self.patience : Self.firstPatience) ? 0 : open
  }
}
