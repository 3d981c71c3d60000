import Cohort
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work
import Worklist

/// A cohort: its cases, where its results lie, and with what they are computed.
struct OpenedCohort {
  let folder: CohortFolder
  let options: CohortOptions
  let description: CohortDescription
  /// Every case, before a filter.
  let worklist: Worklist
  /// The cases that pass the filter, in order.
  let selected: [WorklistCase]

  /// Opens a cohort, whose folder of results is made where it does not exist.
  /// - Parameters:
  ///   - place: A folder of cases, a worklist file, a folder of results, or "-" for a list on standard input.
  ///   - output: The folder of results; nil for the one that belongs to the place.
  ///   - given: What is to be computed; nothing where the cohort was begun before.
  ///   - replaces: Whether other settings replace those with which the cohort was begun.
  /// - Throws: ``InputError`` when the list or the model cannot be read, or the folder holds results of other settings;
  ///   ``Cancelled``.
  init(
    _ place: String, output: String?, cases: CaseListOptions, options given: CohortOptions, replaces: Bool,
    work: WorkContext
  ) throws {
    let dataset = BIDSDataset(place)
    let path = try Self.folder(place, output: output, dataset)
    let listing = try Self.listing(
      place, CohortFolder(path, isBIDS: dataset != nil), cases, work: work)
    try listing.registerFiles()
    let selected = try listing.rows(measuring: nil) { _, _ in }.map(\.item)
    guard !selected.isEmpty else { throw InputError(place, "has no case to compute") }
    (worklist, self.selected) = (listing.worklist, selected)
    (folder, options, description) = try OutputFolder.filled(path) {
      try Self.alone(in: path) {
        let earlier = try CohortDescription.read(in: path)
        let (options, description) = try Self.settings(
          given, earlier: earlier, place: place, path: path, isBIDS: earlier?.bids ?? (dataset != nil),
          replaces: replaces, work: work)
        let folder = CohortFolder(path, isBIDS: description.bids)
        if description != earlier { try AtomicFile.write(description.json, to: folder.settingsFile) }
        if place == Self.standardInput {
          // Steps of a workflow each bring a part of the list.
          let whole = try Self.joined(listing.worklist, to: folder.casesFile)
          try Self.write(whole, to: folder.casesFile, replaces: true)
        } else if description.place == FilePath.absolute(place) {
          try Self.write(
            listing.worklist, to: folder.casesFile,
            replaces: selected.count == listing.worklist.cases.count)
        }
        if let dataset, description.bids {
          try dataset.describe(folder, generator: .this, model: FilePath.stem(of: description.model))
        }
        return (folder, options, description)
      }
    }
  }

  /// Opens a cohort that was begun before, without changing it.
  /// - Throws: ``InputError`` where nothing was computed for the place.
  init(begunAt place: String, output: String?, work: WorkContext) throws {
    let path = try Self.folder(place, output: output, BIDSDataset(place))
    guard let description = try CohortDescription.read(in: path) else {
      throw InputError(
        path, "holds no results of a cohort", expected: "`segdeck cohort run \(place) --model MODEL` before")
    }
    self.description = description
    options = try CohortOptions.parse(description.arguments)
    folder = CohortFolder(path, isBIDS: description.bids)
    worklist = try Worklist(file: folder.casesFile)
    selected = worklist.cases
  }

  private static func folder(
    _ place: String, output: String?, _ dataset: BIDSDataset?
  ) throws(InputError) -> String {
    if let output { return output }
    if place == standardInput {
      throw InputError("-o", "is needed for a list on standard input", expected: "a folder for the results")
    }
    if CohortFolder.isCohort(place) { return place }
    return dataset?.derivative ?? RecordFolder.cohort(worklist: place)
  }

  /// The name of a list on standard input.
  static let standardInput = "-"

