import Foundation
import Synchronization

/// Files, and folders of such files, that must not stay when the program ends before they are finished.
///
/// Their names lie in memory that a signal handler may read, so that one which ends the program at once can remove them.
package enum UnfinishedFiles {
  private static let count = 32
  private static let length = Int(PATH_MAX) + 1
  /// `count` C strings of at most `length` bytes each; one that is empty is free.
  nonisolated(unsafe) private static let names: UnsafeMutablePointer<CChar> = {
    let names = UnsafeMutablePointer<CChar>.allocate(capacity: count * length)
    names.initialize(repeating: 0, count: count * length)
    return names
  }()
  private static let lock = Mutex<Void>(())

  /// Notes a path until ``unregister(_:)``; where there is no room, a signal leaves the file.
  /// - Returns: What to forget it by.
  package static func register(_ path: String) -> Int? {
    let bytes = FilePath.bytes(of: path)
    guard let first = bytes.first, bytes.count < length else { return nil }
    return lock.withLock { _ in
      guard let slot = (0..<count).first(where: { names[$0 * length] == 0 }) else { return nil }
      let name = names + slot * length
      for (index, byte) in bytes.enumerated().dropFirst() { name[index] = CChar(bitPattern: byte) }
      name[bytes.count] = 0
      // The first byte makes the name valid for a handler that comes in between.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      name[0] = CChar(bitPattern: first)
      return slot
    }
  }

  /// Forgets a file that is in its place or gone.
  package static func unregister(_ slot: Int?) {
    guard let slot else { return }
    names[slot * length] = 0
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  /// Removes every file and folder that is noted; may be called in a signal handler once ``prepare()`` was.
  package static func remove() {
    for slot in 0..<count where names[slot * length] != 0 { unlink(names + slot * length) }
    // Folders when they are empty; of a file nothing is left.
    for slot in 0..<count where names[slot * length] != 0 { rmdir(names + slot * length) }
  }

  /// Makes the memory, which a handler could not.
  package static func prepare() { unregister(0) }
}

// A program that is killed leaves its unfinished files behind. Each is locked while it is written and waits for its place;
// the lock dies with the process, and whoever next writes in the folder removes what nobody holds. Some file systems keep
// locks within one machine, so the name says which machine made the file, and others leave it alone.
extension UnfinishedFiles {
  /// How the names of this machine's unfinished files begin.
  static let namePrefix: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let machine = FilePath.text(name).prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    return ".segdeck.\(String(machine))-"
  }()
  /// How they end.
  static let nameSuffix = "part"

  /// Folders by their paths: numbers of files are given again to others.
  private static let searched = Mutex<Set<String>>([])

  /// Says that the process writes this file for as long as it keeps it open.
  /// - Returns: Whether it may go on: false where another process took the file for abandoned before that.
  static func claim(_ descriptor: Int32) -> Bool {
    // File systems without locks have no abandoned files either, as far as anybody knows.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return false }
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }

  /// Removes what processes that are gone left in a folder; each folder is searched once.
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
