import Work

/// Cells of tables that spreadsheet programs open.
enum SpreadsheetCell {
  /// A text on one line that no spreadsheet reads as a formula: a text that begins like one, after blanks, gets an
  /// apostrophe before it, unless it is a number.
  static func text(_ text: String) -> String {
    let text = text.printableLine
    guard let first = text.unicodeScalars.first(where: { $0 != " " }), formulaCharacters.contains(first),
      !isNumber(text)
    else { return text }
    return "'" + text
  }

  /// The characters that begin a formula; some spreadsheets also accept the full-width ones of East Asian input.
  private static let formulaCharacters: Set<Unicode.Scalar> = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]

  private static func isNumber(_ text: String) -> Bool {
    text.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
  }

  /// A number; empty for nil.
  static func number(_ value: Double?, _ decimalPlaces: Int) -> String {
    value.map { decimals($0, decimalPlaces) } ?? ""
  }
}
