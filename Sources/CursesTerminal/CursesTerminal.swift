import CTerminal
import Screen
import TerminalPictures
import Work

/// The real terminal, driven by ncurses; one at a time in a process, used from the thread that started it.
///
/// The terminal's state is restored however the process ends: ``stop()``, `exit`, a crash, a signal. Ctrl-Z stops the
/// process and is not reported; a resize event follows when the process continues. While the terminal is in use,
/// standard error is captured in memory, and its last 4 KiB are shown when the terminal is restored.
///
/// The first frame is drawn without any question about pictures. They are asked after it; what the terminal answers, then
/// or ever later, is a ``TerminalEvent/capabilities(_:)`` where it changes what can be shown, and never a key.
package final class CursesTerminal: Terminal {
  /// A readable description of the terminal, as far as it has answered.
  package private(set) var description: TerminalDescription
  package var capabilities: TerminalCapabilities { description.capabilities }
  /// Whether the terminal is asked after each frame whether it has processed it.
  package var asksWhenShown = false

  private let wantedMode: PictureMode?
  private let wantedBackground: RGB?
  private var encoder: any PictureEncoder
  private var cells: [terminal_cell] = []
  private var lastFrame: Frame?
  private var isLastFrameComplete = true
  private var probing: Probing
  private var acknowledgements = Acknowledgements()
  /// Whether mode 1016 was set since the terminal was last asked about it: one that does not keep it is not told again.
  private var hasSetMouseMode = false
  /// Events that are given next.
  private var pending: [TerminalEvent] = []

  /// Starts the full-screen mode of the terminal.
  ///
  /// - Parameters:
  ///   - colourDepth: nil for the depth that the environment (`NO_COLOR` first) and the terminal state.
  ///   - isASCIIOnly: Whether no character outside ASCII is sent.
  ///   - pictures: How pictures are shown; nil for the best way that the terminal is known to have.
  ///   - background: The terminal's background; nil for the one that it states.
  ///   - environment: The variables of the process, for `TERM`, `TMUX`, `STY` and `COLORFGBG`.
  /// - Throws: `InputError` when standard input or output is not a terminal, or its type cannot move the cursor.
  package init(
    colourDepth: TerminalCapabilities.ColourDepth? = nil, isASCIIOnly: Bool = false,
    pictures: PictureMode? = nil, background: RGB? = nil,
    environment: [String: String]
  ) throws {
    var options = terminal_options(depth: colourDepth?.terminalDepth ?? -1, ascii_only: isASCIIOnly ? 1 : 0)
    var message = [CChar](repeating: 0, count: 256)
    guard terminal_start(&options, &message, message.count) == 0 else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw InputError("terminal", String(decoding: text, as: UTF8.self))
    }
    UnfinishedFiles.prepare()
    terminal_on_end { UnfinishedFiles.remove() }
    wantedMode = pictures
    wantedBackground = background
    probing = Probing(TerminalSurroundings(environment: environment), window: WindowDescription())
    description = TerminalDescription(
      wanted: pictures, background: background, surroundings: probing.surroundings, probe: probing.probe)
    encoder = pictureEncoder(for: description.capabilities, over: description.transport)
    prepareGraphics()
  }

  deinit { terminal_stop() }

  /// Reports signals that end the process, and the loss of the terminal, as ``TerminalEvent/end`` from now on.
  ///
  /// The program then has ten seconds to call ``stop()``, which ends the process; after that the process ends without
  /// it.
  package func reportEnd() { terminal_report_end() }

  /// Restores the terminal's state; a second call has no effect.
  package func stop() { terminal_stop() }

  /// Restores the terminal's state, if it is in use, just before the process ends.
  ///
  /// Thread-safe; does not allocate.
  package static func restoreImmediately() { terminal_restore() }

  package var size: ScreenSize {
    var rows: Int32 = 0
    var columns: Int32 = 0
    terminal_size(&rows, &columns)
    return ScreenSize(rows: Int(rows), columns: Int(columns))
  }

  package var wake: @Sendable () -> Void { { terminal_wake() } }

  package var unansweredFrames: Int { acknowledgements.unanswered(at: .now) }

  /// Makes the next ``draw(_:)`` send the whole frame, for a screen that another program wrote on.
  package func redraw() {
    forgetScreen()
    terminal_redraw()
  }

  private func forgetScreen() {
    lastFrame = nil
    encoder.reset()
  }

  package func draw(_ frame: Frame, graphicsLimit: Int) -> SentFrame {
    if isLastFrameComplete, frame == lastFrame { return SentFrame() }
    lastFrame = frame
    cells.removeAll(keepingCapacity: true)
    let encoded = encoder.encode(frame, graphicsLimit: graphicsLimit)
    isLastFrameComplete = encoded.isComplete
    cells.reserveCapacity(encoded.cells.count)
    let coder = ColourCoder(description: description)
    for cell in encoded.cells {
      cells.append(
        terminal_cell(
          character: cell == .picture
            ? UInt32(TERMINAL_PICTURE)
            : (capabilities.showsUnicode ? cell.character : cell.character.asciiReplacement).value,
          foreground: coder.code(cell.style.foreground), background: coder.code(cell.style.background),
          attributes: cell.style.terminalAttributes))
    }
    let byteCount = terminal_draw(
      cells, Int32(frame.rows), Int32(frame.columns), Int32(frame.cursor?.row ?? -1),
      Int32(frame.cursor?.column ?? 0), encoded.graphics, encoded.graphics.count)
    if asksWhenShown, byteCount > 0, acknowledgements.ask(at: .now) { ask("\u{1B}[5n") }
    probe()
    return SentFrame(byteCount: byteCount, isComplete: encoded.isComplete)
  }

  package func nextEvent(waitingMilliseconds: Int) -> TerminalEvent? {
    let deadline = ContinuousClock.now + .milliseconds(min(max(0, waitingMilliseconds), 86_400_000))
    while true {
      if !pending.isEmpty { return pending.removeFirst() }
      let now = ContinuousClock.now
      if probing.endIfDue(at: now) { describe() }
      if lastFrame != nil { probe() }
      let due = [deadline, probing.deadline, probing.repetition].compactMap(\.self).min() ?? deadline
      let wait = now.duration(to: due)
      var event = terminal_event()
      terminal_next_event(Int32(clamping: Int(saturating: (wait / .milliseconds(1)).rounded(.up))), &event)
      if event.kind == Int32(TERMINAL_EVENT_ANSWER.rawValue) {
        if let answer = TerminalAnswer(String(scalarsOf: event)) { take(answer) }
      } else if event.kind != Int32(TERMINAL_EVENT_NONE.rawValue) {
        return TerminalEvent(event).map(noticing)
      } else if ContinuousClock.now >= deadline {
        return nil
      }
    }
  }

  /// Draws nothing and waits until the terminal has answered all questions, for up to a second; keys are lost.
  package func awaitAnswers() {
    probe()
    while let deadline = probing.deadline, ContinuousClock.now < deadline {
      if nextEvent(waitingMilliseconds: 20) == .end { return }
    }
  }

  /// Does what an event means for this terminal itself, and gives the event for the program.
  private func noticing(_ event: TerminalEvent) -> TerminalEvent {
    switch event {
    case .resize:
      // ncurses starts from an empty screen, even where the size is the same as before. The font may be another one.
      forgetScreen()
      probing.notice(WindowDescription())
      describe()
    case .key(.control("l")):
      // As in other terminal programs, Ctrl-L redraws the screen.
      probing.isWanted = true
      return redrawn()
    default: break
    }
    return event
  }

  private func redrawn() -> TerminalEvent {
    redraw()
    let size = size
    return .resize(rows: size.rows, columns: size.columns)
  }

  // ---- Questions and answers ----

  private func ask(_ questions: String) { terminal_ask(questions, questions.utf8.count) }

  private func send(_ text: String) { terminal_send(text, text.utf8.count) }

  /// Asks the terminal about pictures, where that is wanted and no answer is awaited.
  private func probe() {
    guard let questions = probing.begin(at: .now) else { return }
    hasSetMouseMode = false
    if probing.probe.isInsideTmux { send("\u{1B}[?1004h") }
    ask(questions)
  }

  private func take(_ answer: TerminalAnswer) {
    if let questions = probing.probe.take(answer) { ask(questions) }
    switch answer {
    case .trueColour:
      terminal_take_true_colour()
      describe()
    case .ready:
      if acknowledgements.take() { pending.append(.shown) }
    case .focus where probing.probe.isInsideTmux:
      // tmux shows this window again, perhaps on another terminal. What was sent through it meanwhile is lost.
      probing.isWanted = true
      if capabilities.pictureMode.isPixels { pending.append(redrawn()) }
    case .version where probing.probe.isXterm: send("\u{1B}[?1004h")
    case .focus where probing.probe.isXterm:
      // Its window may have been covered.
      if capabilities.pictureMode == .sixel { pending.append(redrawn()) }
    case .mode(1016, let isKnown, let isSet):
      // Reports count pixels from the moment at which the terminal says so; those before it are in the input before it.
      if isSet {
        useMouseInPixels()
      } else if isKnown, mouseCell != nil, !hasSetMouseMode {
        hasSetMouseMode = true
        // DA1 ends the questions, so that the answers are awaited at the end of the program.
        ask("\u{1B}[?1016h\u{1B}[?1016$p\u{1B}[c")
      }
    default: break
    }
    probing.noticeEnd()
    if probing.probe.isDecided { describe() }
  }

  private var mouseCell: PixelsPerCell? { probing.probe.cellSize ?? WindowDescription().cellSize }

  private func useMouseInPixels() {
    guard let cell = mouseCell else { return }
    terminal_set_mouse_cell(
      Int32(cell.columns), Int32(cell.rows), Int32(probing.probe.firstMousePixel))
  }

  /// Describes the terminal again; a change of what it can show is an event.
  private func describe() {
    let before = capabilities
    description = TerminalDescription(
      wanted: wantedMode, background: wantedBackground, surroundings: probing.surroundings,
      probe: probing.probe)
    guard capabilities != before else { return }
    if capabilities.pictureMode != before.pictureMode || capabilities.cellSize != before.cellSize
      || capabilities.colourDepth != before.colourDepth
    {
      terminal_remove_pictures()
      encoder = pictureEncoder(for: capabilities, over: description.transport)
      prepareGraphics()
      redraw()
    }
    pending.append(.capabilities(capabilities))
  }

  /// Tells the C layer how frames are drawn from now on, and what removes their pictures.
  private func prepareGraphics() {
    terminal_use_graphics(capabilities.pictureMode.isPixels ? 1 : 0)
    let removal = pictureRemoval(for: capabilities, over: description.transport)
    terminal_set_picture_removal(removal, removal.count)
  }
}

