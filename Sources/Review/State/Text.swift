import Foundation
import Screen
import Work

/// `value` with as many decimals as it needs, at most `decimalPlaces`.
func brief(_ value: Double, atMost decimalPlaces: Int = 3) -> String {
  var text = decimals(value, decimalPlaces)
  guard text.contains(".") else { return text }
  while text.hasSuffix("0") { text.removeLast() }
  if text.hasSuffix(".") { text.removeLast() }
  return text
}

/// Text in lines of at most `width` columns, broken between words, and within a word that is longer than a line.
func wrapped(_ text: String, width: Int) -> [String] {
  guard width > 0 else { return [] }
  var lines: [String] = []
  var line = ""
  for part in text.split(separator: " ") {
    var word = Substring(part)
    if !line.isEmpty, TextWidth.columns(line) + 1 + TextWidth.columns(String(word)) > width {
      lines.append(line)
      line = ""
    }
    while TextWidth.columns(String(word)) > width {
      var head = word.prefix(width)
      while head.count > 1, TextWidth.columns(String(head)) > width { head.removeLast() }
      lines.append(String(head))
      word = word.dropFirst(head.count)
    }
    line += (line.isEmpty ? "" : " ") + word
  }
  return line.isEmpty ? lines : lines + [line]
}

/// A count, in groups of three digits.
func grouped(_ count: Int) -> String {
  var digits = String(count)
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits.removeLast(3)
  }
  return ([digits] + groups).joined(separator: " ")
}

/// A name or text from a file, safe to show: one line without control or formatting characters.
func cleaned(_ text: String) -> String { String(String.UnicodeScalarView(TextWidth.sanitised(text))) }
