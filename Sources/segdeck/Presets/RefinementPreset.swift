import Foundation
import Volumes
import Work

/// Reads and writes files of CRF settings, in the format of a mask's record.
enum RefinementPreset {
  /// Reads settings.
  /// - Throws: ``InputError`` when the file cannot be read or is no file of settings.
  static func read(_ path: String) throws(InputError) -> RefinementSettings {
    try decoded(FileSystem.read(path), path)
  }

  /// Decodes settings; `path` names the file in errors.
  /// - Throws: ``InputError`` when they are invalid.
  static func decoded(_ data: Data, _ path: String) throws(InputError) -> RefinementSettings {
    try JSONValue.requireSingleKeys(String(decoding: data, as: UTF8.self), subject: path)
    guard let settings = try? JSONDecoder().decode(RefinementSettings.self, from: data) else {
      throw InputError(
        path, "is not a file of CRF settings", expected: "JSON as under \"refinement\" in a mask's record")
    }
    return try settings.validated(subject: path)
  }

  /// Writes settings atomically.
  /// - Throws: ``InputError`` when the file cannot be written.
  static func write(_ settings: RefinementSettings, to path: String) throws(InputError) {
    try AtomicFile.write(encoded(settings), to: path)
  }

  static func encoded(_ settings: RefinementSettings) -> Data {
    finiteJSON(settings, isIndented: true) + Data("\n".utf8)
  }
}