  private static func settings(
    _ given: CohortOptions, earlier: CohortDescription?, place: String, path: String, isBIDS: Bool,
    replaces: Bool, work: WorkContext
  ) throws -> (CohortOptions, CohortDescription) {
    let words = try given.words()
    let options = words.isEmpty ? try earlier.map { try CohortOptions.parse($0.arguments) } ?? given : given
    guard let name = options.model else {
      throw InputError("--model", "is missing", expected: "a bundled model's name or a model file")
    }
    let modelPath = try ModelLibrary.path(name)
    let digest = try Checksum.sha256(ofFile: modelPath, work: work.withoutProgress)
    let model = FilePath.stem(of: modelPath)
    let description = CohortDescription(
      place: words.isEmpty && earlier != nil || place == standardInput
        ? earlier?.place : FilePath.absolute(place),
      arguments: try options.words(), maskVersion: model + (options.refine ? "-refined" : ""),
      model: try options.words()[1], modelSha256: digest,
      settingsSha256: try options.settingsSHA256(modelSHA256: digest), bids: isBIDS,
      program: "segdeck \(SegdeckVersion.text)")
    if let earlier, earlier.settingsSha256 != description.settingsSha256, !replaces {
      throw InputError(
        path, "holds results of \(earlier.modelSha256 == digest ? "other settings" : "another model")",
        found: CommandLineText.text(earlier.arguments),
        expected: "the same, another folder with -o, or --force to replace them")
    }
    return (options, description)
  }

  private static func listing(
    _ place: String, _ folder: CohortFolder, _ cases: CaseListOptions, work: WorkContext
  ) throws -> CaseListing {
    let isOwn = place == standardInput || place == folder.path
    var list =
      if place == standardInput {
        try Worklist(standardInput: FileHandle.standardInput.readToEnd() ?? Data())
      } else if place == folder.path {
        try Worklist(file: folder.casesFile)
      } else {
        try cases.worklist(of: place, work: work)
      }
    // A derivative of a BIDS dataset is a version of it, too.
    let own = FilePath.absolute(folder.path) + "/"
    for index in list.cases.indices {
      list.cases[index].masks.removeAll { FilePath.absolute($0.path).hasPrefix(own) }
    }
    return try cases.listing(of: list, recordsOf: isOwn ? folder.worklistFile : place)
  }

  /// The cases of a worklist file that may not exist, with those of a list, which replace the ones of their names.
  private static func joined(_ list: Worklist, to path: String) throws(InputError) -> Worklist {
    guard FileSystem.exists(path) else { return list }
    var whole = try ReadFiles.withoutRegistering { () throws(InputError) in try Worklist(file: path) }
    for item in list.cases {
      if let position = whole.cases.firstIndex(where: { $0.name == item.name }) {
        whole.cases[position] = item
      } else {
        whole.cases.append(item)
      }
    }
    whole.columns += list.columns.filter { !whole.columns.contains($0) }
    return whole
  }

