import Foundation

/// Command lines as text that a shell can parse.
enum CommandLineText {
  /// A path as an argument that is not taken for an option.
  static func path(_ path: String) -> String { path.hasPrefix("-") ? "./" + path : path }

  /// The command that is running.
  static var current: String { text(["segdeck"] + ProgramStart.arguments) }

  /// Parses a line of ``text(_:)``; nil when a quote is not closed.
  ///
  /// Only quotes and backslashes are interpreted; nothing is expanded.
  static func words(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if quote == nil, character == "\\" {
        isEscaped = true
      } else if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if quote == nil, character == " " {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else { return nil }
    return words + [word].compactMap(\.self)
  }

  /// The words separated by spaces, quoted where a shell would split or change them.
  static func text(_ words: [String]) -> String {
    words.map { word in
      let isPlain =
        !word.isEmpty
        && word.unicodeScalars.allSatisfy {
          CharacterSet.alphanumerics.contains($0) || "-_./=,:+@%".unicodeScalars.contains($0)
        }
      return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }
}
