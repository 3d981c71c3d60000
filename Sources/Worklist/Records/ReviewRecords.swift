import Foundation
import Journal
import Work

/// The verdicts of all readers of a worklist, merged from the files of its record folders.
///
/// Every process writes a file of its own, so that no lock is needed and nothing is ever overwritten. A record belongs to
/// the case of its name; that of an image that a reader added belongs to the case with this image, because two readers
/// may have added images of one name.
package struct ReviewRecords: Sendable {
  /// The folders, the shared one first.
  package let folders: [String]
  /// Readers' decisions, by the name of the case; a case without records is not in it.
  ///
  /// Those about an image that has no case, while another image that a reader added has its name, are kept by its path.
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
  /// The folder that the images of records are in where their paths are relative.
  private let imageFolder: String
  /// The names of the listed cases by image; several may show one image.
  private var listedNames: [ImageIdentity: [String]] = [:]
  /// The name of the case of each image that a reader added.
  private var addedNames: [ImageIdentity: String] = [:]
  /// The names of cases in the list that readers added.
  private var namesOfAdded: Set<String> = []
  /// The names of the other cases in the list.
  private var ownNames: Set<String> = []
  /// Whether an image was added of which earlier records may be kept elsewhere.
  private var isOutdated = false
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
    self.init(
      folders: [
        RecordFolder.shared(worklist: path), RecordFolder.personal(worklist: path, environment: environment),
      ], imageFolder: RecordFolder.imageFolder(worklist: path))
  }

  /// The records of these folders; ``poll()`` reads them.
  ///
  /// - Parameter imageFolder: The folder that the images of records are in where their paths are relative; the working
  ///   folder unless given.
  package init(folders: [String], imageFolder: String = "") {
    (self.folders, self.imageFolder) = (folders, imageFolder)
  }

  /// Adds the cases that readers added to a worklist, at its end; from then on their records are kept under the names
  /// that they have in it.
  package mutating func addCases(to worklist: inout Worklist) {
    ownNames = Set(worklist.cases.map(\.name))
    worklist.append(addedCases)
    for item in worklist.cases { listedNames[item.imageIdentity, default: []].append(item.name) }
    namesOfAdded = Set(worklist.cases.map(\.name)).subtracting(ownNames)
    mergeAgain()
  }

  /// Notes a case that this process adds at the end of the worklist; the next ``poll()`` keeps earlier records of its
  /// image under its name.
  package mutating func list(_ item: WorklistCase) {
    listedNames[item.imageIdentity, default: []].append(item.name)
    namesOfAdded.insert(item.name)
    isOutdated = true
  }

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

  /// The line that says which verdicts are about cases that are not in a worklist; nil where there are none.
  ///
  /// Their files may have been moved or renamed, or the list shows only some of the cases.
  package func unlistedNote(_ worklist: Worklist) -> String? {
    let listed = Set(worklist.cases.map(\.name))
    let names = reviews.filter { name, review in
      !listed.contains(name) && review.decisions.values.contains { $0.isAssessed || !$0.comment.isEmpty }
    }.keys.sorted { NaturalOrder($0) < NaturalOrder($1) }
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(Self.shownNameCount).joined(separator: ", ")
    let more = names.count > Self.shownNameCount ? " and \(names.count - Self.shownNameCount) more" : ""
    let count = names.count == 1 ? "a verdict of a case that is" : "verdicts of \(names.count) cases that are"
    return "\(count) not in the list: \(shown)\(more)"
  }

  private static let shownNameCount = 3

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
    if isStale || isOutdated { changed.formUnion(mergeAgain()) }
    return changed
  }

  /// Adds a record of this process before it is read from the disk.
  package mutating func add(_ event: CaseRecord, file: String, line: Int) {
    highestSequence = max(highestSequence, event.sequence)
    let order = CaseReview.Order(event, file: FilePath.name(of: file), line: line)
    guard event.kind == .added else {
      reviews[caseName(of: event), default: CaseReview()].add(event, order: order)
      return
    }
    // A record of this process is added before it is read from the disk.
    guard !additions.contains(where: { $0.order == order }) else { return }
    insert(event, order)
    guard addedNames[identity(of: event)] == nil else { return }
    nameAdditions()
    isOutdated = true
  }

  private mutating func insert(_ event: CaseRecord, _ order: CaseReview.Order) {
    let item = WorklistCase(
      name: event.caseName, images: [identity(of: event).path], series: event.series)
    let position = additions.firstIndex { order < $0.order } ?? additions.count
    additions.insert(Addition(order: order, item: item), at: position)
  }

  private func identity(of event: CaseRecord) -> ImageIdentity {
    ImageIdentity(event.image, series: event.series, in: imageFolder)
  }

  /// Names the case of every image that a reader added: as the list does or, where it is not in the list, as its record
  /// says, unless another image has this name.
  private mutating func nameAdditions() {
    addedNames = [:]
    var taken = namesOfAdded
    for addition in additions {
      let identity = addition.item.imageIdentity
      guard addedNames[identity] == nil else { continue }
      let name = addition.item.name
      if let listed = listedNames[identity] {
        addedNames[identity] = listed.contains(name) ? name : listed[0]
      } else {
        addedNames[identity] = taken.insert(name).inserted ? name : Self.name(of: identity)
      }
    }
  }

  /// The name under which decisions about an image are kept whose name another case has.
  private static func name(of image: ImageIdentity) -> String {
    image.path + (image.series.map { ", series \($0)" } ?? "")
  }

  /// The name of the case that a record is about.
  private func caseName(of event: CaseRecord) -> String {
    // Most worklists have no added cases.
    guard !addedNames.isEmpty || !namesOfAdded.isEmpty else { return event.caseName }
    let identity = identity(of: event)
    if let listed = listedNames[identity], addedNames[identity] != nil {
      return listed.contains(event.caseName) ? event.caseName : listed[0]
    }
    if let added = addedNames[identity] { return added }
    // A case of the list keeps its records where its images lie elsewhere now.
    let isOfAnother =
      namesOfAdded.contains(event.caseName)
      ? listedNames[identity]?.contains(event.caseName) != true
      : !ownNames.contains(event.caseName) && addedNames.values.contains(event.caseName)
    return isOfAnother ? Self.name(of: identity) : event.caseName
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
      add(event, file: path, line: file.events.count)
      changed.insert(event.kind == .added ? event.caseName : caseName(of: event))
    }
    return found.isRestarted
  }

  /// Merges all records that were read from their files.
  /// - Returns: The names of the cases whose review changed.
  @discardableResult
  private mutating func mergeAgain() -> Set<String> {
    let before = reviews
    (reviews, additions) = ([:], [])
    // The name of a case depends on all images that were added.
    for (path, file) in files {
      for (index, event) in file.events.enumerated() where event.kind == .added {
        insert(event, CaseReview.Order(event, file: FilePath.name(of: path), line: index + 1))
      }
    }
    nameAdditions()
    for (path, file) in files {
      for (index, event) in file.events.enumerated() where event.kind != .added {
        add(event, file: path, line: index + 1)
      }
    }
    isOutdated = false
    return Set(before.keys).union(reviews.keys).filter { before[$0] != reviews[$0] }
  }
}
