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

  /// `name` inside `folder`; `folder` may be empty.
  package static func joined(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
