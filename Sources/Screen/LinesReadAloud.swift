/// What a terminal that is read line by line prints, frame after frame: the lines that are new, and nothing twice.
///
/// Nothing that was printed changes afterwards, and the cursor never moves back, so that a screen reader says each line
/// once. A line that is being typed grows where it stands.
package struct LinesReadAloud: Sendable {
  private var last: [String] = []
  /// The line that is being typed as far as it is printed; nil where the cursor is at the beginning of a line.
  private var typed: String?

  /// Nothing was printed yet.
  package init() {}

  /// The text to print for a frame of lines.
  ///
  /// - Parameter isAnswer: Whether something was pressed since the last frame: then the last line is said again where
  ///   nothing else is new, so that a key without an effect is not followed by silence.
  package mutating func text(of frame: Frame, isAnswer: Bool) -> String {
    let (lines, typed) = frame.lines
    let known = Set(last)
    var new = lines.filter { !known.contains($0) && !$0.isEmpty }
    if let end = lines.last, !end.isEmpty, end != last.last, new.last != end { new.append(end) }
    last = lines
    if new.isEmpty, typed == nil, isAnswer, let end = lines.last { new = [end] }
    var text = ""
    if !new.isEmpty || typed == nil {
      text += end()
      text += new.map { $0 + "\n" }.joined()
    }
    guard let typed else { return text }
    if let before = self.typed, typed.hasPrefix(before) {
      text += typed.dropFirst(before.count)
    } else {
      text += end() + typed
    }
    self.typed = typed
    return text
  }

  /// What ends the line that is being typed; empty where there is none.
  package mutating func end() -> String {
    guard typed != nil else { return "" }
    typed = nil
    return "\n"
  }
}
