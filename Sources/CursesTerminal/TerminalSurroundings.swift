import CTerminal
import Screen

/// What the environment and tmux say about the terminal.
package struct TerminalSurroundings: Hashable, Sendable {
  /// What tmux says of itself and of the terminal that it runs in.
  package struct Tmux: Hashable, Sendable {
    /// Whether programs may send sequences to the terminal outside (`allow-passthrough`).
    package var allowsPassthrough: Bool
    /// `TERM` of the terminal outside, and its name and version where tmux knows them.
    package var outerType, outerVersion: String
    /// The cell of the terminal outside at which tmux shows the first cell of this one.
    package var origin: ScreenCell

    /// Tmux and the terminal outside it.
    package init(
      allowsPassthrough: Bool, outerType: String, outerVersion: String,
      origin: ScreenCell = ScreenCell(row: 0, column: 0)
    ) {
      self.allowsPassthrough = allowsPassthrough
      self.outerType = outerType
      self.outerVersion = outerVersion
      self.origin = origin
    }

    /// Whether the terminal outside tells tmux its version soon after it was attached, and has not done so yet.
    var awaitsOuterVersion: Bool {
      allowsPassthrough && outerVersion.isEmpty && ["xterm-kitty", "xterm-ghostty"].contains(outerType)
    }
  }

  /// `TERM`.
  package var terminalType: String
  /// Whether `TMUX` is set, and not from outside a GNU screen.
  package var hasTmuxVariable: Bool
  /// The answer of the tmux command; nil outside tmux, or where it did not answer.
  package var tmux: Tmux?
  /// The background by `COLORFGBG`, which some terminals set; nil without it.
  package var background: RGB?

  /// Surroundings.
  package init(
    terminalType: String, hasTmuxVariable: Bool = false, tmux: Tmux? = nil, background: RGB? = nil
  ) {
    self.terminalType = terminalType
    self.hasTmuxVariable = hasTmuxVariable
    self.tmux = tmux
    self.background = background
  }

  /// The surroundings of this process, without tmux' answer.
  package init(environment: [String: String]) {
    func isSet(_ name: String) -> Bool { environment[name]?.isEmpty == false }
    self.init(
      terminalType: environment["TERM"] ?? "", hasTmuxVariable: isSet("TMUX") && !isSet("STY"),
      background: Self.background(colours: environment["COLORFGBG"] ?? ""))
  }

  /// The background of a text as `COLORFGBG` has it, "0;15" or "0;default;15": entries of the palette.
  private static func background(colours text: String) -> RGB? {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    guard parts.count >= 2, let entry = Int(parts[parts.count - 1]), Palette.sixteen.indices.contains(entry)
    else { return nil }
    return Palette.sixteen[entry]
  }

  /// Whether the terminal is asked: not where it would print a question, or pass it on to another one.
  package var canBeAsked: Bool {
    if terminalType.isEmpty { return false }
    if terminalType.hasPrefix("screen") { return hasTmuxVariable }
    return !["vt", "linux", "dumb", "ansi"].contains { terminalType.hasPrefix($0) }
  }

  /// Whether tmux is the terminal, by what the environment says.
  package var isInsideTmux: Bool { hasTmuxVariable || terminalType.hasPrefix("tmux") }

  /// Asks tmux again, because another terminal may be attached by now.
  ///
  /// Takes 5 ms, at most 300.
  mutating func askTmux() {
    tmux = nil
    guard hasTmuxVariable else { return }
    var bytes = [CChar](repeating: 0, count: 512)
    guard terminal_ask_tmux(&bytes, bytes.count) == 0 else { return }
    let text = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    tmux = Tmux(answer: text)
  }
}

extension TerminalSurroundings.Tmux {
  /// What tmux' command printed (`terminal_ask_tmux`); nil for fewer lines than it was asked for.
  package init?(answer: String) {
    let lines = answer.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count >= 6, let top = Int(lines[3]), let left = Int(lines[4]) else { return nil }
    // `status` is a number of lines, or on for one.
    let statusLines = Int(lines[5]) ?? (lines[5] == "on" ? 1 : 0)
    self.init(
      allowsPassthrough: !["", "0", "off"].contains(lines[0]), outerType: lines[1], outerVersion: lines[2],
      origin: ScreenCell(row: top + statusLines, column: left))
  }
}
