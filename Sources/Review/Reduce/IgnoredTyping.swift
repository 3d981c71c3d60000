import Screen

// A key that asks for a line is often followed at once by text. Where the line cannot be opened, the text must not act
// as keys: an "e" in it would reject the version shown.

extension ReviewState {
  /// Whether a key belongs to a text that is ignored, or ends it.
  func ignoresKey(_ key: Key) -> Bool {
    guard ignoresTyping else { return false }
    switch key {
    case .character, .backspace, .delete, .left, .right, .home, .end, .enter, .escape: return true
    case .control:
      if case .text = KeyTable.action(key, in: .text) { return true } else { return false }
    case .up, .down, .pageUp, .pageDown, .tab, .backTab, .function: return false
    }
  }

  /// Ignores the text that is typed from now on, and says why.
  ///
  /// - Parameter reason: The reason why there is no line to type it into.
  mutating func ignoreTyping(_ reason: String) {
    ignoresTyping = true
    message = Message("\(reason): what is typed is ignored until Enter or Esc", .warning)
  }

  /// Lets keys act again.
  mutating func endIgnoring() {
    ignoresTyping = false
    message = nil
  }

  /// Whether a key is a character while a question about pairs is open that the program asked, so that its first
  /// letters may belong to a text for something else.
  func isTypedIntoQuestion(_ key: Key) -> Bool {
    guard case .pairing(let pairing) = dialog, pairing.isOpenedByProgram, case .character = key else {
      return false
    }
    return true
  }

  /// Whether a key goes to another case, or to their list, while a question is open, which has to be answered before.
  func leavesQuestion(_ key: Key) -> Bool {
    guard position != nil, case .worklist = KeyTable.action(key, in: .picture) else { return false }
    switch dialog {
    case .pairing(let pairing): return pairing.isOpenedByProgram
    case .question: return true
    default: return false
    }
  }

  /// Whether a key asks for a line to type into, or begins a search in a list.
  func asksForLine(_ key: Key) -> Bool {
    switch KeyTable.action(key, in: .picture) {
    case .session(.typeCommand), .picture(.goTo), .verdict(.comment): true
    default: key == "/"
    }
  }
}
