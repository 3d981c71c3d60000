import Work

/// The cells of tables that people open in spreadsheets.
enum SpreadsheetCell {
  /// A text that no spreadsheet takes for a formula: one that begins as formulas do gets an apostrophe, unless it is a number.
  static func text(_ text: String) -> String {
    let text = text.printableLines
    guard let first = text.unicodeScalars.first, beginnings.contains(first), !isNumber(text) else {
      return text
    }
    return "'" + text
  }

  /// What begins a formula; full-width signs count where East Asian input is understood, and line breaks and tabs are
  /// left out on import.
  private static let beginnings: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠",
  ]

  private static func isNumber(_ text: String) -> Bool {
    text.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
  }

  /// A number; empty for nil.
  static func number(_ value: Double?, _ decimalPlaces: Int) -> String {
    value.map { decimals($0, decimalPlaces) } ?? ""
  }
}
