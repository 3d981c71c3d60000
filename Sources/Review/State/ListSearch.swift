/// What is sought in the list that takes keys.
package struct ListSearch: Equatable, Sendable {
  /// What was typed; whatever the case of its letters.
  package var entry = TextEntry()
  /// Whether keys still go into it.
  package var isTyping = true
  /// Where the pointer stood when typing began.
  package var start: Int
  /// The entry found last; nil when none has the text.
  package var found: Int?

  /// A search from an entry of the list.
  package init(start: Int) { self.start = start }

  /// Whether an entry has what is sought; nothing has an empty text.
  func matches(_ text: String) -> Bool {
    !entry.text.isEmpty && text.lowercased().contains(entry.text.lowercased())
  }
}
