import Screen

/// Everything that a terminal has said about itself; nil for what it has not said.
package struct TerminalAnswers: Hashable, Sendable {
  package var attributes: [Int]?
  package var version: String?
  package var cellSize: PixelsPerCell?
  package var sixelRegisters: Int?
  /// Whether it can report the mouse in pixels (mode 1016).
  package var reportsMouseInPixels: Bool?
  package var understandsKitty: Bool?
  package var background: RGB?

  /// No answers yet.
  package init() {}

  /// Whether it says that it shows sixel graphics.
  package var showsSixel: Bool { attributes?.contains(4) == true }
}

/// The questions about pictures, in two rounds, and the terminal's answers.
///
/// The first round asks what any terminal with a graphical window answers. What some terminals would print, or take for
/// something else, is asked in the second round, and only where the first one was answered: tmux takes a picture of
/// kitty's protocol for the title of a window, and Apple's Terminal prints the end of a question about a mode.
package struct TerminalProbe: Hashable, Sendable {
  private enum Stage: Hashable {
    /// Not asked, in the first or second round, waiting for the terminal outside tmux alone, complete.
    case idle, first, second, outside, done
  }

  private var stage = Stage.idle
  /// The answers that count: those so far, or, while the terminal is asked again, those of the last time.
  package private(set) var answers = TerminalAnswers()
  /// The answers to the last questions.
  private var collected = TerminalAnswers()
  private var wasDecided = false
  /// What is known from outside.
  private var surroundings: TerminalSurroundings
  /// Answers to DA1 that belong to earlier questions.
  private var lateAttributes: Int

  /// A probe of a terminal that has not been asked; `isLate` says that it still owes an answer to DA1.
  package init(_ surroundings: TerminalSurroundings, isLate: Bool = false) {
    self.surroundings = surroundings
    lateAttributes = isLate ? 1 : 0
  }

  /// Whether nothing more is to come.
  package var isDone: Bool { stage == .done }
  /// Whether everything is known that the terminal itself says, or nothing is asked.
  package var isDecided: Bool { stage == .outside || stage == .done }

  /// The questions of the first round, in one string whose last one is DA1; nil for a terminal that is not asked.
  package mutating func begin(_ surroundings: TerminalSurroundings) -> String? {
    self.surroundings = surroundings
    collected = TerminalAnswers()
    stage = surroundings.canBeAsked ? .first : .done
    return surroundings.canBeAsked ? "\u{1B}[>0q\u{1B}[16t\u{1B}]11;?\u{1B}\\\u{1B}[c" : nil
  }

  /// Takes an answer, whenever it comes.
  /// - Returns: The questions of the second round, whose last one is DA1, where the first round has just ended.
  package mutating func take(_ answer: TerminalAnswer) -> String? {
    let questions = collect(answer)
    if isDecided { wasDecided = true }
    if isDecided || !wasDecided { answers = collected }
    return questions
  }

  private mutating func collect(_ answer: TerminalAnswer) -> String? {
    switch answer {
    case .version(let version): collected.version = version
    case .cellSize(let size): collected.cellSize = size.isPlausible ? size : nil
    case .sixelRegisters(let count): collected.sixelRegisters = count
    case .mode(1016, let isKnown, _): collected.reportsMouseInPixels = isKnown
    case .background(let colour): collected.background = colour
    case .kitty(let isUnderstood):
      collected.understandsKitty = isUnderstood
      if stage == .outside { stage = .done }
    case .attributes(let numbers):
      guard lateAttributes == 0 else {
        lateAttributes -= 1
        return nil
      }
      collected.attributes = numbers
      switch stage {
      case .first:
        stage = .second
        return secondRound
      case .second:
        // Through tmux the answer comes after tmux' own.
        stage = isInsideTmux && asksKitty && collected.understandsKitty == nil ? .outside : .done
      case .idle, .outside, .done: break
      }
    case .mode, .ready, .focus, .trueColour: break
    }
    return nil
  }

  /// Forgets the size of a cell, because the window has another font.
  package mutating func forgetCellSize() {
    answers.cellSize = nil
    collected.cellSize = nil
  }

  /// The size of a cell by the last answer that there is.
  package var cellSize: PixelsPerCell? { collected.cellSize ?? answers.cellSize }

  /// Whether tmux is between this program and the terminal, by the environment or by its own word.
  package var isInsideTmux: Bool {
    surroundings.isInsideTmux || (collected.version ?? answers.version)?.hasPrefix("tmux") == true
  }

  /// Whether it is xterm, which keeps 16 sixel images: what it drew before them is gone once its window was covered.
  package var isXterm: Bool { (collected.version ?? answers.version)?.hasPrefix("XTerm(") == true }

  /// The number that the terminal gives the first pixel in reports of the mouse: xterm, which defined the mode, counts from
  /// 1 as it does cells, kitty and Ghostty from 0.
  package var firstMousePixel: Int {
    let version = (collected.version ?? answers.version)?.lowercased() ?? ""
    return version.hasPrefix("kitty(") || version.hasPrefix("ghostty") ? 0 : 1
  }

  /// A tmux that passes nothing on is not asked for what is outside it.
  private var asksKitty: Bool { !isInsideTmux || surroundings.tmux?.allowsPassthrough ?? true }

  private var secondRound: String {
    var questions = ""
    if asksKitty {
      let question = "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\"
      questions += isInsideTmux ? question.throughTmux : question
    }
    if collected.showsSixel { questions += "\u{1B}[?1;1;0S" }
    if collected.version != nil, !isInsideTmux { questions += "\u{1B}[?1016$p" }
    return questions + "\u{1B}[c"
  }
}

extension String {
  /// A sequence that tmux passes on to the terminal outside it.
  fileprivate var throughTmux: String {
    "\u{1B}Ptmux;"
      + split(separator: "\u{1B}", omittingEmptySubsequences: false).joined(separator: "\u{1B}\u{1B}")
      + "\u{1B}\\"
  }
}

extension PixelsPerCell {
  /// Whether it can be the size of a cell: 4 to 64 pixels wide, 8 to 128 high, and 1 to 4 times as high as wide.
  package var isPlausible: Bool {
    (4...64).contains(columns) && (8...128).contains(rows) && rows >= columns && rows <= 4 * columns
  }
}
