import Foundation
import Volumes
import Work

/// Files of CRF settings, in the form in which a mask's record states them.
enum RefinementPreset {
  /// Reads settings.
  /// - Throws: ``InputError`` when the file cannot be read or is something else.
  static func read(_ path: String) throws(InputError) -> RefinementSettings {
    try decoded(FileSystem.read(path), path)
  }

  /// Settings in the content of the file at `path`.
  static func decoded(_ data: Data, _ path: String) throws(InputError) -> RefinementSettings {
    try JSONValue.requireSingleKeys(String(decoding: data, as: UTF8.self), subject: path)
    guard let settings = try? JSONDecoder().decode(RefinementSettings.self, from: data) else {
      throw InputError(
        path, "is not a file of CRF settings", expected: "JSON as under \"refinement\" in a mask's record")
    }
    return try settings.validated(subject: path)
  }

  /// Writes settings, whole or not at all.
  static func write(_ settings: RefinementSettings, to path: String) throws(InputError) {
    try AtomicFile.write(encoded(settings), to: path)
  }

  /// The content of a file of these settings.
  static func encoded(_ settings: RefinementSettings) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(settings) else {
      preconditionFailure("settings hold only finite numbers")
    }
    return data + Data("\n".utf8)
  }
}
