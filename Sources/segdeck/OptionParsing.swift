import Foundation
import Volumes
import Work

/// Parses numbers in option values.
enum OptionParsing {
  /// Parses numbers separated by commas, such as "1,2.5,-3".
  /// - Throws: ``InputError`` about `option` when a part is no finite number.
  static func numbers(_ text: String, option: String) throws(InputError) -> [Double] {
    var numbers: [Double] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let number = Double(part.trimmingCharacters(in: .whitespaces)), number.isFinite else {
        throw InputError(
          option, "not a number", found: "\"\(part)\"", expected: "numbers separated by commas")
      }
      numbers.append(number)
    }
    return numbers
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
