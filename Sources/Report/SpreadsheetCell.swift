import Work

/// The cells of tables that people open in spreadsheets.
enum SpreadsheetCell {
  /// A text on one line that no spreadsheet takes for a formula: one that begins as formulas do, blanks left out, gets an
  /// apostrophe, unless it is a number.
  static func text(_ text: String) -> String {
    let text = text.printableLine
    guard let first = text.unicodeScalars.first(where: { $0 != " " }), beginnings.contains(first),
      !isNumber(text)
    else { return text }
    return "'" + text
  }

  /// The characters that begin a formula; full-width signs count where East Asian input is understood.
  private static let beginnings: Set<Unicode.Scalar> = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]

  private static func isNumber(_ text: String) -> Bool {
    text.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
  }

  /// A number; empty for nil.
  static func number(_ value: Double?, _ decimalPlaces: Int) -> String {
    value.map { decimals($0, decimalPlaces) } ?? ""
  }
}
