import Foundation
import Screen
import Work

/// `value` with `places` decimals and no "-0".
func decimals(_ value: Double, _ places: Int) -> String {
  guard value.isFinite else { return "-" }
  let text = String(format: "%.\(places)f", value)
  return text.hasPrefix("-") && !text.contains { "123456789".contains($0) } ? String(text.dropFirst()) : text
}

/// `value` with as many decimals as it needs, at most `places`.
func brief(_ value: Double, atMost places: Int = 3) -> String {
  var text = decimals(value, places)
  guard text.contains(".") else { return text }
  while text.hasSuffix("0") { text.removeLast() }
  if text.hasSuffix(".") { text.removeLast() }
  return text
}

/// Seconds as people say them: "8 s", "2 min 5 s".
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0 else { return "-" }
  if seconds < 9.95 { return decimals(seconds, seconds < 1 ? 1 : 0) + " s" }
  let whole = Int(saturating: seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole / 60 % 60) min"
}

/// A name or text from a file, safe to show: one line without control or formatting characters.
func cleaned(_ text: String) -> String { String(String.UnicodeScalarView(TextWidth.sanitised(text))) }
