import Foundation
import Synchronization
import Work

/// The files of a series with one checksum of their concatenated contents, as they were when the series was opened.
///
/// Unlike those of ``OpenedFile``, its files do not stay open: a series may have more of them than a process may open. A
/// change is detected by sizes and modification times.
final class OpenedFiles: Sendable {
  /// The path as it was given: the folder, or one of the files.
  let path: String
  private let files: [String]
  private let statuses: [FileStatus?]
  private let checksum = Mutex<String?>(nil)
  private let isComputed = DispatchSemaphore(value: 0)

  /// Computes the checksum on one thread of low priority.
  /// - Parameter files: Every file, in the order in which the checksum takes them.
  init(_ path: String, files: [String]) {
    (self.path, self.files) = (path, files)
    statuses = files.map { FileStatus(path: $0) }
    Thread.detachNewThread { [self] in
      ThreadPriority.lower()
      let found = try? Checksum.sha256(ofFiles: files, work: WorkContext())
      if change == nil { checksum.withLock { $0 = found } }
      isComputed.signal()
    }
  }

  /// The change of the files since they were opened; nil for none.
  var change: MaskRecord.Change? {
    let now = files.map { FileStatus(path: $0) }
    if now == statuses { return nil }
    return now.contains { $0 == nil } ? .vanished : .changed
  }

  /// The series' entry in a record; waits for the checksum.
  /// - Throws: ``Cancelled``.
  func recorded(_ work: WorkContext) throws(Cancelled) -> MaskRecord.File {
    while isComputed.wait(timeout: .now() + .milliseconds(20)) == .timedOut { try work.checkCancellation() }
    isComputed.signal()
    return MaskRecord.File(
      path: path, absolutePath: FilePath.absolute(path), sha256: checksum.withLock(\.self), change: change,
      fileCount: files.count)
  }
}
