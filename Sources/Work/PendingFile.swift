import Foundation
import Synchronization

/// A file whose content is complete on the disk, under a temporary name, until it takes its destination; it is removed when it
/// never does.
package final class PendingFile: Sendable {
  /// Where the content lies until ``commit(_:)``.
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

  /// Puts all of `files` in their places, or none: after a failure, what stood there before stands there again.
  /// - Throws: ``InputError`` when a destination cannot be taken, or a file appeared where none was.
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
        // A file in its destination is nobody's any more.
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

  /// Renames the content to its destination; gives the temporary name of what stood there before, where it is kept.
  private func moveToDestination(keepsEarlier: Bool) throws(InputError) -> String? {
    var status = stat()
    let exists = FileSystem.getLinkStatus(destination.target, &status) == 0
    guard !exists || destination.exists else {
      throw InputError(destination.path, "cannot be written", found: "a file that appeared there meanwhile")
    }
    var earlier: String?
    if exists, keepsEarlier {
      let name = Self.temporaryPath(beside: destination.target, ending: "earlier")
      // Without a link, such as on a FAT disk, there is a moment in which nothing stands there.
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

  /// A name that no other file has, and that is short whatever the file is called.
  static func temporaryPath(beside path: String, ending: String = UnfinishedFiles.nameSuffix) -> String {
    let unique = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    return FilePath.joined(FilePath.folder(of: path), "\(UnfinishedFiles.namePrefix)\(unique).\(ending)")
  }
}
