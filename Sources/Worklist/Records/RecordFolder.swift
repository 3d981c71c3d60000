import Foundation
import Work

/// The folder of the verdicts of a worklist.
package enum RecordFolder {
  private static let suffix = ".records"
  private static let nameInFolder = "segdeck-records"

  /// Whether a name is that of a folder of verdicts.
  static func isRecordFolder(_ name: String) -> Bool { name == nameInFolder || name.hasSuffix(suffix) }

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
}
