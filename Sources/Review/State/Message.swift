import Work

/// A line for the reviewer.
package struct Message: Equatable, Sendable {
  package enum Kind: Equatable, Sendable { case note, warning, error }
  /// One line, already cleaned.
  package var text: String
  package var kind: Kind

  /// A line without control characters.
  package init(_ text: String, _ kind: Kind = .note) {
    self.text = cleaned(text)
    self.kind = kind
  }

  /// The line with files before a colon shortened to their names, so that the reason after them fits on the screen.
  var textWithFileNames: String {
    let parts = text.split(separator: ": ", omittingEmptySubsequences: false).map(String.init)
    let names = parts.dropLast().map { part in
      part.hasPrefix("/") || part.contains("/") && !part.contains(" ") ? FilePath.name(of: part) : part
    }
    return (names + parts.suffix(1)).joined(separator: ": ")
  }
}

/// Every line that a session showed, the newest last.
package struct MessageLog: Equatable, Sendable {
  /// The lines; consecutive equal lines appear once.
  package private(set) var messages: [Message] = []

  /// The maximum number of lines; the oldest are removed first.
  private static let maximumCount = 2000

  /// Adds a line.
  ///
  /// It replaces the last one if it begins with it.
  package mutating func add(_ message: Message) {
    guard message != messages.last else { return }
    if let last = messages.last, message.text.hasPrefix(last.text + "; ") { messages.removeLast() }
    if messages.count == MessageLog.maximumCount { messages.removeFirst() }
    messages.append(message)
  }
}
