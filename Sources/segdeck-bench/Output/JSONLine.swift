/// One line of output: a JSON object whose keys are in the order in which they were added.
struct JSONLine {
  private var members: [String] = []

  /// A line about `what`.
  init(_ what: String) { add("what", what) }

  mutating func add(_ key: String, _ text: String) { members.append("\"\(key)\":\(Self.quoted(text))") }

  /// Adds a whole number.
  mutating func add(_ key: String, _ number: Int) { members.append("\"\(key)\":\(number)") }

  /// Adds a number with six significant digits; null where it is not finite.
  mutating func add(_ key: String, _ number: Double) {
    members.append("\"\(key)\":\(Self.sixDigits(number))")
  }

  var text: String { "{" + members.joined(separator: ",") + "}" }

  /// `number` rounded to six significant digits, in decimals.
  private static func sixDigits(_ number: Double) -> String {
    guard number.isFinite else { return "null" }
    var unit = 1.0
    while unit < 1e6, (number * unit).magnitude < 1e5 { unit *= 10 }
    return "\((number * unit).rounded() / unit)"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
