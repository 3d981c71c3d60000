import Foundation
import Work

/// Files that a header names, which lie in its folder or below.
struct NamedFiles {
  /// The path of the header.
  let path: String
  private let folder: String
  private let resolvedFolder: String

  /// The maximum number of files of a pattern.
  private static let countLimit = 1 << 16

  init(header path: String) {
    self.path = path
    folder = FilePath.folder(of: path)
    resolvedFolder = FileSystem.resolved(folder.isEmpty ? "." : folder) ?? folder
  }

  /// The path of a file that the header names.
  ///
  /// A header may come from anyone and must not make the program read other files of the user: a path is refused when
  /// it leaves the header's folder by `..`, as an absolute path or through a symbolic link.
  /// - Throws: ``InputError`` for such a path and for a missing file.
  func path(_ name: String) throws(InputError) -> String {
    let parts = name.split(separator: "/")
    guard !name.hasPrefix("/"), !name.hasPrefix("~"), !parts.contains(".."), !parts.isEmpty else {
      throw InputError(
        path, "names a file outside of its folder", found: "\"\(name.prefix(200))\"",
        expected: "a path within the folder of the header")
    }
    let file = FilePath.joined(folder, name)
    guard let resolved = FileSystem.resolved(file) else {
      throw InputError(path, "names a file that does not exist", found: "\"\(name.prefix(200))\"")
    }
    guard resolved.hasPrefix(resolvedFolder == "/" ? "/" : resolvedFolder + "/") else {
      throw InputError(
        path, "names a link that leads out of its folder", found: "\"\(name.prefix(200))\"",
        expected: "a path within the folder of the header")
    }
    return file
  }

  /// The names of a pattern as C's `printf` has it: "slice%03d.raw" with the numbers from `first` to `last`.
  /// - Throws: ``InputError`` where the pattern does not have exactly one number, or does not give `count` names.
  func names(
    pattern: String, from first: Int, to last: Int, step: Int, expected count: Int
  ) throws(InputError) -> [String] {
    guard let match = pattern.wholeMatch(of: /([^%]*)%(0?)([0-9]{0,2})[diu]([^%]*)/) else {
      throw InputError(
        path, "names files by a pattern that cannot be read", found: "\"\(pattern.prefix(80))\"",
        expected: "one number in it, as in slice%03d.raw")
    }
    guard step != 0, (last - first) / step + 1 == count, count <= Self.countLimit else {
      throw InputError(
        path, "names files by numbers that do not fit its size", found: "\(first) to \(last) by \(step)",
        expected: counted(count, "file"))
    }
    let width = Int(match.3) ?? 0
    return (0..<count).map { index in
      let digits = "\(abs(first + index * step))"
      let sign = first + index * step < 0 ? "-" : ""
      let padding = String(
        repeating: match.2.isEmpty ? " " : "0", count: max(0, width - digits.count - sign.count))
      let number = match.2.isEmpty ? padding + sign + digits : sign + padding + digits
      return match.1 + number + match.4
    }
  }
}
