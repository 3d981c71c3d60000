extension Unicode.Scalar {
  /// Whether a terminal could take the scalar as a command or as a change of direction: controls (C0, DEL, C1), line
  /// and paragraph separators, and the bidirectional marks, embeddings, overrides and isolates.
  package var isTerminalControl: Bool {
    switch value {
    case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}

extension String {
  /// The text on one line without anything that a terminal would obey: each such scalar becomes a space.
  ///
  /// For every text of a file (names, cards, descriptions, paths) that is printed.
  package var printableLine: String {
    guard unicodeScalars.contains(where: \.isTerminalControl) else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0.isTerminalControl ? " " : $0 }))
  }
}
