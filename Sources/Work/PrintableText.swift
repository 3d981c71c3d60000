extension Unicode.Scalar {
  /// Whether a terminal could interpret the scalar as a command, a line break or a change of direction, or does not
  /// show it: controls (C0, DEL, C1), line and paragraph separators, and all format characters, including bidirectional
  /// and zero-width ones.
  package var isTerminalControl: Bool {
    if value >= 0x20, value < 0x7f { return false }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate: return true
    default: return false
    }
  }
}

extension String {
  /// The text on one line without terminal controls.
  ///
  /// A control or line separator becomes a space, direction marks and other invisible characters are removed, and a
  /// byte of a path that is not UTF-8 is shown as "\xE9".
  ///
  /// For every printed text that comes from a file: names, cards, descriptions, paths.
  package var printableLine: String {
    guard unicodeScalars.contains(where: { $0.isTerminalControl || FilePath.isEscape($0) }) else {
      return self
    }
    var line = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if FilePath.isEscape(scalar) {
        let byte = String(scalar.value & 0xff, radix: 16, uppercase: true)
        line.append(contentsOf: "\\x\(byte)".unicodeScalars)
      } else if !scalar.isTerminalControl {
        line.append(scalar)
      } else if scalar.properties.generalCategory != .format {
        line.append(" ")
      }
    }
    return String(line)
  }
}
