import Foundation

/// Parts of paths, without a look at the disk.
package enum FilePath {
  /// The folder of a path: "a/b" of "a/b/c.nii", "/" of "/c.nii", "" of "c.nii".
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// What stands behind the last slash: "c.nii" of "a/b/c.nii".
  package static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The path from the root of the file system on; ".." and links stay.
  package static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : joined(FileManager.default.currentDirectoryPath, path)
  }

  /// The path as a shell would take it: "~" and "~/..." are the home folder (`HOME`, or the password file's where that is
  /// not set), "~NAME/..." is the home folder of a user of this name; everything else stays.
  package static func expandingTilde(
    _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    guard path.hasPrefix("~") else { return path }
    let name = path.dropFirst().prefix { $0 != "/" }
    let rest = path.dropFirst(1 + name.count)
    guard let home = name.isEmpty ? home(environment) : home(ofUser: String(name)) else { return path }
    return home + rest
  }

  /// The user's home folder: `HOME`, or the password file's where that is not set.
  package static func home(_ environment: [String: String]) -> String? {
    if let home = environment["HOME"], !home.isEmpty { return home }
    return getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) }
  }

  private static func home(ofUser name: String) -> String? {
    getpwnam(name).map { String(cString: $0.pointee.pw_dir) }
  }

  /// `name` inside `folder`; `folder` may be empty.
  package static func joined(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
