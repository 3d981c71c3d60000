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
      ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.config"
    folder = base + "/segdeck/crf"
  }

  /// The file of a name.
  func path(_ name: String) -> String { "\(folder)/\(name).json" }

  /// Every preset by name, ascending; none where there is no folder.
  /// - Throws: ``InputError`` for a file that is no preset.
  func all() throws(InputError) -> [(name: String, settings: RefinementSettings)] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var presets: [(String, RefinementSettings)] = []
    for file in files.sorted() where file.hasSuffix(".json") && !file.hasPrefix(".") {
      presets.append((String(file.dropLast(5)), try RefinementPreset.read("\(folder)/\(file)")))
    }
    return presets
  }

  /// Saves settings in place of those that had the name.
  /// - Throws: ``InputError`` when the file cannot be written.
  func save(_ settings: RefinementSettings, as name: String) throws(InputError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw InputError(folder, "cannot be made", found: error.localizedDescription) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(settings) else {
      preconditionFailure("knobs hold only finite numbers")
    }
    try AtomicFile.write(data + Data("\n".utf8), to: path(name))
  }
}
