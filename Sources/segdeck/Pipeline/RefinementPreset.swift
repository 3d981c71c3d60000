import Foundation
import Volumes
import Work

/// Files of CRF settings, in the form in which a mask's record states them.
enum RefinementPreset {
  /// Reads settings.
  /// - Throws: ``InputError`` when the file cannot be read or is something else.
  static func read(_ path: String) throws(InputError) -> RefinementSettings {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw InputError(path, "cannot be read")
    }
    do { return try JSONDecoder().decode(RefinementSettings.self, from: data) } catch {
      throw InputError(
        path, "is not a file of CRF settings", expected: "JSON as under \"refinement\" in a mask's record")
    }
  }

  /// Writes settings, whole or not at all.
  static func write(_ settings: RefinementSettings, to path: String) throws(InputError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(settings) else {
      preconditionFailure("settings hold only finite numbers")
    }
    try AtomicFile.write(data + Data("\n".utf8), to: path)
  }
}
