import Screen

/// Finds the keys that a sentence names, so that they can be clicked: "G goes there", "run a network (m)", "Esc ends it".
enum KeysInText {
  /// Words that follow a key and say what it does.
  private static let verbs: Set<String> = [
    "goes", "runs", "shows", "ends", "flips", "is", "saves", "keeps", "takes", "sets", "quits", "undoes",
    "computes",
    "asks", "changes", "leaves", "cancels", "writes", "lists", "zooms", "completes", "does", "again",
  ]
  /// Characters around a key that are not part of it.
  private static let marks: Set<Character> = ["(", ")", ",", ";", ":", ".", "?"]

  /// Splits a sentence into spans, so that each key in it is a span with a click target.
  /// - Parameter target: The click target of a key; nil for a key without an effect here.
  static func spans(_ text: String, _ style: Style, target: (Key) -> ClickTarget?) -> [Span] {
    var spans: [Span] = []
    var plain = ""
    let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    for (position, word) in words.enumerated() {
      if position > 0 { plain.append(" ") }
      let next = position + 1 < words.count ? words[position + 1] : ""
      guard let (before, name, after) = parts(word), let click = key(called: name).flatMap(target),
        // A letter in a sentence is a word more often than a key.
        before.hasSuffix("(") && (after.hasPrefix(")") || after.hasPrefix(":"))
          || after.isEmpty && isVerb(next, after: name) || after == ":" && before.isEmpty && name == "M"
      else {
        plain += word
        continue
      }
      plain += before
      if !plain.isEmpty { spans.append(Span(plain, style)) }
      spans.append(Span(name, style, click: click))
      plain = after
    }
    if !plain.isEmpty { spans.append(Span(plain, style)) }
    return spans
  }

  /// Whether a word says what the key before it does; never after "A", "B" or "a", which are versions or the article.
  private static func isVerb(_ word: String, after name: String) -> Bool {
    verbs.contains(String(word.filter { !marks.contains($0) })) && !(["A", "B", "a"].contains(name))
  }

  /// The marks before and after a word, and the word itself; nil for marks alone.
  private static func parts(_ word: String) -> (before: String, name: String, after: String)? {
    // A mark may be a key itself: ":" and "(".
    let before = word.prefix { $0 == "(" }
    let rest = word.dropFirst(before.count)
    let name = rest.count == 1 ? rest : rest.prefix { !marks.contains($0) }
    guard !name.isEmpty else { return nil }
    return (String(before), String(name), String(rest.dropFirst(name.count)))
  }

  private static let named: [String: Key] = {
    let keys: [Key] =
      [.enter, .escape, .tab, .pageUp, .pageDown, .home, .end] + "npurcs".map { .control($0) }
    return Dictionary(uniqueKeysWithValues: keys.map { ($0.label, $0) })
  }()

  private static func key(called name: String) -> Key? {
    named[name] ?? (name.count == 1 ? name.first.map { .character($0) } : nil)
  }
}

extension ReviewState {
  /// A message as spans; a click on a key of the picture that it names presses that key.
  func messageSpans(_ text: String, _ style: Style) -> [Span] {
    KeysInText.spans(text, style) { key in
      KeyTable.action(key, in: .picture) == nil ? nil : .pictureKey(key)
    }
  }

  /// A hint of the open dialog as spans; a click on a key that it names presses that key.
  func hintSpans(_ text: String) -> [Span] {
    let context = keyContext
    return KeysInText.spans(text, Theme.quiet) { key in
      KeyTable.action(key, in: context) == nil ? nil : .key(key)
    }
  }
}
