import Foundation
import Journal
import Synchronization
import Work

/// Writes the verdicts of one reader in one process to a file of its own.
///
/// The file is made with the first record: in the shared folder of the worklist or, where that cannot be written, in
/// the user's own folder.
package final class RecordWriter: Sendable {
  package let reader: String
  /// The machine's name.
  package let host: String

  private struct State {
    var file: LineFile?
    var recordCount = 0
    var highestSequence = 0
    var note: String?
  }

  /// The folders that are tried in turn, the worklist's own first.
  package let folders: [String]
  private let state = Mutex(State())

  /// A writer for a worklist, by its file or folder; nothing is written yet.
  package convenience init(
    worklist path: String, reader: String,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.init(
      folders: [
        RecordFolder.shared(worklist: path), RecordFolder.personal(worklist: path, environment: environment),
      ], reader: reader)
  }

  /// A writer for the first of these folders that can be written; nothing is written yet.
  package init(folders: [String], reader: String) {
    self.folders = folders
    self.reader = reader
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    host = FilePath.text(name)
  }

  /// The name of the file; nil before the first record.
  package var fileName: String? { state.withLock { $0.file.map { FilePath.name(of: $0.path) } } }

  /// The file that records are written to instead of the shared folder, with the reason, in one line; nil where they
  /// are not.
  package var note: String? { state.withLock(\.note) }

  /// Writes a record; it is on the disk when the function returns.
  ///
  /// - Parameters:
  ///   - kind: What happened to the case.
  ///   - series: The choice of one of several series in the image's file or folder; nil for none.
  ///   - decision: All that the reader decided about the case so far.
  ///   - sequence: The largest number that the caller knows (``ReviewRecords/highestSequence``).
  /// - Returns: The record, for ``ReviewRecords/add(_:file:line:)``, with its file and its number in it.
  /// - Throws: ``InputError`` when no folder can be written, or the disk is full or fails.
  @discardableResult
  package func append(
    _ kind: CaseRecord.Kind, caseName: String, image: String, series: String? = nil, decision: CaseDecision,
    after sequence: Int, at date: Date = Date()
  ) throws(InputError) -> (event: CaseRecord, file: String, line: Int) {
    let result: Result<(event: CaseRecord, file: String, line: Int), InputError> = state.withLock { state in
      let highest = max(state.highestSequence, min(sequence, CaseRecord.maximumSequence - 1))
      let event = CaseRecord(
        sequence: highest + 1, time: CaseRecord.time(date), reader: reader, host: host, caseName: caseName,
        image: image, series: series, kind: kind, decision: decision)
      do throws(InputError) {
        let file = try write(event, &state)
        state.highestSequence = highest + 1
        state.recordCount += 1
        return .success((event, file.path, state.recordCount))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Writes to the open file, or to a new file in the first folder that can be written.
  private func write(_ event: CaseRecord, _ state: inout State) throws(InputError) -> LineFile {
    if let file = state.file {
      try file.append(event.json)
      return file
    }
    var failure: InputError?
    for folder in folders {
      do throws(InputError) {
        try FileSystem.makeFolder(folder)
        let file = LineFile(path: FilePath.joined(folder, makeFileName()))
        try file.append(event.json)
        state.file = file
        // Narrow screens show the beginning.
        state.note = failure.map {
          "other readers do not see your verdicts, which are written to \(folder): \($0.description)"
            .printableLine
        }
        return file
      } catch { failure = failure ?? error }
    }
    guard let failure else { preconditionFailure("a writer without a folder") }
    throw failure
  }

  /// "ann@host-1234-5f3a9c10.jsonl", which no other process has.
  private func makeFileName() -> String {
    func plain(_ text: String) -> String {
      String(
        text.unicodeScalars.prefix(40).map {
          $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0)) ? Character($0) : "_"
        })
    }
    let unique = String(format: "%08x", UInt32.random(in: 0...UInt32.max))
    return "\(plain(reader))@\(plain(host))-\(getpid())-\(unique).jsonl"
  }
}

/// The name under which verdicts are recorded.
package enum ReaderName {
  private static let maximumLength = 100

  /// The name of an option, else of `SEGDECK_READER`, else the login name.
  /// - Throws: ``InputError`` for a name without visible characters, with more than 100 characters, or with characters
  ///   that a terminal does not show.
  package static func resolved(
    option: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(InputError) -> String {
    let (subject, name): (String, String)
    if let option {
      (subject, name) = ("--reader", option)
    } else if let variable = environment["SEGDECK_READER"], !variable.isEmpty {
      (subject, name) = ("SEGDECK_READER", variable)
    } else {
      return loginName(environment)
    }
    let trimmed = name.trimmingCharacters(in: .whitespaces)
    guard !trimmed.isEmpty, trimmed.count <= maximumLength,
      !trimmed.unicodeScalars.contains(where: \.isTerminalControl)
    else {
      throw InputError(
        subject, "is not a name of a reader", found: "\"\(name.prefix(maximumLength))\"",
        expected: "1 to \(maximumLength) characters on one line")
    }
    return trimmed
  }

  private static func loginName(_ environment: [String: String]) -> String {
    if let user = getpwuid(getuid()).map({ String(cString: $0.pointee.pw_name) }), !user.isEmpty {
      return user
    }
    return environment["USER"].flatMap { $0.isEmpty ? nil : $0 } ?? "uid \(getuid())"
  }
}
