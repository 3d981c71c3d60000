import Foundation
import Volumes
import Work

/// The reason why the value of an option cannot be used; the parser of the command line adds the option's name and the
/// value.
struct UnusableValue: Error, CustomStringConvertible {
  /// The problem: "not a number".
  let problem: String
  /// The values that can be used: "a number".
  let expected: String

  /// "not a number: expected a number".
  var description: String { "\(problem): expected \(expected)" }
}

/// Parses numbers in option values.
enum OptionParsing {
  /// Parses the value of an option that is a number.
  /// - Throws: ``UnusableValue`` when it is no number, or one that `Double` cannot hold, such as 1e999 and 1e-999.
  static func number(_ text: String) throws(UnusableValue) -> Double {
    guard let number = Double(stated: text) else {
      throw UnusableValue(problem: problem(of: text), expected: "a number")
    }
    return number
  }

  /// Parses the value of an option that is a whole number.
  /// - Throws: ``UnusableValue`` when it is none, or one that `Number` cannot hold.
  static func wholeNumber<Number: FixedWidthInteger>(_ text: String) throws(UnusableValue) -> Number {
    guard let number = Number(text) else {
      let least = Number.isSigned ? "" : ", 0 or more"
      throw UnusableValue(
        problem: !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
          ? "too large" : "not a whole number",
        expected: "a whole number\(least)")
    }
    return number
  }

  /// Parses numbers separated by commas, such as "1,2.5,-3".
  /// - Throws: ``InputError`` about `option` when a part is no number, or one that `Number` cannot hold.
  static func numbers<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _ text: String, option: String, as: Number.Type = Double.self
  ) throws(InputError) -> [Number] {
    var numbers: [Number] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let part = part.trimmingCharacters(in: .whitespaces)
      guard let number = Number(stated: part) else {
        throw InputError(
          option, problem(of: part), found: "\"\(part)\"", expected: "numbers separated by commas")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// Refuses a number that is out of range.
  /// - Throws: ``InputError`` about `option`, with the range and the unit.
  static func require<Number: Comparable>(
    _ number: Number, in range: ClosedRange<Number>, option: String, unit: String = ""
  ) throws(InputError) {
    guard !range.contains(number) else { return }
    throw InputError(
      option, "out of range", found: "\(number)",
      expected: "\(range.lowerBound) to \(range.upperBound)\(unit)")
  }

  /// The reason why a text is not used as a number.
  private static func problem(of text: String) -> String {
    guard let number = Double(text), number.isFinite || text.contains(where: \.isNumber), !number.isNaN else {
      return "not a number"
    }
    return abs(number) < 1 ? "too close to 0" : "too large"
  }

  /// Parses one length for all axes, or three, in millimetres.
  /// - Throws: ``InputError`` about `option` when the text is none, or a length is out of range.
  static func lengths(_ text: String, option: String) throws(InputError) -> Spacing {
    let numbers = try numbers(text, option: option)
    guard numbers.count == 1 || numbers.count == 3, numbers.allSatisfy(UsableRange.millimetres.contains)
    else {
      throw InputError(
        option, "lengths in mm", found: text,
        expected:
          "one or three numbers from \(UsableRange.millimetres.lowerBound) to \(UsableRange.millimetres.upperBound)"
      )
    }
    return numbers.count == 1 ? Spacing(numbers[0]) : Spacing(numbers[0], numbers[1], numbers[2])
  }

  /// The maximum number of voxels of a size: a cube of 4096, of which the bytes of 256 channels fit in an `Int`.
  private static let maximumVoxelCount = 1 << 36

  /// Parses a size in voxels along x, y, z, such as "160x160x72".
  /// - Throws: ``InputError`` about `option` when the text is none, or the size is too large.
  static func gridSize(_ text: String, option: String) throws(InputError) -> GridSize {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, let i = parts[0], let j = parts[1], let k = parts[2], i > 0, j > 0, k > 0,
      i <= 65_536, j <= 65_536, k <= 65_536
    else {
      throw InputError(
        option, "not a size", found: text, expected: "XxYxZ, such as 160x160x72, each 1 to 65536")
    }
    guard i * j * k <= maximumVoxelCount else {
      throw InputError(
        option, "more voxels than any image has", found: text, expected: "at most \(maximumVoxelCount)")
    }
    return GridSize(i, j, k)
  }
}
