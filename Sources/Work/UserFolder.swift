import Foundation

/// Folders of the program in the user's home, as the XDG specification places them.
package enum UserFolder {
  /// The folder of what the program keeps between runs: `segdeck` in `$XDG_STATE_HOME` or `~/.local/state`.
  package static func state(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String { folder("XDG_STATE_HOME", ".local/state", environment) }

  /// The folder of what the program can compute again: `segdeck` in `$XDG_CACHE_HOME` or `~/.cache`.
  package static func cache(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String { folder("XDG_CACHE_HOME", ".cache", environment) }

  /// The folder of what the user adds to the program: `segdeck` in `$XDG_DATA_HOME` or `~/.local/share`.
  package static func data(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String { folder("XDG_DATA_HOME", ".local/share", environment) }

  /// The folder of what the user sets: `segdeck` in `$XDG_CONFIG_HOME` or `~/.config`.
  package static func configuration(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String { folder("XDG_CONFIG_HOME", ".config", environment) }

  /// A relative path in the variable is ignored, as the specification demands.
  private static func folder(
    _ variable: String, _ place: String, _ environment: [String: String]
  ) -> String {
    let base =
      environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? FilePath.joined(FilePath.home(environment) ?? NSHomeDirectory(), place)
    return FilePath.joined(base, "segdeck")
  }
}
