import Foundation

/// System calls of the file system.
///
/// Only this type converts paths to C strings.
///
/// Foundation's functions that take paths replace bytes that are not UTF-8, so they do not find such files.
package enum FileSystem {
  /// The status of the file at a path, links followed; nil where there is none, with the reason in `errno`.
  package static func status(_ path: String) -> stat? {
    var status = stat()
    return getStatus(path, &status) == 0 ? status : nil
  }

  /// As `stat(2)`.
  package static func getStatus(_ path: String, _ status: inout stat) -> Int32 {
    FilePath.withCString(path) { stat($0, &status) }
  }

  /// As `lstat(2)`.
  package static func getLinkStatus(_ path: String, _ status: inout stat) -> Int32 {
    FilePath.withCString(path) { lstat($0, &status) }
  }

  /// As `statvfs(2)`.
  package static func getDisk(_ path: String, _ disk: inout statvfs) -> Int32 {
    FilePath.withCString(path) { statvfs($0, &disk) }
  }

  /// As `link(2)`.
  package static func link(_ path: String, _ name: String) -> Int32 {
    FilePath.withCString(path) { old in FilePath.withCString(name) { Glibc.link(old, $0) } }
  }

  /// The path without links; nil where it leads to no file, with the reason in `errno`.
  package static func resolved(_ path: String) -> String? {
    guard let resolved = FilePath.withCString(path, { realpath($0, nil) }) else { return nil }
    defer { free(resolved) }
    return FilePath.text(resolved)
  }

  /// Whether the path exists, links followed.
  package static func exists(_ path: String) -> Bool { status(path) != nil }

  /// Whether the path is a folder, links followed.
  package static func isFolder(_ path: String) -> Bool {
    status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  /// Whether the path itself is a folder, not a link to one.
  static func isOwnFolder(_ path: String) -> Bool {
    var status = stat()
    return getLinkStatus(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// As `access(2)`.
  package static func allows(_ mode: Int32, at path: String) -> Bool {
    FilePath.withCString(path) { access($0, mode) } == 0
  }

  /// As `open(2)`.
  package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o644) -> Int32 {
    FilePath.withCString(path) { Glibc.open($0, flags | O_CLOEXEC, mode) }
  }

  /// The status of an opened file.
  /// - Throws: ``InputError`` for a folder, and for a device or pipe, whose content may have no end.
  package static func statusOfOrdinaryFile(_ descriptor: Int32, path: String) throws(InputError) -> stat {
    var status = stat()
    fstat(descriptor, &status)
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw InputError(
        path, "cannot be read", found: isFolder ? "a folder" : "a device or pipe", expected: "a file")
    }
    return status
  }

  /// As `rename(2)`.
  @discardableResult
  package static func rename(_ path: String, _ place: String) -> Int32 {
    FilePath.withCString(path) { old in FilePath.withCString(place) { Glibc.rename(old, $0) } }
  }

  /// As `unlink(2)`.
  @discardableResult
  package static func remove(_ path: String) -> Int32 { FilePath.withCString(path) { unlink($0) } }

  /// Names in a folder, ascending, without "." and "..".
  /// - Throws: ``InputError`` when it is not a folder, or may not be read.
  package static func names(in folder: String) throws(InputError) -> [String] {
    guard let stream = FilePath.withCString(folder.isEmpty ? "." : folder, { opendir($0) }) else {
      throw InputError(folder, "is not a folder that can be read", found: reason)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        FilePath.text(UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != 0 }))
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Creates a folder and its parents with these permissions; an existing folder is left as it is.
  /// - Throws: ``InputError`` when it cannot be created.
  package static func makeFolder(_ path: String, mode: mode_t = 0o777) throws(InputError) {
    if isFolder(path) { return }
    let parent = FilePath.folder(of: path)
    if !parent.isEmpty, parent != path { try makeFolder(parent, mode: mode) }
    // A path that ends in a slash is its own last part's folder, which exists by now.
    if isFolder(path) { return }
    guard FilePath.withCString(path, { mkdir($0, mode) }) == 0 || errno == EEXIST && isFolder(path) else {
      throw InputError(path, "cannot be made a folder", found: reason)
    }
  }

  /// The current working folder; "." where it was deleted.
  package static var currentFolder: String {
    guard let folder = getcwd(nil, 0) else { return "." }
    defer { free(folder) }
    return FilePath.text(folder)
  }

  /// The target of a symbolic link; nil where the path is not a link.
  package static func target(ofLink path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = FilePath.withCString(path) { readlink($0, &bytes, bytes.count - 1) }
    return count > 0 ? FilePath.text(bytes) : nil
  }

  /// The folder for temporary files: `TMPDIR`, else `/tmp`.
  package static var temporaryFolder: String {
    guard let folder = getenv("TMPDIR"), folder.pointee != 0 else { return "/tmp" }
    return FilePath.text(folder)
  }

  /// Creates a folder with a unique name that only the user can read.
  /// - Throws: ``InputError`` when `folder` cannot be written.
  static func makeTemporaryFolder(in folder: String) throws(InputError) -> String {
    let template = FilePath.joined(folder, "segdeck-XXXXXX")
    let path = FilePath.withCString(template) { path -> String? in
      var bytes = Array(UnsafeBufferPointer(start: path, count: strlen(path) + 1))
      return mkdtemp(&bytes) == nil ? nil : FilePath.text(bytes)
    }
    guard let path else { throw InputError(folder, "cannot be written", found: reason) }
    return path
  }

  /// Removes a folder that holds nothing; any other stays.
  package static func removeEmptyFolder(_ path: String) {
    _ = FilePath.withCString(path) { rmdir($0) }
  }

  /// Removes a folder and the files in it.
  ///
  /// A folder that contains folders stays.
  static func removeFolder(_ path: String) {
    for name in (try? names(in: path)) ?? [] { remove(FilePath.joined(path, name)) }
    _ = FilePath.withCString(path) { rmdir($0) }
  }

  private static var reason: String { String(cString: strerror(errno)) }
}
