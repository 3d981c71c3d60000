/// Columns that text takes on a terminal.
package enum TextWidth {
  /// Blocks whose characters take two columns (Unicode East Asian Width, W and F), emoji apart.
  private static let wideBlocks: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
    0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
    0x17000...0x18DFF, 0x1B000...0x1B2FF, 0x20000...0x3FFFD,
  ]

  /// Columns of one scalar: 0 for a combining or invisible one, 1, or 2.
  package static func columns(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if scalar.value < 0x1100 { return 1 }
    // The vowels and final consonants of a decomposed Hangul syllable join the consonant before them.
    if (0x1160...0x11FF).contains(scalar.value) { return 0 }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wideBlocks.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// Columns of a whole text, as ``Frame/write(_:row:column:style:in:)`` draws it.
  package static func columns(_ text: String) -> Int {
    sanitised(text).reduce(0) { $0 + columns($1) }
  }

  /// The scalars of `text` that may reach a terminal: each control character, line separator, surrogate,
  /// unassigned or private scalar becomes "?", direction marks and other invisible formatting disappear.
  ///
  /// Names and labels come from files: an escape sequence in one must not act.
  package static func sanitised(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.compactMap { scalar in
      if scalar.value >= 0x20, scalar.value < 0x7F { return scalar }
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: return "?"
      case .format: return nil
      default: return scalar
      }
    }
  }

  /// `text` cut to at most `width` columns, with "…" at its end where something was cut.
  package static func truncated(_ text: String, to width: Int) -> String {
    guard width > 0 else { return "" }
    let scalars = sanitised(text)
    guard scalars.reduce(0, { $0 + columns($1) }) > width else { return String(scalars) }
    var kept = String.UnicodeScalarView()
    var used = 0
    for scalar in scalars {
      let wide = columns(scalar)
      if used + wide > width - 1 { break }
      kept.append(scalar)
      used += wide
    }
    kept.append("…")
    return String(kept)
  }
}

extension String {
  /// Text of scalars.
  fileprivate init(_ scalars: [Unicode.Scalar]) { self.init(String.UnicodeScalarView(scalars)) }
}
