import Screen

/// When the terminal is asked about pictures: after the first frame, and again whenever it may be another one.
struct Probing {
  /// The questions and answers.
  var probe: TerminalProbe
  /// What is known without asking the terminal.
  private(set) var surroundings: TerminalSurroundings
  /// Whether it is to be asked again as soon as it has answered the last questions.
  var isWanted = true
  /// When the answers are given up, or rather not awaited any more; nil while none are awaited.
  private(set) var deadline: ContinuousClock.Instant?
  private var windowCellSize: PixelsPerCell?

  /// How long answers are awaited.
  private static let patience = Duration.seconds(1)

  init(_ surroundings: TerminalSurroundings, window: WindowDescription) {
    self.surroundings = surroundings
    probe = TerminalProbe(surroundings, isLate: window.isProbeLate)
    windowCellSize = window.cellSize
  }

  /// The questions to send now, if any.
  mutating func begin(at now: ContinuousClock.Instant) -> String? {
    guard isWanted, deadline == nil else { return nil }
    isWanted = false
    surroundings.askTmux()
    let questions = probe.begin(surroundings)
    deadline = questions == nil ? nil : now + Self.patience
    return questions
  }

  /// Stops waiting once everything was answered.
  mutating func noticeEnd() { if probe.isDone { deadline = nil } }

  /// Stops waiting when the time is over; whether it was just then.
  mutating func endIfDue(at now: ContinuousClock.Instant) -> Bool {
    guard let deadline, now >= deadline else { return false }
    self.deadline = nil
    return true
  }

  /// Notices that the window may have another size or font, or another terminal.
  mutating func notice(_ window: WindowDescription) {
    isWanted = true
    if window.cellSize != windowCellSize { probe.forgetCellSize() }
    windowCellSize = window.cellSize
  }
}

/// The questions after frames (CSI 5 n), and how many of them are open.
struct Acknowledgements {
  private var open = 0
  private var hasAnswered = false
  private var lastQuestion = ContinuousClock.now

  /// How long the first answer may take, and any later one, for which a slow connection may have much to send first.
  private static let firstPatience = Duration.seconds(2), patience = Duration.seconds(10)

  /// Whether to ask after a frame: not where the first question stayed without an answer.
  mutating func ask(at now: ContinuousClock.Instant) -> Bool {
    if open > 0, !hasAnswered, now - lastQuestion > Self.firstPatience { return false }
    if unanswered(at: now) == 0 { open = 0 }
    // The time of the first question alone counts until it is answered.
    if hasAnswered || open == 0 { lastQuestion = now }
    open += 1
    return true
  }

  /// Takes an answer; whether a question was open.
  mutating func take() -> Bool {
    guard open > 0 else { return false }
    open -= 1
    hasAnswered = true
    return true
  }

  /// Open questions; none where an answer no longer comes.
  func unanswered(at now: ContinuousClock.Instant) -> Int {
    now - lastQuestion > (hasAnswered ? Self.patience : Self.firstPatience) ? 0 : open
  }
}
