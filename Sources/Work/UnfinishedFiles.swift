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

  /// Notes a path until ``forget(_:)``; where there is no room, a signal leaves the file.
  /// - Returns: What to forget it by.
  package static func note(_ path: String) -> Int? {
    let bytes = FilePath.bytes(of: path)
    guard let first = bytes.first, bytes.count < length else { return nil }
    return lock.withLock { _ in
      guard let place = (0..<count).first(where: { names[$0 * length] == 0 }) else { return nil }
      let name = names + place * length
      for (index, byte) in bytes.enumerated().dropFirst() { name[index] = CChar(bitPattern: byte) }
      name[bytes.count] = 0
      // The first byte makes the name valid for a handler that comes in between.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      name[0] = CChar(bitPattern: first)
      return place
    }
  }

  /// The file is in its place, or gone.
  package static func forget(_ place: Int?) {
    guard let place else { return }
    names[place * length] = 0
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  /// Removes every file and folder that is noted; may be called in a signal handler once ``prepare()`` was.
  package static func remove() {
    for place in 0..<count where names[place * length] != 0 { unlink(names + place * length) }
    // Folders when they are empty; of a file nothing is left.
    for place in 0..<count where names[place * length] != 0 { rmdir(names + place * length) }
  }

  /// Makes the memory, which a handler could not.
  package static func prepare() { forget(0) }
}
