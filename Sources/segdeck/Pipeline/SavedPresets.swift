import Foundation
import Volumes
import Work

/// The CRF settings that the user saved by name: `segdeck/crf/NAME.json` in `$XDG_CONFIG_HOME` or `~/.config`, each a
/// file as `refine --preset` reads it.
struct SavedPresets {
  /// Where they lie; the folder is made with the first of them.
  let folder: String

  /// Those of the user.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let base =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? (FilePath.home(environment) ?? "") + "/.config"
    folder = base + "/segdeck/crf"
  }

  /// The file of a name.
  func path(_ name: String) -> String { "\(folder)/\(name).json" }

  /// Every preset by name, ascending; none where there is no folder.
  /// - Throws: ``InputError`` for a file that is no preset.
  func all() throws(InputError) -> [(name: String, settings: RefinementSettings)] {
    let files = FileSystem.exists(folder) ? try FileSystem.names(in: folder) : []
    var presets: [(String, RefinementSettings)] = []
    for file in files.sorted() where file.hasSuffix(".json") && !file.hasPrefix(".") {
      let settings = try ReadFiles.withoutRegistering { () throws(InputError) in
        try RefinementPreset.read("\(folder)/\(file)")
      }
      presets.append((String(file.dropLast(5)), settings))
    }
    return presets
  }

  /// Saves settings; in place of those that had the name only where `replacesExisting` says so.
  /// - Returns: Whether they were saved.
  /// - Throws: ``InputError`` when the file cannot be written.
  func save(
    _ settings: RefinementSettings, as name: String, replacesExisting: Bool
  ) throws(InputError) -> Bool {
    try FileSystem.makeFolder(folder)
    let outputPath = try OutputPath(path(name), isForced: true)
    guard outputPath.existing.isEmpty || replacesExisting else { return false }
    try RefinementPreset.write(settings, to: outputPath.path)
    return true
  }
}
