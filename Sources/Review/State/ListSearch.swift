/// A search in the list that receives keys.
package struct ListSearch: Equatable, Sendable {
  /// What was typed; upper and lower case are equal.
  package var entry = TextEntry()
  /// Whether keys still go into it.
  package var isTyping = true
  /// Where the pointer stood when typing began.
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
