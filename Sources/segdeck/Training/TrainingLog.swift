import Foundation
import Segmentation
import Work

/// The log of a run: a file of JSON lines, or stdout where no file is given and stdout is not a terminal.
///
/// A record that cannot be written is written with the next one, so a full disk does not end a training.
final class TrainingLog {
  /// The path of the log; nil for stdout.
  let path: String?
  /// Lines that are not written yet.
  private var pending = Data()
  private let writer: BestEffortWriter

  /// - Parameter path: The path of the log; nil for stdout.
  init(path: String?) {
    self.path = path
    writer = BestEffortWriter("log")
  }

  /// The records of the file up to `iteration`, the last iteration of a resumed run, or 0 for a new run.
  ///
  /// Later records come from a run that ended between checkpoints; they will be written again.
  /// - Parameters:
  ///   - mayReplace: Whether a new run replaces the log of another one.
  ///   - remainder: The iteration up to which a log is replaced, because its run stopped before its first checkpoint.
  /// - Throws: ``InputError`` when the file is not a log, or is the log of another run.
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

  /// Writes `records` as the content of the file.
  /// - Throws: ``InputError`` when the file cannot be written.
  func begin(with records: [TrainingRecord]) throws(InputError) {
    guard let path else { return }
    try AtomicFile.write(Data(records.map { $0.jsonLine + "\n" }.joined().utf8), to: path)
  }

  /// Appends a record, and those before it that could not be written.
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

  /// Appends all of `lines` or none.
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
            // The rest of a partial line would be merged with the next line.
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
