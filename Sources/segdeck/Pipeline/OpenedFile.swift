import Foundation
import ImageFormats
import Synchronization
import Work

/// A file as it was when it was opened: whatever happens to its path afterwards, its checksum is that of what was read.
///
/// The file stays open, so that replacing or deleting it leaves its content within reach; content that is written over
/// in place shows in size and time.
final class OpenedFile: Sendable {
  /// The path as it was given.
  let path: String
  private let descriptor: Int32
  private let status: Status
  private let checksum = Mutex<String?>(nil)
  private let isComputed = DispatchSemaphore(value: 0)

  /// What tells a file's content from an earlier one, as far as the file system says.
  private struct Status: Hashable {
    var device, inode: UInt
    var byteCount, seconds, nanoseconds: Int

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      byteCount = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }

    init?(path: String) {
      var status = stat()
      guard FileSystem.getStatus(path, &status) == 0 else { return nil }
      self.init(status)
    }
  }

  /// Opens a file and begins to compute its checksum behind everything else that the program does.
  /// - Throws: ``InputError`` when the file cannot be opened.
  init(_ path: String) throws(InputError) {
    try ReadFiles.register(path)
    descriptor = FileSystem.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be opened", found: String(cString: strerror(errno)))
    }
    self.path = path
    status = Status(try FileSystem.statusOfOrdinaryFile(descriptor, path: path))
    Thread.detachNewThread { [self] in
      ThreadPriority.lower()
      let found = try? Checksum.sha256(ofDescriptor: descriptor, path: path, work: WorkContext())
      // Written over meanwhile: nobody knows any more what was read.
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
    return fstat(descriptor, &now) == 0 && Status(now) == status
  }

  /// What became of the file since it was opened; nil when it is as it was.
  var change: MaskRecord.Change? {
    guard let now = Status(path: path) else { return .vanished }
    return now == status ? nil : .changed
  }

  /// The file as a record states it; waits for the checksum.
  /// - Throws: ``Cancelled``.
  func recorded(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File {
    while isComputed.wait(timeout: .now() + .milliseconds(20)) == .timedOut { try work.checkCancellation() }
    isComputed.signal()
    return MaskRecord.File(
      path: path, absolutePath: FilePath.absolute(path), sha256: checksum.withLock(\.self), change: change)
  }
}
