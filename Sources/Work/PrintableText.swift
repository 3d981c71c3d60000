extension Unicode.Scalar {
  /// Whether a terminal could take the scalar as a command, a line's end or a change of direction, or whether it shows
  /// nothing at all: controls (C0, DEL, C1), line and paragraph separators, and every format character, the
  /// bidirectional and zero-width ones among them.
  package var isTerminalControl: Bool {
    if value >= 0x20, value < 0x7f { return false }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate: return true
    default: return false
    }
  }
}

extension String {
  /// The text on one line without anything that a terminal would obey: a control or line separator becomes a space,
  /// marks of direction and other invisible characters disappear, a byte of a path that is no UTF-8 shows as "\xE9".
  ///
  /// For every text of a file (names, cards, descriptions, paths) that is printed.
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
