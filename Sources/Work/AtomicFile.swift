import Foundation
import Synchronization

/// Writes a file so that its place holds the old content or the new one, never a part of it.
///
/// The content goes to a temporary file in the same folder, is synced, and is then renamed; on any failure the
/// temporary file is removed and what stood there before is untouched. Symbolic links are followed: what they point to
/// is replaced. A replaced file leaves its mode and, where possible, its owner and group to the new one; other hard links
/// to it keep the old content.
package struct AtomicFile: ~Copyable {
  private let place: FilePlace
  private let temporaryPath: String
  private let descriptor: Int32
  private let note: Int?
  private var isComplete = false

  /// Opens a temporary file beside `path`.
  /// - Throws: ``InputError`` as ``FilePlace/init(_:)``, and when the file there is one that the process reads.
  package init(path: String) throws(InputError) {
    let place = try FilePlace(path)
    try ReadFiles.requireUnread(place)
    UnfinishedFiles.removeAbandoned(in: FilePath.folder(of: place.target))
    // What replaces a file that others may not read is never readable for them, not even while it grows.
    let mode: mode_t = place.isTaken ? 0o600 : 0o666
    while true {
      let temporaryPath = PendingFile.temporaryPath(beside: place.target)
      let note = UnfinishedFiles.note(temporaryPath)
      let descriptor = FileSystem.open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
      guard descriptor >= 0 else {
        UnfinishedFiles.forget(note)
        throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
      }
      if UnfinishedFiles.claim(descriptor) {
        self.place = place
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
        self.note = note
        return
      }
      close(descriptor)
      UnfinishedFiles.forget(note)
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
        throw InputError(place.path, "cannot be written", found: String(cString: strerror(errno)))
      }
      written += count
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

  /// Syncs the content, which then waits beside its place.
  package consuming func complete() throws(InputError) -> PendingFile {
    if let status = place.status {
      // Who may not give a file away keeps it as their own.
      _ = fchown(descriptor, status.st_uid, status.st_gid)
      fchmod(descriptor, status.st_mode & 0o777)
    }
    guard fsync(descriptor) == 0 else {
      throw InputError(place.path, "cannot be written", found: String(cString: strerror(errno)))
    }
    isComplete = true
    return PendingFile(place, contentPath: temporaryPath, descriptor: descriptor, note: note)
  }

  /// Syncs the content and puts it in its place.
  package consuming func commit() throws(InputError) { try PendingFile.commit([complete()]) }

  deinit {
    if !isComplete {
      FileSystem.remove(temporaryPath)
      UnfinishedFiles.forget(note)
      close(descriptor)
    }
  }

  /// Writes `data` as the whole content of `path`.
  package static func write(_ data: Data, to path: String) throws(InputError) {
    try PendingFile.commit([pending(data, for: path)])
  }

  /// `data` as the whole content of `path`, still beside its place.
  package static func pending(_ data: Data, for path: String) throws(InputError) -> PendingFile {
    var file = try AtomicFile(path: path)
    try file.write(data)
    return try file.complete()
  }
}

/// A file whose content is complete on the disk, under a temporary name, until it takes its place; it is removed when it
/// never does.
package final class PendingFile: Sendable {
  /// Where the content lies until ``commit(_:)``.
  package let contentPath: String
  private let place: FilePlace
  /// Kept open because ``UnfinishedFiles/claim(_:)`` lasts as long.
  private let descriptor: Int32
  private let note: Int?
  private let isCommitted = Mutex(false)

  fileprivate init(_ place: FilePlace, contentPath: String, descriptor: Int32, note: Int?) {
    self.place = place
    self.descriptor = descriptor
    self.note = note
    self.contentPath = contentPath
  }

  deinit {
    if !isCommitted.withLock(\.self) { FileSystem.remove(contentPath) }
    UnfinishedFiles.forget(note)
    close(descriptor)
  }

  /// Puts all of `files` in their places, or none: after a failure, what stood there before stands there again.
  /// - Throws: ``InputError`` when a place cannot be taken, or a file appeared where none was.
  package static func commit(_ files: [PendingFile]) throws(InputError) {
    var taken: [(file: PendingFile, earlier: String?)] = []
    var failure: InputError?
    for file in files {
      do throws(InputError) { taken.append((file, try file.takePlace(keepsEarlier: files.count > 1))) } catch
      {
        failure = error
        break
      }
    }
    for (file, earlier) in taken {
      if failure == nil {
        file.isCommitted.withLock { $0 = true }
        // A file in its place is nobody's any more.
        flock(file.descriptor, LOCK_UN)
      } else if let earlier {
        FileSystem.rename(earlier, file.place.target)
      } else {
        FileSystem.remove(file.place.target)
      }
      if let earlier { FileSystem.remove(earlier) }
    }
    if let failure { throw failure }
  }

  /// Renames the content to its place; gives the temporary name of what stood there before, where it is kept.
  private func takePlace(keepsEarlier: Bool) throws(InputError) -> String? {
    var status = stat()
    let isTaken = FileSystem.getLinkStatus(place.target, &status) == 0
    guard !isTaken || place.isTaken else {
      throw InputError(place.path, "cannot be written", found: "a file that appeared there meanwhile")
    }
    var earlier: String?
    if isTaken, keepsEarlier {
      let name = Self.temporaryPath(beside: place.target, ending: "earlier")
      // Without a link, such as on a FAT disk, there is a moment in which nothing stands there.
      guard FileSystem.link(place.target, name) == 0 || FileSystem.rename(place.target, name) == 0 else {
        throw refusal()
      }
      earlier = name
    }
    guard FileSystem.rename(contentPath, place.target) == 0 else {
      let refusal = refusal()
      if let earlier {
        FileSystem.rename(earlier, place.target)
        FileSystem.remove(earlier)
      }
      throw refusal
    }
    return earlier
  }

  private func refusal() -> InputError {
    InputError(place.path, "cannot be written", found: String(cString: strerror(errno)))
  }

  /// A name that no other file has, and that is short whatever the file is called.
  static func temporaryPath(beside path: String, ending: String = UnfinishedFiles.ending) -> String {
    let unique = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    return FilePath.joined(FilePath.folder(of: path), "\(UnfinishedFiles.beginning)\(unique).\(ending)")
  }
}
