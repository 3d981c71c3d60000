import Foundation
import Work

/// The folder of the verdicts of a worklist.
package enum RecordFolder {
  private static let suffix = ".records"
  private static let nameInFolder = "segdeck-records"

  private static let cohortSuffix = ".cohort"
  private static let cohortNameInFolder = "segdeck-cohort"

  /// The folder for the results of a cohort: `NAME.cohort` beside a worklist file, `segdeck-cohort` in a folder of cases.
  package static func cohort(worklist path: String) -> String {
    let records = shared(worklist: path)
    let folder = FilePath.folder(of: records)
    guard !FileSystem.isFolder(path) else { return FilePath.joined(folder, cohortNameInFolder) }
    return FilePath.joined(folder, String(FilePath.name(of: records).dropLast(suffix.count)) + cohortSuffix)
  }

  /// Whether a name is that of a folder of verdicts, or of the results of a cohort: no cases are sought in it.
  static func isOwnFolder(_ name: String) -> Bool {
    [nameInFolder, cohortNameInFolder].contains(name)
      || [suffix, cohortSuffix].contains(where: name.hasSuffix)
  }

  /// Whether a folder with these names in it holds the results of a cohort, and is no derivative of a BIDS dataset.
  static func isCohort(names: [String]) -> Bool {
    names.contains("cohort.json") && names.contains("cases.csv")
      && !names.contains("dataset_description.json")
  }

  /// The folder that all readers share: `NAME.records` beside a worklist file, `segdeck-records` in a folder of cases.
  package static func shared(worklist path: String) -> String {
    guard !FileSystem.isFolder(path) else { return FilePath.joined(path, nameInFolder) }
    let name = FilePath.name(of: path)
    let stem =
      name.lowercased().hasSuffix(".csv") || name.lowercased().hasSuffix(".tsv")
      ? String(name.dropLast(4)) : name
    return FilePath.joined(FilePath.folder(of: path), stem + suffix)
  }

  /// The folder of this user alone, for where the shared one cannot be written: below `segdeck/records` in
  /// `$XDG_STATE_HOME` or `~/.local/state`, by the absolute path of the shared one.
  package static func personal(
    worklist path: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    FilePath.joined(UserFolder.state(environment), "records") + FilePath.absolute(shared(worklist: path))
  }

  /// The folder from which records name the images of a worklist: the folder of cases, or that of the worklist file.
  static func imageFolder(worklist path: String) -> String {
    FilePath.absolute(FileSystem.isFolder(path) ? path : FilePath.folder(of: path))
  }

  /// The path of an image as records of a worklist hold it: from the worklist's folder where it is in it, else absolute.
  package static func recordedPath(ofImage image: String, worklist path: String) -> String {
    let folder = imageFolder(worklist: path)
    let beginning = folder.hasSuffix("/") ? folder : folder + "/"
    let whole = FilePath.absolute(image)
    return whole.hasPrefix(beginning) ? String(whole.dropFirst(beginning.count)) : whole
  }

  /// Whether a name is that of a file of records; hidden files, such as unfinished ones, are not.
  static func isRecordFile(_ name: String) -> Bool { name.hasSuffix(".jsonl") && !name.hasPrefix(".") }

  /// The files with records of a worklist; a folder that cannot be read counts as empty.
  package static func files(
    ofWorklist path: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String] {
    [shared(worklist: path), personal(worklist: path, environment: environment)].flatMap { folder in
      ((try? FileSystem.names(in: folder)) ?? []).filter(isRecordFile)
        .map { FilePath.joined(folder, $0) }
    }
  }

  /// Copies the records of a worklist to another one that lists its cases, with all verdicts.
  ///
  /// A file that the other worklist has already is not replaced. Later records of one worklist are not copied to the
  /// other.
  /// - Returns: How many files were copied.
  /// - Throws: ``InputError`` when records cannot be read or written.
  @discardableResult
  package static func copyRecords(
    ofWorklist path: String, to other: String,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(InputError) -> Int {
    let target = shared(worklist: other)
    var count = 0
    for file in files(ofWorklist: path, environment: environment) {
      let copy = FilePath.joined(target, FilePath.name(of: file))
      guard !FileSystem.exists(copy) else { continue }
      try FileSystem.makeFolder(target)
      let content = try ReadFiles.withoutRegistering { () throws(InputError) in try FileSystem.read(file) }
      try AtomicFile.write(content, to: copy)
      count += 1
    }
    return count
  }
}
