import Foundation

/// "1 voxel", "2 voxels": a count with its noun, and the verb after it where one is given ("voxel is", "voxels are").
///
/// - Parameter text: The count as it is shown; its digits unless given.
package func counted(
  _ count: Int, _ one: String, _ several: String? = nil, as text: String? = nil
) -> String {
  "\(text ?? "\(count)") \(count == 1 ? one : several ?? one + "s")"
}

/// "a, b or c".
package func alternatives(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

/// "it is" of one thing, "they are" of more.
package func itIs(_ count: Int) -> String { count == 1 ? "it is" : "they are" }

/// A number with `count` decimals.
///
/// A number that rounds to zero has no sign; NaN and infinity are "-".
package func decimals(_ number: Double, _ count: Int) -> String {
  guard number.isFinite else { return "-" }
  let text = String(format: "%.\(count)f", number)
  return text.hasPrefix("-") && text.allSatisfy { "-0.".contains($0) } ? String(text.dropFirst()) : text
}

/// A number with at most `digits` significant digits, as C's `%g` prints it: "0.0123", "1.5e+07", "nan".
package func significant(_ number: Double, _ digits: Int = 6) -> String {
  String(format: "%.\(digits)g", number)
}

/// A duration for people: "under 1 s", "12 s", "3 min 20 s", "2 h 5 min"; "-" for negative, infinite or NaN.
package func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0 else { return "-" }
  if seconds < 0.95 { return "under 1 s" }
  let whole = Int(saturating: seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
}

extension BinaryFloatingPoint where Self: LosslessStringConvertible {
  /// The number that a text states.
  ///
  /// nil for a text that is not a number, and for a number that this type holds only as infinity or, although it is not
  /// 0, as 0 (1e999 and 1e-999 for `Double`).
  ///
  /// For every number that a user types; the initialiser of the standard library rounds without a word.
  package init?(stated text: some StringProtocol) {
    let text = String(text)
    guard let number = Self(text), number.isFinite, number != 0 || hasOnlyZeros(text) else { return nil }
    self = number
  }
}

/// Whether every digit before the exponent of a number is 0.
private func hasOnlyZeros(_ number: String) -> Bool {
  let digits = number.lowercased()
  let exponent: Character = digits.contains("x") ? "p" : "e"
  return digits.prefix { $0 != exponent }.allSatisfy { "+-0x.".contains($0) }
}