  /// Writes the list of all cases, from which status and batch jobs read it.
  /// - Parameter replaces: Whether another list that is there is replaced.
  private static func write(_ worklist: Worklist, to path: String, replaces: Bool) throws(InputError) {
    let data = worklist.bytes(forFile: path)
    let known = try ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(path)
    }
    guard known == nil || replaces && known != data else { return }
    try AtomicFile.write(data, to: path)
  }

  /// Runs `body`, which writes files that all processes write, while no other process does; where a file system has no
  /// locks, or one is held for long, without that.
  private static func alone<Result>(in folder: String, _ body: () throws -> Result) throws -> Result {
    for _ in 0..<lockAttemptCount {
      if let lock = try? FileLock(FilePath.joined(folder, "cohort"), owner: "run") {
        return try withExtendedLifetime(lock) { try body() }
      }
      usleep(lockIntervalMicroseconds)
    }
    return try body()
  }

  private static let lockAttemptCount = 600
  private static let lockIntervalMicroseconds: UInt32 = 50_000

  /// The records of all tasks so far.
  func records() -> CohortRecords {
    var records = CohortRecords(folder: folder.recordsFolder)
    records.poll()
    if records.damagedLineCount > 0 {
      Console.note(
        "\(folder.recordsFolder): \(counted(records.damagedLineCount, "damaged line")) ignored")
    }
    return records
  }

  /// The mask of a case.
  func maskPath(_ item: WorklistCase) -> String {
    FilePath.joined(folder.path, folder.mask(of: item, version: description.maskVersion))
  }

  /// The state of a case: what was computed counts while the images are the same and the mask is there.
  /// - Parameter model: Called where files changed, so that their contents are compared.
  /// - Throws: ``Cancelled``; the errors of `model`.
  func state(
    of item: WorklistCase, _ progress: CaseProgress, model: () throws -> SegmentationModel, work: WorkContext
  ) throws -> CaseProgress.State {
    let found = try progress.state(settingsSha256: description.settingsSha256) { record in
      if record.isUntouched(item) { return true }
      guard let digest = record.imagesSha256 else { return false }
      return try CohortInput.imagesSHA256(of: item, model(), work) == digest
    }
    // A mask that was removed is computed again.
    if case .done = found, !FileSystem.exists(maskPath(item)) { return .left }
    return found
  }

  /// What is known of cases, in their order.
  /// - Throws: ``Cancelled``; ``InputError`` when the model cannot be read.
  func results(
    of cases: [WorklistCase], _ records: CohortRecords, work: WorkContext
  ) throws -> [CohortResult] {
    try cases.map { item in
      CohortResult(
        name: item.name,
        state: try state(
          of: item, records[item.name], model: { try ModelLibrary.model(description.model) }, work: work))
    }
  }

  /// Takes back that cases failed, so that they are computed again.
  /// - Returns: The cases.
  /// - Throws: ``InputError`` when the records cannot be written; ``Cancelled``.
  func takeBackFailures(work: WorkContext) throws -> [WorklistCase] {
    let writer = try CohortRecordWriter(folder: folder.recordsFolder)
    return try zip(worklist.cases, results(of: worklist.cases, records(), work: work)).compactMap {
      item, result in
      guard case .failed(let failed) = result.state else { return nil }
      try writer.append(
        CohortRecord(
          .retried, case: item.name, attempt: failed.attempt, settingsSha256: failed.settingsSha256,
          time: CaseRecord.time(Date())))
      return item
    }
  }

  /// Whether a process computes the case now.
  func isClaimed(_ item: WorklistCase) -> Bool {
    (try? FileLock(folder.claim(of: item), owner: "run")) == nil
  }

  /// Writes what the records of all tasks say: the worklist that readers open, the table and the records in one file.
  /// - Returns: What is known of every case.
  /// - Throws: ``InputError`` when a file cannot be written; ``Cancelled``.
  @discardableResult
  func gather(work: WorkContext) throws -> [CohortResult] {
    try Self.alone(in: folder.path) { try gatherAlone(work: work) }
  }

  private func gatherAlone(work: WorkContext) throws -> [CohortResult] {
    // Other processes may have added to the list.
    let worklist = try ReadFiles.withoutRegistering { () throws(InputError) in
      try Worklist(file: folder.casesFile)
    }
    let results = try results(of: worklist.cases, records(), work: work)
    var listed = Worklist(columns: worklist.columns)
    if !listed.columns.contains(Self.column) { listed.columns.append(Self.column) }
    for (item, result) in zip(worklist.cases, results) {
      var listedItem = CohortCase.listed(
        item, mask: result.status == .done ? maskPath(item) : nil, version: description.maskVersion,
        reference: options.reference)
      if case .done(let record) = result.state, let probabilities = record.probabilities {
        listedItem.probabilities = [FilePath.joined(folder.path, probabilities)]
      }
      let error = result.status == .failed ? result.record?.error.map { ": \($0)" } ?? "" : ""
      listedItem.values[Self.column] = result.status.rawValue + error
      listed.cases.append(listedItem)
    }
    let files = [
      (folder.worklistFile, listed.bytes(forFile: folder.worklistFile)), (folder.tableFile, results.table),
      (folder.resultsFile, results.lines),
    ]
    try PendingFile.commit(
      files.map { path, data throws(InputError) in try AtomicFile.pending(data, for: path) })
    if let place = description.place, FileSystem.exists(place) {
      try RecordFolder.copyRecords(ofWorklist: place, to: folder.worklistFile)
    }
    return results
  }

  /// The column of the worklist that says what became of a case.
  private static let column = "cohort"
}

extension Worklist {
  /// Reads a list on standard input: a worklist file, or the path of an image in each line.
  /// - Throws: ``InputError`` as ``init(_:file:)``, and for an empty list.
  fileprivate init(standardInput data: Data) throws(InputError) {
    let lines = data.split(separator: 0x0a).map { line in
      line.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in FilePath.text(bytes) }.trimmingSpaces
    }
    .filter { !$0.isEmpty }
    let heading =
      lines.first?.lowercased().split { ",;\t".contains($0) }.map { String($0).trimmingSpaces } ?? []
    guard !heading.contains("image") else {
      self = try Worklist(data, file: "standard input")
      return
    }
    self.init()
    append(lines.map { WorklistCase(name: FilePath.name(of: ImageName.stem(of: $0)), images: [$0]) })
    guard !cases.isEmpty else {
      throw InputError(
        "standard input", "lists no case", expected: "a worklist file, or the path of an image in each line")
    }
  }
}

extension BIDSSidecar.Generator {
  /// This program.
  static let this = BIDSSidecar.Generator(name: "segdeck", version: SegdeckVersion.text)
}
