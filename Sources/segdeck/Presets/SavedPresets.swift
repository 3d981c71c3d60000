import Foundation
import Volumes
import Work

/// The user's named CRF settings: `segdeck/crf/NAME.json` in `$XDG_CONFIG_HOME` or `~/.config`, in the format of
/// `refine --preset`.
struct SavedPresets {
  /// The path of their folder, which is created with the first preset.
  let folder: String

  /// The user's presets.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    folder = FilePath.joined(UserFolder.configuration(environment), "crf")
  }

  /// The path of a preset.
  func path(_ name: String) -> String { "\(folder)/\(name).json" }

  /// All presets, ascending by name; empty where there is no folder.
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

  /// Saves settings under a name.
  ///
  /// An existing preset is replaced only where `replacesExisting` is true.
  /// - Returns: Whether they were saved.
  /// - Throws: ``InputError`` when the file cannot be written.
  func save(
    _ settings: RefinementSettings, as name: String, replacesExisting: Bool
  ) throws(InputError) -> Bool {
    try FileSystem.makeFolder(folder)
    let outputPath = try OutputPath(path(name), kind: .settings, isForced: true)
    guard outputPath.existing.isEmpty || replacesExisting else { return false }
    try RefinementPreset.write(settings, to: outputPath.path)
    return true
  }
}
