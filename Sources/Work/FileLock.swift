import Foundation

/// An exclusive lock of a file or folder that one process at a time may write to.
///
/// While it is held, an empty file `.NAME.lock` lies beside the file; links are followed first. An existing file is
/// locked itself too, so that its other hard links are locked. The operating system releases the lock when the process
/// ends.
package final class FileLock: Sendable {
  private let lockPath: String
  private let descriptor: Int32
  /// The descriptor of the file itself; -1 where it does not exist yet.
  private let fileDescriptor: Int32
  private let registration: Int?

  /// Acquires the lock of `path`.
  ///
  /// Nothing is locked where that is impossible: in a folder without permission, on a file system without locks.
  /// - Parameter owner: The kind of process that the error names: "training".
  /// - Throws: ``InputError`` when another program holds it.
  package init(_ path: String, owner: String) throws(InputError) {
    let target = FileSystem.resolved(path) ?? path
    lockPath = FilePath.joined(FilePath.folder(of: target), ".\(FilePath.name(of: target)).lock")
    let isInUse = InputError(path, "is in use by another \(owner) that runs")
    let fileDescriptor = FileSystem.open(target, O_RDONLY | O_NONBLOCK)
    if fileDescriptor >= 0, flock(fileDescriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(fileDescriptor)
      throw isInUse
    }
    self.fileDescriptor = fileDescriptor
    while true {
      let descriptor = FileSystem.open(lockPath, O_RDWR | O_CREAT)
      guard descriptor >= 0 else { break }
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        let isHeld = errno == EWOULDBLOCK
        close(descriptor)
        if isHeld {
          if fileDescriptor >= 0 { close(fileDescriptor) }
          throw isInUse
        }
        break
      }
      // The previous holder may have removed the file between the two calls.
      var own = stat()
      fstat(descriptor, &own)
      if let there = FileSystem.status(lockPath), there.st_ino == own.st_ino, there.st_dev == own.st_dev {
        self.descriptor = descriptor
        registration = UnfinishedFiles.register(lockPath)
        return
      }
      close(descriptor)
    }
    descriptor = -1
    registration = nil
  }

  deinit {
    if fileDescriptor >= 0 { close(fileDescriptor) }
    guard descriptor >= 0 else { return }
    FileSystem.remove(lockPath)
    UnfinishedFiles.unregister(registration)
    close(descriptor)
  }
}
