import Foundation

/// Parts of paths, computed without file system access, and the conversion of paths to bytes.
///
/// A file name is a sequence of any bytes. A name that is not UTF-8 is stored in a `String` too: each invalid byte
/// becomes the private scalar U+10FF00 + byte. System calls get the byte again, and messages show it as "\xE9".
package enum FilePath {
  /// The folder of a path: "a/b" of "a/b/c.nii", "/" of "/c.nii", "" of "c.nii".
  package static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: separator) else { return "" }
    return slash == path.startIndex ? "/" : String(path.utf8[..<slash]) ?? ""
  }

  /// The part after the last slash: "c.nii" of "a/b/c.nii".
  package static func name(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: separator) else { return path }
    return String(path.utf8[path.utf8.index(after: slash)...]) ?? ""
  }

  /// The name without its last ending: "c.nii" of "a/c.nii.gz", ".c" of ".c".
  package static func stem(of path: String) -> String {
    let name = name(of: path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  /// `name` inside `folder`; `folder` may be empty.
  package static func joined(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The absolute path without "." and "..".
  ///
  /// A ".." after a link or a missing folder stays, and links are not resolved.
  package static func absolute(_ path: String) -> String {
    let whole = path.hasPrefix("/") ? path : joined(FileSystem.currentFolder, path)
    guard whole.hasPrefix("/") else { return whole }
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      guard part == ".." else {
        parts.append(part)
        continue
      }
      guard let last = parts.last else { continue }
      // After a link, ".." leads elsewhere; after a missing folder it leads nowhere.
      if last != "..", FileSystem.isOwnFolder("/" + parts.joined(separator: "/")) {
        parts.removeLast()
      } else {
        parts.append(part)
      }
    }
    // A slash at the end says that a folder is meant.
    return "/" + parts.joined(separator: "/") + (whole.hasSuffix("/") && !parts.isEmpty ? "/" : "")
  }

  /// The path with its tilde expanded as a shell does: "~" and "~/..." are the user's home folder (see ``home(_:)``),
  /// "~NAME/..." is the home folder of user NAME.
  ///
  /// Any other path is returned unchanged.
  package static func expandingTilde(
    _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    guard path.hasPrefix("~") else { return path }
    let name = path.dropFirst().prefix { $0 != "/" }
    let rest = path.dropFirst(1 + name.count)
    guard let home = name.isEmpty ? home(environment) : home(ofUser: String(name)) else { return path }
    return home + rest
  }

  /// The path with "~" for the user's home folder, as people read it.
  package static func withTilde(
    _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    guard let home = home(environment), home != "/", path == home || path.hasPrefix(home + "/") else {
      return path
    }
    return "~" + path.dropFirst(home.count)
  }

  /// The user's home folder: `HOME`, or the password file's where that is not set.
  package static func home(_ environment: [String: String]) -> String? {
    if let home = environment["HOME"], !home.isEmpty { return home }
    return getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) }
  }

  private static func home(ofUser name: String) -> String? {
    getpwnam(name).map { String(cString: $0.pointee.pw_dir) }
  }

  private static let separator = UInt8(ascii: "/")
  /// The scalars that represent bytes that are not UTF-8: U+10FF80 to U+10FFFF for bytes 80 to FF.
  private static let escapes: ClosedRange<UInt32> = 0x10ff80...0x10ffff
}

extension FilePath {
  /// Whether the path ends in `suffix`, regardless of letter case; `suffix` must be in lower case.
  package static func hasSuffix(_ suffix: String, _ path: String) -> Bool {
    path.lowercased().hasSuffix(suffix)
  }

  /// Refuses a name that does not end in one of `suffixes`, regardless of letter case.
  /// - Parameter content: What is to be written there: "a model".
  /// - Throws: ``InputError`` with the suffixes.
  package static func requireSuffix(
    _ suffixes: [String], of path: String, toWrite content: String
  ) throws(InputError) {
    guard !suffixes.contains(where: { hasSuffix($0, path) }) else { return }
    throw InputError(
      path, "cannot be written as \(content)",
      expected: "a name that ends in \(alternatives(suffixes))")
  }
}

extension FilePath {
  /// The path of a C string.
  package static func text(_ name: UnsafePointer<CChar>) -> String {
    text(UnsafeRawBufferPointer(start: name, count: strlen(name)))
  }

  /// The path of a sequence of bytes.
  package static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    // Scalars of the escapes' own range would be decoded as other bytes, so their four bytes are escaped.
    if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: isEscape) {
      return text
    }
    var scalars = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let length = [1, 2, 3, 4].first { count in
        guard let one = String(validating: rest.prefix(count), as: UTF8.self)?.unicodeScalars else {
          return false
        }
        return one.count == 1 && !one.contains(where: isEscape)
      }
      if let length {
        scalars.append(contentsOf: String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars)
      } else if let escape = Unicode.Scalar(0x10ff00 + UInt32(first)) {
        scalars.append(escape)
      }
      rest = rest.dropFirst(length ?? 1)
    }
    return String(scalars)
  }

  /// The bytes of a path for the file system; inverse of ``text(_:)``.
  package static func bytes(of path: String) -> [UInt8] {
    guard path.unicodeScalars.contains(where: isEscape) else { return Array(path.utf8) }
    return path.unicodeScalars.flatMap { scalar in
      isEscape(scalar) ? [UInt8(scalar.value & 0xff)] : Array(String(scalar).utf8)
    }
  }

  /// Whether the scalar represents a byte that is not UTF-8.
  static func isEscape(_ scalar: Unicode.Scalar) -> Bool { escapes.contains(scalar.value) }

  /// Calls `body` with the path as a C string.
  static func withCString<Result>(_ path: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    (bytes(of: path) + [0]).withUnsafeBytes { body($0.assumingMemoryBound(to: CChar.self).baseAddress!) }
  }
}
