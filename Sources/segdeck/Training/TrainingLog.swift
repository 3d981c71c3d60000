import Foundation
import Segmentation
import Work

/// Where the records of a run go: a file of JSON lines, or stdout where it is no terminal and no file was named.
struct TrainingLog {
  /// nil for stdout.
  let path: String?

  /// The records of the file that a run keeps whose last step was `iteration`, 0 for a new one.
  ///
  /// Later ones, which a run left that was ended between checkpoints, come again.
  /// - Throws: ``InputError`` when the file is no log, or a new run would go on with another one's.
  func records(upToIteration iteration: Int, mayReplace: Bool) throws(InputError) -> [TrainingRecord] {
    guard let path, FileManager.default.fileExists(atPath: path) else { return [] }
    if iteration == 0, mayReplace { return [] }
    let records = try ReadFiles.asOwn { () throws(InputError) in try TrainingRecord.read(log: path) }
    guard iteration > 0 || records.isEmpty else {
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

  /// Appends one line.
  func append(_ record: TrainingRecord) throws(InputError) {
    let line = Data((record.jsonLine + "\n").utf8)
    guard let path else {
      if isatty(1) == 0 { FileHandle.standardOutput.write(line) }
      return
    }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
    guard count == line.count else {
      throw InputError(path, "cannot be written", found: String(cString: strerror(errno)))
    }
  }
}
