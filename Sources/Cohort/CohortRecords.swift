import Foundation
import Journal
import Work

/// The records of all tasks of a cohort, merged.
package struct CohortRecords: Sendable {
  private let folder: String
  private var tails: [String: LineTail] = [:]
  /// What is known of each case, by its name.
  package private(set) var cases: [String: CaseProgress] = [:]
  /// Lines that are damaged or of a later version.
  package private(set) var damagedLineCount = 0

  /// The records in a folder; nothing is read yet.
  package init(folder: String) { self.folder = folder }

  /// What is known of a case.
  package subscript(name: String) -> CaseProgress { cases[name] ?? CaseProgress() }

  /// Reads what was appended since the last call.
  ///
  /// A folder that does not exist has no records; a file that cannot be read counts as one damaged line.
  /// - Complexity: One `stat` for each file and the new bytes.
  package mutating func poll() {
    let names = (try? FileSystem.names(in: folder)) ?? []
    for name in names where name.hasSuffix(Self.suffix) && !name.hasPrefix(".") {
      var tail = tails[name] ?? LineTail(path: FilePath.joined(folder, name))
      do throws(InputError) {
        let found = try tail.read()
        damagedLineCount += found.damagedCount
        for line in found.records {
          if let record = CohortRecord(json: line) { add(record) } else { damagedLineCount += 1 }
        }
      } catch {
        damagedLineCount += 1
      }
      tails[name] = tail
    }
  }

  /// Adds a record that this process wrote.
  package mutating func add(_ record: CohortRecord) {
    cases[record.case, default: CaseProgress()].add(record)
  }

  /// The suffix of record files.
  static let suffix = ".jsonl"
}

/// Writes the records of one task to a file of its own, so that no two processes ever write one file.
package final class CohortRecordWriter: Sendable {
  private let file: LineFile

  /// A file with a name that no other process has; it is made with the first record.
  /// - Throws: ``InputError`` when the folder cannot be made.
  package init(folder: String) throws(InputError) {
    try FileSystem.makeFolder(folder)
    let host = CohortRecord.host.prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    let unique = String(UInt32.random(in: 0...UInt32.max), radix: 16)
    file = LineFile(
      path: FilePath.joined(folder, "\(String(host))-\(getpid())-\(unique)" + CohortRecords.suffix))
  }

  /// Appends a record; it is on the disk when the function returns.
  /// - Throws: ``InputError`` when the disk is full or fails.
  package func append(_ record: CohortRecord) throws(InputError) { try file.append(record.json) }
}
