import Foundation
import Synchronization

/// Writes a file atomically: its path holds the old content or the new one, never a part of it.
///
/// The content goes to a temporary file in the same folder. The temporary file is synced and then renamed. On any
/// failure it is removed, and the old file is untouched. Symbolic links are followed: the file that they point to is
/// replaced. The new file gets the mode of the old one and, where possible, its owner and group. Other hard links to
/// the old file keep the old content.
package struct AtomicFile: ~Copyable {
  private let destination: FileDestination
  private let temporaryPath: String
  private let descriptor: Int32
  private let registration: Int?
  private var isComplete = false

  /// Opens a temporary file beside `path`.
  /// - Throws: ``InputError`` as ``FileDestination/init(_:)``, and when the file there is one that the process reads.
  package init(path: String) throws(InputError) {
    let destination = try FileDestination(path)
    try ReadFiles.requireUnread(destination)
    UnfinishedFiles.removeAbandoned(in: FilePath.folder(of: destination.target))
    // Others who may not read the old file must not read the new one either, not even while it is written.
    let mode: mode_t = destination.exists ? 0o600 : 0o666
    while true {
      let temporaryPath = PendingFile.temporaryPath(beside: destination.target)
      let registration = UnfinishedFiles.register(temporaryPath)
      let descriptor = FileSystem.open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
      guard descriptor >= 0 else {
        UnfinishedFiles.unregister(registration)
        throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
      }
      if UnfinishedFiles.claim(descriptor) {
        self.destination = destination
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
        self.registration = registration
        return
      }
      close(descriptor)
      UnfinishedFiles.unregister(registration)
    }
  }

  /// Appends `bytes`.
  /// - Throws: ``InputError`` when the disk is full or fails.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(InputError) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        throw InputError(destination.path, "cannot be written", found: String(cString: strerror(errno)))
      }
      written += count
    }
  }

  /// Replaces bytes that were written before.
  /// - Throws: ``InputError`` when the disk fails.
  package func overwrite(_ bytes: [UInt8], at offset: Int) throws(InputError) {
    guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
      throw InputError(destination.path, "cannot be written", found: String(cString: strerror(errno)))
    }
  }

  /// Appends `data`.
  package mutating func write(_ data: Data) throws(InputError) {
    var failure: InputError?
    data.withUnsafeBytes { bytes in
      do throws(InputError) { try write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Syncs the content; it stays in the temporary file until ``PendingFile/commit(_:)``.
  /// - Throws: ``InputError`` when the disk fails.
  package consuming func complete() throws(InputError) -> PendingFile {
    if let status = destination.status {
      // A user who may not give a file away keeps it.
      _ = fchown(descriptor, status.st_uid, status.st_gid)
      fchmod(descriptor, status.st_mode & 0o777)
    }
    guard fsync(descriptor) == 0 else {
      throw InputError(destination.path, "cannot be written", found: String(cString: strerror(errno)))
    }
    isComplete = true
    return PendingFile(
      destination, contentPath: temporaryPath, descriptor: descriptor, registration: registration)
  }

  /// Syncs the content and renames the temporary file to its destination.
  /// - Throws: As ``complete()`` and ``PendingFile/commit(_:)``.
  package consuming func commit() throws(InputError) { try PendingFile.commit([complete()]) }

  deinit {
    if !isComplete {
      FileSystem.remove(temporaryPath)
      UnfinishedFiles.unregister(registration)
      close(descriptor)
    }
  }

  /// Writes `data` as the whole content of `path`.
  package static func write(_ data: Data, to path: String) throws(InputError) {
    try PendingFile.commit([pending(data, for: path)])
  }

  /// `data` in a temporary file that is ready to become `path`.
  /// - Throws: ``InputError`` as ``init(path:)``, and when the disk is full or fails.
  package static func pending(_ data: Data, for path: String) throws(InputError) -> PendingFile {
    var file = try AtomicFile(path: path)
    try file.write(data)
    return try file.complete()
  }
}
