import Screen
import Work

/// A table of names with numbers after them: no number touches another, and the names get what is left.
struct NameTable {
  /// A column of numbers.
  struct Column {
    var title: String
    /// Columns of the screen.
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

  /// A line; the name is cut where it is too long.
  func line(_ name: String, _ numbers: [String]) -> String {
    name.fitted(max(0, nameWidth))
      + zip(columns, numbers).map { " " + $1.fitted($0.width, atRight: true) }.joined()
  }
}

/// Millilitres with the same decimals all down a column.
struct VolumeDigits {
  let decimalPlaces: Int

  /// As many decimals, at most two, as leave the greatest volume seven columns.
  init(greatest millilitres: Double, atMost decimalPlaces: Int = 2) {
    let fitting = millilitres < 9999.995 ? 2 : millilitres < 99999.95 ? 1 : 0
    self.decimalPlaces = min(fitting, decimalPlaces)
  }

  /// A volume; one above 0 that rounds to 0 is shown as less than the smallest number.
  func text(_ millilitres: Double) -> String {
    let text = decimals(millilitres, decimalPlaces)
    guard millilitres > 0, !text.contains(where: { "123456789".contains($0) }) else { return text }
    return "<" + String(decimals(0, decimalPlaces).dropLast()) + "1"
  }

  /// The widest text of volumes up to the greatest one.
  func widest(_ greatest: Double) -> String {
    let (one, other) = (text(greatest), text(.leastNormalMagnitude))
    return one.count < other.count ? other : one
  }

  /// A change with its sign, which one that rounds to zero lacks.
  func change(_ millilitres: Double) -> String {
    let text = decimals(millilitres, decimalPlaces)
    return millilitres > 0 && text.contains { "123456789".contains($0) } ? "+" + text : text
  }
}
