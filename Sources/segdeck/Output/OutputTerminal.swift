import Foundation

/// Properties of the terminal for plain output.
enum OutputTerminal {
  /// The columns of the terminal, at least 40; 100 where the descriptor is no terminal.
  static func columns(ofDescriptor descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return max(40, Int(size.ws_col))
  }

  /// Whether the locale is UTF-8.
  static var showsUnicode: Bool {
    let environment = ProcessInfo.processInfo.environment
    let locale =
      ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
  }
}
