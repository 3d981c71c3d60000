import Foundation
import Work

/// Where a command writes: checked before any work begins.
struct OutputPlace {
  /// The path as the user gave it.
  let path: String

  /// A place that may be written: its folder exists, it is none of `inputs`, and what stands there may be replaced.
  ///
  /// - Parameter companions: Files that are written with it, to which the same applies.
  /// - Throws: ``InputError`` when `path` is a folder or device, lies in a read-only folder, exists and `isForced` is
  ///   false, or is one of `inputs` (under whatever name: links are followed), which no flag allows.
  init(_ path: String, isForced: Bool, inputs: [String], companions: [String] = []) throws(InputError) {
    self.path = path
    for file in [path] + companions { try Self.check(file, isForced: isForced, inputs: inputs) }
  }

  private static func check(_ path: String, isForced: Bool, inputs: [String]) throws(InputError) {
    var place = stat()
    guard stat(path, &place) == 0 else {
      let folder = FilePath.folder(of: path)
      var folderStatus = stat()
      guard stat(folder.isEmpty ? "." : folder, &folderStatus) == 0, folderStatus.st_mode & S_IFMT == S_IFDIR
      else {
        throw InputError(path, "cannot be written", found: "no folder \(folder)")
      }
      guard access(folder.isEmpty ? "." : folder, W_OK) == 0 else {
        throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
      }
      return
    }
    guard place.st_mode & S_IFMT != S_IFDIR else {
      throw InputError(path, "cannot be written", found: "a folder", expected: "a file name")
    }
    // A device or pipe would be replaced by an ordinary file under its name.
    guard place.st_mode & S_IFMT == S_IFREG else {
      throw InputError(path, "cannot be written", found: "no ordinary file", expected: "a file name")
    }
    for input in inputs {
      var source = stat()
      if stat(input, &source) == 0, source.st_dev == place.st_dev, source.st_ino == place.st_ino {
        throw InputError(path, "is the file that is read (\(input)) and is never replaced")
      }
    }
    guard isForced else {
      throw InputError(path, "exists", expected: "another name, or --force to replace it")
    }
  }
}
