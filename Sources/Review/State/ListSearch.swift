/// A search in the list that receives keys.
package struct ListSearch: Equatable, Sendable {
  /// The search text; case is ignored.
  package var entry = TextEntry()
  /// Whether the search text is being typed.
  package var isTyping = true
  /// The pointer's entry when typing began.
  package var start: Int
  /// The entry found last; nil when none has the text.
  package var found: Int?

  /// A search from an entry of the list.
  package init(start: Int) { self.start = start }

  /// Whether an entry contains the typed text; none does while it is empty.
  func matches(_ text: String) -> Bool {
    !entry.text.isEmpty && text.lowercased().contains(entry.text.lowercased())
  }
}
