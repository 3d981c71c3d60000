import CTerminal
import Screen
import Work

/// A terminal that is read line by line, as by a screen reader or on a braille display; one at a time in a process.
///
/// Frames are lines of text (`Frame(lines:typed:)`); those that are new are printed, and the cursor is never moved. Any
/// terminal will do, `TERM=dumb` too. Its modes are restored however the process ends.
package final class LineTerminal: Terminal {
  package let capabilities: TerminalCapabilities
  package let isReadAloud = true
  /// The screen of which the lines tell: it decides how far a page goes.
  package let size = ScreenSize(rows: 40, columns: 160)

  private var lines = LinesReadAloud()
  private var decoder = KeyDecoder()
  private var keys: [Key] = []
  private var hasNewInput = false

  /// When the rest of a key's sequence is no longer awaited.
  private var sequenceEnd = ContinuousClock.now

  /// A connection may take longer for the rest of what has certainly begun than a person waits for Escape.
  private var sequencePatience: Duration { decoder.isWaitingAfterEscape ? .milliseconds(60) : .seconds(1) }

  /// Takes the keys of the terminal one by one, without an echo.
  ///
  /// - Parameter isASCIIOnly: Whether no character outside ASCII is printed; that is also so where the locale is not UTF-8.
  /// - Throws: `InputError` when standard input is not a terminal.
  package init(isASCIIOnly: Bool = false) throws {
    var message = [CChar](repeating: 0, count: 256)
    guard terminal_start_lines(&message, message.count) == 0 else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw InputError("terminal", String(decoding: text, as: UTF8.self))
    }
    UnfinishedFiles.prepare()
    terminal_on_end { UnfinishedFiles.remove() }
    capabilities = TerminalCapabilities(
      colourDepth: .trueColour, showsUnicode: !isASCIIOnly && terminal_locale_is_utf8() != 0,
      pictureMode: .characters)
  }

  deinit { terminal_stop_lines() }

  /// Reports signals that end the process, and the loss of the terminal, as ``TerminalEvent/end`` from now on.
  package func reportEnd() { terminal_report_end() }

  /// Restores the terminal's modes; a second call has no effect.
  package func stop() {
    write(lines.end())
    terminal_stop_lines()
  }

  package var wake: @Sendable () -> Void { { terminal_wake() } }

  package func draw(_ frame: Frame, graphicsLimit: Int) -> SentFrame {
    write(lines.text(of: frame, isAnswer: hasNewInput))
    hasNewInput = false
    return SentFrame()
  }

  private func write(_ text: String) {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      scalars.append(capabilities.showsUnicode || scalar == "\n" ? scalar : scalar.asciiReplacement)
    }
    let bytes = Array(String(scalars).utf8)
    if !bytes.isEmpty { terminal_write_lines(bytes, bytes.count) }
  }

  package func nextEvent(waitingMilliseconds: Int) -> TerminalEvent? {
    var bytes = [UInt8](repeating: 0, count: 1024)
    let end = ContinuousClock.now + .milliseconds(min(max(0, waitingMilliseconds), 86_400_000))
    while true {
      if let key = nextKey() { return key }
      let isWaiting = decoder.isWaiting
      let left = ContinuousClock.now.duration(to: isWaiting ? sequenceEnd : end)
      let milliseconds = Int32(clamping: Int(saturating: (left / .milliseconds(1)).rounded(.up)))
      let count = terminal_read_lines(max(0, milliseconds), &bytes, bytes.count)
      if count < 0 { return .end }
      if count > 0 {
        keys += decoder.take(bytes.prefix(Int(count)))
        sequenceEnd = .now + sequencePatience
      } else if !isWaiting {
        // In vain, or something else wants to be done.
        return nil
      } else if ContinuousClock.now >= sequenceEnd {
        keys += decoder.finish()
      }
    }
  }

  private func nextKey() -> TerminalEvent? {
    guard !keys.isEmpty else { return nil }
    hasNewInput = true
    return .key(keys.removeFirst())
  }
}
