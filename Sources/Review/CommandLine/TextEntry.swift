/// Text being typed, with a cursor where the next character is inserted.
package struct TextEntry: Equatable, Sendable {
  package private(set) var characters: [Character]
  /// The number of characters before the cursor.
  package private(set) var cursor: Int

  /// An entry that begins with `text`.
  package init(_ text: String = "") {
    characters = Array(text)
    cursor = characters.count
  }

  package var text: String { String(characters) }

  /// The text before the cursor, and the text after it.
  var textBeforeCursor: String { String(characters[..<cursor]) }
  var textAfterCursor: String { String(characters[cursor...]) }

  /// Inserts text at the cursor, without its control characters.
  package mutating func insert(_ text: String) {
    let oneLine = String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
    let new = Array(cleaned(oneLine))
    characters.insert(contentsOf: new, at: cursor)
    cursor += new.count
  }

  /// Replaces the text before the cursor, also by a path whose bytes are not UTF-8.
  mutating func replaceBeforeCursor(by text: String) {
    let new = Array(text)
    characters.replaceSubrange(..<cursor, with: new)
    cursor = new.count
  }

  /// Removes the character before the cursor.
  package mutating func deleteBackwards() {
    guard cursor > 0 else { return }
    cursor -= 1
    characters.remove(at: cursor)
  }

  /// Removes the character after the cursor.
  package mutating func deleteForwards() {
    guard cursor < characters.count else { return }
    characters.remove(at: cursor)
  }

  /// Removes everything before the cursor.
  package mutating func deleteToStart() {
    characters.removeFirst(cursor)
    cursor = 0
  }

  /// Removes everything after the cursor.
  package mutating func deleteToEnd() { characters.removeSubrange(cursor...) }

  /// Removes the word before the cursor with the blanks after it, as shells do.
  package mutating func deleteWordBackwards() {
    var start = cursor
    while start > 0, characters[start - 1].isWhitespace { start -= 1 }
    while start > 0, !characters[start - 1].isWhitespace { start -= 1 }
    characters.removeSubrange(start..<cursor)
    cursor = start
  }

  /// Moves the cursor to an index, clamped to the text.
  package mutating func move(to index: Int) { cursor = min(max(0, index), characters.count) }
}
