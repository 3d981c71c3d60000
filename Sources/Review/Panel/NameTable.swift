import Screen
import Work

/// A table of names with columns of numbers, which are separated by blanks.
///
/// The names get the remaining width.
struct NameTable {
  /// A column of numbers.
  struct Column {
    var title: String
    /// The width in columns of the screen.
    var width: Int

    /// A column as wide as its title and the widest of its numbers.
    init(_ title: String, widest: String) {
      self.title = title
      width = max(TextWidth.columns(title), TextWidth.columns(widest))
    }
  }

  /// The columns of numbers.
  let columns: [Column]
  /// The width of the column of names.
  let nameWidth: Int

  init(width: Int, _ columns: [Column]) {
    self.columns = columns
    nameWidth = width - columns.reduce(0) { $0 + $1.width + 1 }
  }

  /// The line above the table.
  func header(_ name: String) -> String { line(name, columns.map(\.title)) }

  /// A line; a name that is too long is truncated.
  func line(_ name: String, _ numbers: [String]) -> String {
    name.fitted(max(0, nameWidth))
      + zip(columns, numbers).map { " " + $1.fitted($0.width, atRight: true) }.joined()
  }
}

/// The format of millilitres in a column: the same number of decimals in each row.
struct VolumeDigits {
  let decimalPlaces: Int

  /// As many decimals, at most `decimalPlaces`, as the largest volume can have in seven columns.
  init(greatest millilitres: Double, atMost decimalPlaces: Int = 2) {
    let fitting = millilitres < 9999.995 ? 2 : millilitres < 99999.95 ? 1 : 0
    self.decimalPlaces = min(fitting, decimalPlaces)
  }

  /// A volume; one above 0 that rounds to 0 is shown as less than the smallest number, for example "<0.01".
  func text(_ millilitres: Double) -> String {
    let text = decimals(millilitres, decimalPlaces)
    guard millilitres > 0, !text.contains(where: { "123456789".contains($0) }) else { return text }
    return "<" + String(decimals(0, decimalPlaces).dropLast()) + "1"
  }

  /// The widest text that a volume can have, where `greatest` is the largest volume in mL.
  func widest(_ greatest: Double) -> String {
    let (one, other) = (text(greatest), text(.leastNormalMagnitude))
    return one.count < other.count ? other : one
  }

  /// A change with its sign; without a sign where it rounds to zero.
  func change(_ millilitres: Double) -> String {
    let text = decimals(millilitres, decimalPlaces)
    return millilitres > 0 && text.contains { "123456789".contains($0) } ? "+" + text : text
  }
}
