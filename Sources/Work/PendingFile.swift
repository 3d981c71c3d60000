import Foundation
import Synchronization

/// A file whose content is complete on the disk under a temporary name.
///
/// It is removed with this object unless it was committed.
package final class PendingFile: Sendable {
  /// The path that it gets, as it was given.
  package var path: String { destination.path }
  /// The path of the content until ``commit(_:)``.
  package let contentPath: String
  private let destination: FileDestination
  /// Kept open because ``UnfinishedFiles/claim(_:)`` lasts as long.
  private let descriptor: Int32
  private let registration: Int?
  private let isCommitted = Mutex(false)

  init(_ destination: FileDestination, contentPath: String, descriptor: Int32, registration: Int?) {
    self.destination = destination
    self.descriptor = descriptor
    self.registration = registration
    self.contentPath = contentPath
  }

  deinit {
    if !isCommitted.withLock(\.self) { FileSystem.remove(contentPath) }
    UnfinishedFiles.unregister(registration)
    close(descriptor)
  }

  /// Renames all of `files` to their destinations, or none: after a failure the old files are restored.
  /// - Throws: ``InputError`` when a file cannot be renamed, or another file appeared at a destination that was free.
  package static func commit(_ files: [PendingFile]) throws(InputError) {
    var taken: [(file: PendingFile, earlier: String?)] = []
    var failure: InputError?
    for file in files {
      do throws(InputError) {
        taken.append((file, try file.moveToDestination(keepsEarlier: files.count > 1)))
      } catch {
        failure = error
        break
      }
    }
    for (file, earlier) in taken {
      if failure == nil {
        file.isCommitted.withLock { $0 = true }
        // No process holds the lock of a committed file.
        flock(file.descriptor, LOCK_UN)
      } else if let earlier {
        FileSystem.rename(earlier, file.destination.target)
      } else {
        FileSystem.remove(file.destination.target)
      }
      if let earlier { FileSystem.remove(earlier) }
    }
    if let failure { throw failure }
  }

  /// Renames the content to its destination.
  /// - Returns: The temporary name of the old file where `keepsEarlier` asks for it; nil where there was none.
  private func moveToDestination(keepsEarlier: Bool) throws(InputError) -> String? {
    var status = stat()
    let exists = FileSystem.getLinkStatus(destination.target, &status) == 0
    guard !exists || destination.exists else {
      throw InputError(destination.path, "cannot be written", found: "a file that appeared there meanwhile")
    }
    var earlier: String?
    if exists, keepsEarlier {
      let name = Self.temporaryPath(beside: destination.target, ending: "earlier")
      // A file system without hard links, such as FAT, leaves the destination empty between the two calls.
      guard FileSystem.link(destination.target, name) == 0 || FileSystem.rename(destination.target, name) == 0
      else {
        throw refusal()
      }
      earlier = name
    }
    guard FileSystem.rename(contentPath, destination.target) == 0 else {
      let refusal = refusal()
      if let earlier {
        FileSystem.rename(earlier, destination.target)
        FileSystem.remove(earlier)
      }
      throw refusal
    }
    return earlier
  }

  private func refusal() -> InputError {
    InputError(destination.path, "cannot be written", found: String(cString: strerror(errno)))
  }

  /// A name in the same folder that no other file has; short, independent of the length of the file's name.
  static func temporaryPath(beside path: String, ending: String = UnfinishedFiles.nameSuffix) -> String {
    let unique = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    return FilePath.joined(FilePath.folder(of: path), "\(UnfinishedFiles.namePrefix)\(unique).\(ending)")
  }
}
