import Foundation
import Volumes

/// A file that was typed, with words behind it that say more; a file in quotation marks may contain these words.
struct FileWords {
  /// The file, without quotation marks.
  private(set) var path: String
  /// What is behind a file in quotation marks and not removed yet.
  private(set) var rest = ""
  private let isQuoted: Bool

  /// The parts of a text without blanks at its ends.
  init(_ text: String) {
    guard text.hasPrefix("\""), let end = text.dropFirst().firstIndex(of: "\"") else {
      (path, isQuoted) = (text, false)
      return
    }
    path = String(text[text.index(after: text.startIndex)..<end])
    rest = text[text.index(after: end)...].trimmingSpaces
    isQuoted = true
  }

  /// Removes the last occurrence of a word with the text behind it.
  /// - Returns: That text; nil where the word or a text behind it is missing.
  mutating func removeLast(_ word: String) -> String? {
    let words = isQuoted ? " " + rest : path
    guard let range = words.range(of: " \(word) ", options: .backwards) else { return nil }
    let value = words[range.upperBound...].trimmingSpaces
    let before = words[..<range.lowerBound].trimmingSpaces
    guard !value.isEmpty, isQuoted || !before.isEmpty else { return nil }
    if isQuoted { rest = before } else { path = before }
    return value
  }
}
