import CTerminal
import Screen
import TerminalPictures
import Work

/// The real terminal, driven by ncurses; one at a time in a process, used from the thread that started it.
///
/// The terminal's state is restored however the process ends: ``stop()``, `exit`, a crash, a signal. Ctrl-Z stops the
/// process and is not reported; a resize event follows when the process continues. While the terminal is in use,
/// standard error is captured in memory, and its last 4 KiB are shown when the terminal is restored.
package final class CursesTerminal: Terminal {
  package let capabilities: TerminalCapabilities
  /// A readable description of the terminal.
  package let description: TerminalDescription
  private var encoder: any PictureEncoder
  private var cells: [terminal_cell] = []
  private var lastFrame: Frame?

  /// Starts the full-screen mode of the terminal.
  ///
  /// - Parameters:
  ///   - colourDepth: nil for the depth that the environment (`NO_COLOR` first) and the terminal state.
  ///   - isASCIIOnly: Whether no character outside ASCII is sent.
  /// - Throws: `InputError` when standard input or output is not a terminal, or its type cannot move the cursor.
  package init(colourDepth: TerminalCapabilities.ColourDepth? = nil, isASCIIOnly: Bool = false) throws {
    var options = terminal_options(depth: colourDepth?.terminalDepth ?? -1, ascii_only: isASCIIOnly ? 1 : 0)
    var message = [CChar](repeating: 0, count: 256)
    guard terminal_start(&options, &message, message.count) == 0 else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw InputError("terminal", String(decoding: text, as: UTF8.self))
    }
    UnfinishedFiles.prepare()
    terminal_on_end { UnfinishedFiles.remove() }
    description = TerminalDescription()
    capabilities = description.capabilities
    encoder = pictureEncoder(for: capabilities)
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

  /// Makes the next ``draw(_:)`` send the whole frame, for a screen that another program wrote on.
  package func redraw() {
    lastFrame = nil
    terminal_redraw()
  }

  package func draw(_ frame: Frame) {
    if frame == lastFrame { return }
    lastFrame = frame
    cells.removeAll(keepingCapacity: true)
    let encoded = encoder.encode(frame)
    cells.reserveCapacity(encoded.cells.count)
    let coder = ColourCoder(description: description)
    for cell in encoded.cells {
      cells.append(
        terminal_cell(
          character: (capabilities.showsUnicode ? cell.character : cell.character.asciiReplacement).value,
          foreground: coder.code(cell.style.foreground), background: coder.code(cell.style.background),
          attributes: cell.style.terminalAttributes))
    }
    terminal_draw(
      cells, Int32(frame.rows), Int32(frame.columns), Int32(frame.cursor?.row ?? -1),
      Int32(frame.cursor?.column ?? 0))
  }

  package func nextEvent(waitingMilliseconds: Int) -> TerminalEvent? {
    var event = terminal_event()
    terminal_next_event(Int32(clamping: waitingMilliseconds), &event)
    // After a resize ncurses starts from an empty screen, even where the size is the same as before.
    if event.kind == Int32(TERMINAL_EVENT_RESIZE.rawValue) { lastFrame = nil }
    // As in other terminal programs, Ctrl-L redraws the screen.
    if TerminalEvent(event) == .key(.control("l")) {
      redraw()
      let size = size
      return .resize(rows: size.rows, columns: size.columns)
    }
    return TerminalEvent(event)
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
