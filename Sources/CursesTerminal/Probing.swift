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
