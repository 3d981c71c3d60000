import Foundation
import Volumes

/// The path of a file that was typed, and options such as "layer 2" after it.
///
/// A path in quotation marks may contain the words of the options.
struct TypedFile {
  /// The path, without quotation marks.
  private(set) var path: String
  /// The text after a path in quotation marks, without the options that were removed.
  private(set) var rest = ""
  private let isQuoted: Bool

  /// - Parameter text: The typed text without blanks at its ends.
  init(_ text: String) {
    guard text.hasPrefix("\""), let end = text.dropFirst().firstIndex(of: "\"") else {
      (path, isQuoted) = (text, false)
      return
    }
    path = String(text[text.index(after: text.startIndex)..<end])
    rest = text[text.index(after: end)...].trimmingSpaces
    isQuoted = true
  }

  /// Removes the last option with this name.
  /// - Returns: The value after the name; nil where the name or a value after it is missing.
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
