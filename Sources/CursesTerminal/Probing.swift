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
  /// When tmux is asked once more for the terminal outside, which may not have told it its version yet; nil for never.
  private(set) var repetition: ContinuousClock.Instant?
  private var repetitionCount = 0

  /// How long answers are awaited.
  private static let patience = Duration.seconds(1)
  /// How often and how soon tmux is asked once more.
  private static let repetitions = 4, repetitionPause = Duration.milliseconds(500)

  init(_ surroundings: TerminalSurroundings, window: WindowDescription) {
    self.surroundings = surroundings
    probe = TerminalProbe(surroundings, isLate: window.isProbeLate)
    windowCellSize = window.cellSize
  }

  /// The questions to send now, if any.
  mutating func begin(at now: ContinuousClock.Instant) -> String? {
    if let repetition, now >= repetition { isWanted = true }
    guard isWanted, deadline == nil else { return nil }
    isWanted = false
    surroundings.askTmux()
    planRepetition(after: now)
    let questions = probe.begin(surroundings)
    deadline = questions == nil ? nil : now + Self.patience
    return questions
  }

  private mutating func planRepetition(after now: ContinuousClock.Instant) {
    let isVersionMissing = surroundings.tmux?.awaitsOuterVersion == true
    repetitionCount = isVersionMissing && repetitionCount < Self.repetitions ? repetitionCount + 1 : 0
    repetition = repetitionCount > 0 ? now + Self.repetitionPause : nil
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
