import Foundation

/// A file or folder that one program at a time may write to.
///
/// An empty file `.NAME.lock` lies beside it while it is held, NAME being that of the file itself where a link was given;
/// a file that is there already is locked as well, so that its other hard links are. The lock dies with the process, however that ends.
package final class FileLock: Sendable {
  private let lockPath: String
  private let descriptor: Int32
  /// The file itself, which was there already; -1 for none.
  private let fileDescriptor: Int32
  private let registration: Int?

  /// Takes the lock of `path`.
  ///
  /// Where no lock can be kept (a folder without permission, a file system without locks) nothing is locked.
  /// - Parameter owner: Who holds it otherwise: "training".
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
      // The one who held it may have removed the file between the two calls.
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
