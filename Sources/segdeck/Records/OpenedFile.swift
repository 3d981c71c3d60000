import Foundation
import ImageFormats
import Synchronization
import Work

/// The file system's attributes that change with the content of a file.
struct FileStatus: Hashable {
  var device, inode: UInt
  var byteCount, seconds, nanoseconds: Int

  init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    byteCount = Int(status.st_size)
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }

  /// nil where there is no such file.
  init?(path: String) {
    var status = stat()
    guard FileSystem.getStatus(path, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// A file with the checksum of the content that it had when it was opened.
///
/// The file stays open, so its content stays readable when it is replaced or deleted. A change in place is detected by
/// size and modification time.
final class OpenedFile: Sendable {
  /// The path as it was given.
  let path: String
  private let descriptor: Int32
  private let status: FileStatus
  private let checksum = Mutex<String?>(nil)
  private let isComputed = DispatchSemaphore(value: 0)

  /// Opens a file and computes its checksum on a thread of low priority.
  /// - Throws: ``InputError`` when the file cannot be opened.
  init(_ path: String) throws(InputError) {
    try ReadFiles.register(path)
    descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be opened", found: String(cString: strerror(errno)))
    }
    self.path = path
    status = FileStatus(try FileSystem.statusOfOrdinaryFile(descriptor, path: path))
    Thread.detachNewThread { [self] in
      ThreadPriority.lower()
      let found = try? Checksum.sha256(ofDescriptor: descriptor, path: path, work: WorkContext())
      // A file that was overwritten meanwhile has no known checksum.
      if isUntouched { checksum.withLock { $0 = found } }
      isComputed.signal()
    }
  }

  /// Opens a file as ``init(_:)``; nil when there is none.
  convenience init?(ifPresent path: String) throws(InputError) {
    var status = stat()
    guard FileSystem.getStatus(path, &status) == 0 else { return nil }
    try self.init(path)
  }

  deinit { close(descriptor) }

  private var isUntouched: Bool {
    var now = stat()
    return fstat(descriptor, &now) == 0 && FileStatus(now) == status
  }

  /// The change of the file since it was opened; nil for none.
  var change: MaskRecord.Change? {
    guard let now = FileStatus(path: path) else { return .vanished }
    return now == status ? nil : .changed
  }

  /// The file's entry in a record; waits for the checksum.
  /// - Throws: ``Cancelled``.
  func recorded(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File {
    while isComputed.wait(timeout: .now() + .milliseconds(20)) == .timedOut { try work.checkCancellation() }
    isComputed.signal()
    return MaskRecord.File(
      path: path, absolutePath: FilePath.absolute(path), sha256: checksum.withLock(\.self), change: change)
  }
}
