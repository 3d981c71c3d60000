import Foundation
import Synchronization

/// Temporary files and folders that must be removed when the program ends before they are finished.
///
/// Their paths are in memory that a signal handler may read, so that a handler that ends the program can remove them.
package enum UnfinishedFiles {
  private static let slotCount = 32
  private static let length = Int(PATH_MAX) + 1
  /// `slotCount` slots with a C string of at most `length` bytes each; an empty string marks a free slot.
  nonisolated(unsafe) private static let names: UnsafeMutablePointer<CChar> = {
    let names = UnsafeMutablePointer<CChar>.allocate(capacity: slotCount * length)
    names.initialize(repeating: 0, count: slotCount * length)
    return names
  }()
  private static let lock = Mutex<Void>(())

  /// Registers a path until ``unregister(_:)``.
  /// - Returns: The slot, for ``unregister(_:)``; nil where all are taken, so that a signal leaves the file.
  package static func register(_ path: String) -> Int? {
    let bytes = FilePath.bytes(of: path)
    guard let first = bytes.first, bytes.count < length else { return nil }
    return lock.withLock { _ in
      guard let slot = (0..<slotCount).first(where: { names[$0 * length] == 0 }) else { return nil }
      let name = names + slot * length
      for (index, byte) in bytes.enumerated().dropFirst() { name[index] = CChar(bitPattern: byte) }
      name[bytes.count] = 0
      // The first byte is written last, because it makes the name valid for a signal handler.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      name[0] = CChar(bitPattern: first)
      return slot
    }
  }

  /// Frees the slot of a file that was renamed or removed.
  package static func unregister(_ slot: Int?) {
    guard let slot else { return }
    names[slot * length] = 0
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  /// Removes all registered files and folders.
  ///
  /// Async-signal-safe once ``prepare()`` was called.
  package static func remove() {
    for slot in 0..<slotCount where names[slot * length] != 0 { unlink(names + slot * length) }
    // Folders last, when they are empty.
    for slot in 0..<slotCount where names[slot * length] != 0 { rmdir(names + slot * length) }
  }

  /// Allocates the memory, because a signal handler must not.
  package static func prepare() { unregister(0) }
}

// A killed process leaves its temporary files. Each is locked until it is renamed, and the lock ends with the
// process. The next process that writes in the folder removes temporary files that no process has locked. On some file
// systems locks work within one machine only, so the name contains the machine, and other machines leave the file
// alone.
extension UnfinishedFiles {
  /// The prefix of this machine's temporary files.
  static let namePrefix: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let machine = FilePath.text(name).prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    return ".segdeck.\(String(machine))-"
  }()
  /// The suffix of this machine's temporary files.
  static let nameSuffix = "part"

  /// Paths of folders that were searched; not inodes, because file systems reuse them.
  private static let searched = Mutex<Set<String>>([])

  /// Locks a temporary file for as long as the process keeps it open.
  /// - Returns: False where another process has removed the file as abandoned before it was locked.
  static func claim(_ descriptor: Int32) -> Bool {
    // Where the file system has no locks, no file is ever taken for abandoned.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return false }
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }

  /// Removes the temporary files of ended processes in a folder; each folder is searched once.
  static func removeAbandoned(in folder: String) {
    let path = FilePath.absolute(folder.isEmpty ? "." : folder)
    guard searched.withLock({ $0.insert(path).inserted }), let names = try? FileSystem.names(in: folder)
    else { return }
    for name in names where name.hasPrefix(namePrefix) && name.hasSuffix("." + nameSuffix) {
      let path = FilePath.joined(folder, name)
      let descriptor = FileSystem.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { FileSystem.remove(path) }
    }
  }
}
