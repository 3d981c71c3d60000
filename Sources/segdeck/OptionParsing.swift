import Foundation
import Volumes
import Work

/// Numbers as commands read and write them.
enum OptionParsing {
  /// "1,2.5,-3" as numbers.
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

  /// One length for all axes or three, in millimetres.
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

  /// Voxels of a size at most: a cube of 4096, of which 256 channels still count in bytes.
  private static let maximumVoxelCount = 1 << 36

  /// "160x160x72" as voxels along x, y, z.
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
