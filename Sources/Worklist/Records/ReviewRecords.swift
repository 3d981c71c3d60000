import Foundation
import Journal
import Work

/// The verdicts of all readers of a worklist, merged from the files of its record folders.
///
/// Every process writes a file of its own, so that no lock is needed and nothing is ever overwritten.
package struct ReviewRecords: Sendable {
  /// The folders, the shared one first.
  package let folders: [String]
  /// Readers' decisions, by the name of the case; a case without records is not in it.
  package private(set) var reviews: [String: CaseReview] = [:]
  /// The cases that readers added to the worklist, in the order in which they were added.
  package var addedCases: [WorklistCase] { additions.map(\.item) }
  /// The largest sequence number of all records; 0 where there is none.
  package private(set) var highestSequence = 0

  private struct File: Sendable {
    var tail: LineTail
    var events: [CaseRecord] = []
    var damagedCount = 0
    var isMissing = false
    var isShortened = false
    var failure: String?
    /// Whether it grew since its first look.
    var isActive = false
  }

  /// A case that a reader added, and the position of its record.
  private struct Addition: Sendable {
    var order: CaseReview.Order
    var item: WorklistCase
  }

  /// Ascending by the positions of their records.
  private var additions: [Addition] = []
  private var files: [String: File] = [:]
  private var failures: [String: String] = [:]
  /// The index of the quiet file that is read next.
  private var quietStart = 0
  private var newest = 0

  /// A file that was not written for this long before the newest one is looked at less often.
  private static let quietSeconds = 3600
  /// Quiet files that are looked at each time.
  private static let quietCount = 32

  /// The records of a worklist, by its file or folder; ``poll()`` reads them.
  package init(worklist path: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.init(folders: [
      RecordFolder.shared(worklist: path), RecordFolder.personal(worklist: path, environment: environment),
    ])
  }

  /// The records of these folders; ``poll()`` reads them.
  package init(folders: [String]) { self.folders = folders }

  /// Errors of files that could not be read, a line each.
  package var notes: [String] {
    var lines = failures.values.sorted()
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      if file.damagedCount > 0 {
        lines.append(
          "\(path): \(counted(file.damagedCount, "damaged record is", "damaged records are")) ignored")
      }
      if file.tail.unfinishedByteCount > 0 { lines.append("\(path): its last record is not complete") }
      if file.isShortened { lines.append("\(path): became shorter or was replaced, and was read again") }
      if file.isMissing { lines.append("\(path): is gone; its records are kept until the end") }
      if let failure = file.failure { lines.append(failure) }
    }
    return lines
  }

  /// Reads what was appended since the last call.
  ///
  /// Each call lists the folders and checks (`stat`) every file that is being written, and 32 of the others. The first
  /// call reads every file.
  /// - Returns: The names of the cases whose review changed.
  @discardableResult
  package mutating func poll() -> Set<String> {
    var changed: Set<String> = []
    var present: Set<String> = []
    for folder in folders {
      guard FileSystem.exists(folder) else { continue }
      do throws(InputError) {
        for name in try FileSystem.names(in: folder)
        where RecordFolder.isRecordFile(name) {
          present.insert(FilePath.joined(folder, name))
        }
        failures[folder] = nil
      } catch { failures[folder] = error.description }
    }
    var isStale = false
    for path in due(present) where look(at: path, &changed) { isStale = true }
    for path in files.keys where !present.contains(path) { files[path]?.isMissing = true }
    if isStale { changed.formUnion(mergeAgain()) }
    return changed
  }

  /// Adds a record of this process before it is read from the disk.
  package mutating func add(_ event: CaseRecord, file: String, line: Int) {
    highestSequence = max(highestSequence, event.sequence)
    let order = CaseReview.Order(event, file: FilePath.name(of: file), line: line)
    guard event.kind == .added else {
      reviews[event.caseName, default: CaseReview()].add(event, order: order)
      return
    }
    // A record of this process is added before it is read from the disk.
    guard !additions.contains(where: { $0.order == order }) else { return }
    let item = WorklistCase(name: event.caseName, images: [event.image], series: event.series)
    let position = additions.firstIndex { order < $0.order } ?? additions.count
    additions.insert(Addition(order: order, item: item), at: position)
  }

  /// The files that are looked at now: new and active ones, and some of the others.
  private mutating func due(_ present: Set<String>) -> [String] {
    let quiet = present.filter { path in
      guard let file = files[path] else { return false }
      return !file.isActive && file.tail.modifiedSeconds < newest - Self.quietSeconds
    }.sorted()
    guard quiet.count > Self.quietCount else { return present.sorted() }
    let chosen = (0..<Self.quietCount).map { quiet[(quietStart + $0) % quiet.count] }
    quietStart = (quietStart + Self.quietCount) % quiet.count
    return present.subtracting(quiet).union(chosen).sorted()
  }

  /// Reads what is new in a file; true where its earlier records do not count any more.
  private mutating func look(at path: String, _ changed: inout Set<String>) -> Bool {
    let isNew = files[path] == nil
    // Moved out of the dictionary, so that its records are not copied.
    var file = files.removeValue(forKey: path) ?? File(tail: LineTail(path: path))
    defer { files[path] = file }
    file.isMissing = false
    let found: LineTail.Found
    do throws(InputError) {
      // Own files are read and written.
      found = try ReadFiles.withoutRegistering { () throws(InputError) in try file.tail.read() }
      file.failure = nil
    } catch {
      file.failure = error.description
      return false
    }
    newest = max(newest, file.tail.modifiedSeconds)
    file.isMissing = found.isMissing
    if !isNew, !found.records.isEmpty { file.isActive = true }
    if found.isRestarted {
      (file.events, file.damagedCount, file.isShortened) = ([], 0, true)
    }
    file.damagedCount += found.damagedCount
    for record in found.records {
      guard let event = CaseRecord(json: record) else {
        file.damagedCount += 1
        continue
      }
      file.events.append(event)
      guard !found.isRestarted else { continue }
      changed.insert(event.caseName)
      add(event, file: path, line: file.events.count)
    }
    return found.isRestarted
  }

  private mutating func mergeAgain() -> Set<String> {
    let before = reviews
    (reviews, additions) = ([:], [])
    for (path, file) in files {
      for (index, event) in file.events.enumerated() { add(event, file: path, line: index + 1) }
    }
    return Set(before.keys).union(reviews.keys).filter { before[$0] != reviews[$0] }
  }
}
