import Screen

extension Action {
  /// Changes of the line that is being typed.
  package enum TextEdit: ActionGroup {
    case eraseBackwards, eraseForwards, eraseToStart, eraseToEnd, eraseWord, move(Int), moveToEnd(Bool)

    static let bindings: [KeyBinding] = [
      KeyTable.bind(.text, [.backspace], .text(.eraseBackwards), "erase the character before the cursor"),
      KeyTable.bind(.text, [.delete], .text(.eraseForwards), "erase the character under the cursor"),
      KeyTable.bind(.text, [.control("w")], .text(.eraseWord), "erase the word before the cursor"),
      KeyTable.bind(.text, [.control("u")], .text(.eraseToStart), "erase everything before the cursor"),
      KeyTable.bind(.text, [.control("k")], .text(.eraseToEnd), "erase everything after the cursor"),
      KeyTable.bind(.text, [.left], .text(.move(-1)), "cursor left"),
      KeyTable.bind(.text, [.right], .text(.move(1)), "cursor right"),
      KeyTable.bind(.text, [.home, .control("a")], .text(.moveToEnd(false)), "cursor to the start"),
      KeyTable.bind(.text, [.end, .control("e")], .text(.moveToEnd(true)), "cursor to the end"),
    ]
  }
}

extension TextEntry {
  /// Performs an edit of the text: erases characters or moves the cursor.
  mutating func edit(_ edit: Action.TextEdit) {
    switch edit {
    case .eraseBackwards: deleteBackwards()
    case .eraseForwards: deleteForwards()
    case .eraseToStart: deleteToStart()
    case .eraseToEnd: deleteToEnd()
    case .eraseWord: deleteWordBackwards()
    case .move(let count): move(to: cursor + count)
    case .moveToEnd(let isEnd): move(to: isEnd ? characters.count : 0)
    }
  }
}

extension ReviewState {
  /// Edits the line that is being typed.
  mutating func editEntry(_ edit: Action.TextEdit) {
    guard var entry = dialog?.entry else { return }
    // Erasing an empty command line leaves it, as editors do.
    if edit == .eraseBackwards, entry.text.isEmpty, dialog?.isCommand == true {
      dialog = nil
      return
    }
    entry.edit(edit)
    dialog = dialog?.with(entry)
  }
}
