import Foundation

/// The file that a path to be written leads to.
///
/// Symbolic links are followed: the file that they point to is replaced, and the links stay.
package struct FileDestination: Sendable {
  /// The path as it was given.
  package let path: String
  /// The path of the file that is written.
  package let target: String
  /// The status of the existing file; nil where there is none.
  let status: stat?

  /// Whether the file exists already.
  package var exists: Bool { status != nil }

  /// Checks a path without writing anything.
  /// - Throws: ``InputError`` when the folder is missing or cannot be written, when the name is too long for the file
  ///   system, or when the path is a folder, a device, a read-only file, or a link that leads to no file.
  package init(_ path: String) throws(InputError) {
    self.path = path
    guard !["", ".", ".."].contains(FilePath.name(of: path)) else {
      throw Self.refusal(path, found: "a folder", expected: "a file name")
    }
    var status = stat()
    if FileSystem.getLinkStatus(path, &status) == 0 {
      target = try Self.target(of: path, isLink: status.st_mode & S_IFMT == S_IFLNK)
      try Self.requireReplaceable(path, target: target, &status)
      self.status = status
    } else {
      let reason = errno
      let folder = FilePath.folder(of: path)
      var folderStatus = stat()
      guard FileSystem.getStatus(folder.isEmpty ? "." : folder, &folderStatus) == 0,
        folderStatus.st_mode & S_IFMT == S_IFDIR
      else { throw Self.refusal(path, found: "no folder \(folder)") }
      guard reason == ENOENT else { throw Self.refusal(path, found: String(cString: strerror(reason))) }
      target = path
      self.status = nil
    }
    let folder = FilePath.folder(of: target)
    guard FileSystem.allows(W_OK | X_OK, at: folder.isEmpty ? "." : folder) else {
      throw Self.refusal(path, found: String(cString: strerror(errno)))
    }
  }

  /// Checks that a file can be created there and that the disk has `byteCount` bytes of free space.
  /// - Throws: ``InputError`` when no file can be created, or there is less free space.
  package func requireFreeSpace(for byteCount: Int) throws(InputError) {
    // Permissions do not tell about read-only disks, quotas and folders of the system.
    let probe = PendingFile.temporaryPath(beside: target)
    let descriptor = FileSystem.open(probe, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    guard descriptor >= 0 else { throw Self.refusal(path, found: String(cString: strerror(errno))) }
    close(descriptor)
    FileSystem.remove(probe)
    var disk = statvfs()
    let folder = FilePath.folder(of: target)
    guard FileSystem.getDisk(folder.isEmpty ? "." : folder, &disk) == 0, disk.f_blocks > 0 else { return }
    let (room, isLarge) = UInt(disk.f_bavail).multipliedReportingOverflow(by: UInt(disk.f_frsize))
    guard isLarge || room >= UInt(max(1, byteCount)) else {
      throw Self.refusal(path, found: "\(room) bytes free on the disk", expected: "\(max(1, byteCount))")
    }
  }

  private static func target(of path: String, isLink: Bool) throws(InputError) -> String {
    guard isLink else { return path }
    guard let resolved = FileSystem.resolved(path) else {
      throw refusal(
        path, found: errno == ELOOP ? "links that lead in a circle" : "a link that leads to no file",
        expected: "a file name")
    }
    return resolved
  }

  private static func requireReplaceable(
    _ path: String, target: String, _ status: inout stat
  ) throws(InputError) {
    guard FileSystem.getStatus(target, &status) == 0 else {
      throw refusal(path, found: String(cString: strerror(errno)))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw refusal(path, found: "a folder", expected: "a file name")
    // A device or pipe would be replaced by an ordinary file under its name.
    default: throw refusal(path, found: "no ordinary file", expected: "a file name")
    }
    // To replace a file, write permission of the folder suffices; but a user who made a file read-only wants it to
    // stay.
    guard status.st_mode & 0o222 != 0, FileSystem.allows(W_OK, at: target) else {
      throw refusal(path, found: "a read-only file", expected: "another name")
    }
  }

  private static func refusal(_ path: String, found: String, expected: String? = nil) -> InputError {
    InputError(path, "cannot be written", found: found, expected: expected)
  }
}