extension TerminalCapabilities.ColourDepth {
  fileprivate var terminalDepth: Int32 {
    switch self {
    case .mono: TERMINAL_DEPTH_MONO.rawValue
    case .sixteen: TERMINAL_DEPTH_SIXTEEN.rawValue
    case .indexed256: TERMINAL_DEPTH_256.rawValue
    case .trueColour: TERMINAL_DEPTH_TRUE_COLOUR.rawValue
    }
  }

  /// The depth of a word: `mono`, `16`, `256` or `truecolour` (also `truecolor`, `24bit`); nil for another word.
  package init?(word: String) {
    switch word.lowercased() {
    case "mono", "none": self = .mono
    case "16": self = .sixteen
    case "256": self = .indexed256
    case "truecolor", "truecolour", "24bit": self = .trueColour
    default: return nil
    }
  }

  /// The depth that the environment requests: that of `SEGDECK_COLOR` if it is such a word, mono if `NO_COLOR` is not
  /// empty, else nil.
  package static func asked(by environment: [String: String]) -> TerminalCapabilities.ColourDepth? {
    if let word = environment["SEGDECK_COLOR"], let depth = Self(word: word) { return depth }
    if let word = environment["NO_COLOR"], !word.isEmpty { return .mono }
    return nil
  }
}

extension Style {
  fileprivate var terminalAttributes: UInt32 {
    UInt32(
      (isBold ? TERMINAL_BOLD : 0) | (isDim ? TERMINAL_DIM : 0) | (isReversed ? TERMINAL_REVERSE : 0)
        | (isUnderlined ? TERMINAL_UNDERLINE : 0))
  }
}

/// Converts colours to the numbers of the C interface.
private struct ColourCoder {
  let depth: TerminalCapabilities.ColourDepth

  init(description: TerminalDescription) { depth = description.capabilities.colourDepth }

  func code(_ colour: Colour) -> Int32 {
    guard case .rgb(let red, let green, let blue) = colour else { return -1 }
    switch depth {
    case .mono: return -1
    case .sixteen: return Int32(Palette.index16(RGB(red, green, blue)))
    case .indexed256: return Int32(Palette.index256(RGB(red, green, blue)))
    case .trueColour: return Int32(TERMINAL_DIRECT) | Int32(red) << 16 | Int32(green) << 8 | Int32(blue)
    }
  }
}
