import Foundation
import Segmentation
import Work

/// Where the records of a run go: a file of JSON lines, or stdout where it is no terminal and no file was named.
///
/// A record that cannot be written waits for the next one: a full disk does not end a training.
final class TrainingLog {
  /// nil for stdout.
  let path: String?
  /// Lines that still have to be written.
  private var pending = Data()
  private let writer: BestEffortWriter

  /// A log at `path`; nil for stdout.
  init(path: String?) {
    self.path = path
    writer = BestEffortWriter("log")
  }

  /// The records of the file that a run keeps whose last step was `iteration`, 0 for a new one.
  ///
  /// Later ones, which a run left that was ended between checkpoints, come again.
  /// - Parameters:
  ///   - mayReplace: Whether a new run replaces the log of another one.
  ///   - remainder: Up to which step a log counts as what a run left that was stopped before its first checkpoint, and
  ///     is replaced.
  /// - Throws: ``InputError`` when the file is no log, or a new run would go on with another one's.
  func records(
    upToIteration iteration: Int, mayReplace: Bool, remainder: Int
  ) throws(InputError) -> [TrainingRecord] {
    guard let path, FileSystem.exists(path) else { return [] }
    if iteration == 0, mayReplace { return [] }
    let records = try ReadFiles.withoutRegistering { () throws(InputError) in
      try TrainingRecord.read(log: path)
    }
    guard iteration > 0 || records.last?.iteration ?? 0 <= remainder else {
      throw InputError(
        path, "holds the log of another run", found: "\(records.count) records",
        expected: "--force to replace it, or another file")
    }
    return records.filter { $0.iteration <= iteration }
  }

  /// Makes `records` the file's content.
  func begin(with records: [TrainingRecord]) throws(InputError) {
    guard let path else { return }
    try AtomicFile.write(Data(records.map { $0.jsonLine + "\n" }.joined().utf8), to: path)
  }

  /// Appends one line, and those before it that could not be written.
  func append(_ record: TrainingRecord) {
    guard let path else {
      if isatty(STDOUT_FILENO) == 0 {
        writer.attempt { () throws(InputError) in try Console.print(record.jsonLine) }
      }
      return
    }
    pending += Data((record.jsonLine + "\n").utf8)
    writer.attempt { () throws(InputError) in
      try Self.append(pending, to: path)
      pending = Data()
    }
  }

  /// Appends all of `lines`, or nothing.
  private static func append(_ lines: Data, to path: String) throws(InputError) {
    let descriptor = FileSystem.open(path, O_WRONLY | O_CREAT | O_APPEND)
    var failure = descriptor < 0 ? errno : 0
    if descriptor >= 0 {
      var status = stat()
      fstat(descriptor, &status)
      lines.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
          if count < 0, errno == EINTR { continue }
          if count < 0 {
            failure = errno
            // Half a line would join the next one.
            _ = ftruncate(descriptor, status.st_size)
            return
          }
          written += count
        }
      }
      close(descriptor)
    }
    if failure != 0 { throw InputError(path, "cannot be written", found: String(cString: strerror(failure))) }
  }
}
