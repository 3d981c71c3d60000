/// Columns that text takes on a terminal.
package enum TextWidth {
  /// Blocks whose characters take two columns (Unicode East Asian Width, W and F), without emoji.
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
  package static func columns(_ text: String) -> Int { columns(sanitised(text)) }

  /// The scalars of `text` without terminal controls.
  ///
  /// Each control character, line separator, surrogate, unassigned or private scalar, and the character of
  /// ``Cell/picture``, becomes "?"; direction marks and other format characters are removed.
  ///
  /// Names and labels come from files and may hold escape sequences.
  package static func sanitised(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.compactMap { scalar in
      if scalar.value >= 0x20, scalar.value < 0x7F { return scalar }
      if scalar == Cell.picture.character { return "?" }
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: return "?"
      case .format: return nil
      default: return scalar
      }
    }
  }

  /// `text` in at most `width` columns.
  ///
  /// A longer text is shortened: "…" replaces its middle.
  package static func shortened(_ text: String, to width: Int) -> String {
    shortened([text], to: width)[0]
  }

  /// Texts in at most `width` columns each.
  ///
  /// "…" replaces a part of each longer text: the middle or, where shortened texts would become equal, a part that
  /// keeps them different if there is one.
  /// - Complexity: O(n · width · length) for n texts that would become equal.
  package static func shortened(_ texts: [String], to width: Int) -> [String] {
    guard width > 0 else { return texts.map { _ in "" } }
    let whole = texts.map { sanitised($0) }
    var shown = whole.map { cut($0, to: width, tail: (width - 1) * 2 / 5) }
    let alike = Dictionary(grouping: texts.indices) { shown[$0] }.values.filter { indices in
      Set(indices.map { texts[$0] }).count > 1
    }
    for indices in alike {
      let own = indices.map { whole[$0] }
      let count = Set(own).count
      // From the middle outwards, until the shortened texts differ.
      let tails = (0..<width).sorted { abs($0 * 5 - (width - 1) * 2) < abs($1 * 5 - (width - 1) * 2) }
      let cuts = tails.lazy.map { tail in own.map { cut($0, to: width, tail: tail) } }
      let best = cuts.first { Set($0).count == count } ?? own.map { aroundDifference($0, own, width) }
      for (index, text) in zip(indices, best) { shown[index] = text }
    }
    return shown.map(String.init)
  }

  /// Scalars in at most `width` columns, of which the last `tail` show the end.
  private static func cut(_ scalars: [Unicode.Scalar], to width: Int, tail: Int) -> [Unicode.Scalar] {
    guard columns(scalars) > width else { return scalars }
    return Array(scalars.prefix(filling(scalars, width - 1 - tail)))
      + ["…"] + scalars.suffix(filling(scalars.reversed(), tail))
  }

  /// The scalars after the common prefix of all texts, in at most `width` columns.
  private static func aroundDifference(
    _ scalars: [Unicode.Scalar], _ all: [[Unicode.Scalar]], _ width: Int
  ) -> [Unicode.Scalar] {
    let common = scalars.indices.first { index in
      all.contains { index >= $0.count || $0[index] != scalars[index] }
    }
    let rest = Array(scalars[max(0, (common ?? 0) - 1)...])
    return ["…"] + cut(rest, to: max(1, width - 1), tail: 0)
  }

  /// The number of leading scalars that fit `width` columns.
  private static func filling(_ scalars: [Unicode.Scalar], _ width: Int) -> Int {
    var used = 0
    return scalars.prefix { scalar in
      used += columns(scalar)
      return used <= width
    }.count
  }

  private static func columns(_ scalars: [Unicode.Scalar]) -> Int { scalars.reduce(0) { $0 + columns($1) } }

  /// `text` truncated to at most `width` columns; a longer text ends with "…".
  package static func truncated(_ text: String, to width: Int) -> String {
    guard width > 0 else { return "" }
    let scalars = sanitised(text)
    guard columns(scalars) > width else { return String(scalars) }
    var shown = String.UnicodeScalarView()
    var used = 0
    for scalar in scalars {
      let wide = columns(scalar)
      if used + wide > width - 1 { break }
      shown.append(scalar)
      used += wide
    }
    shown.append("…")
    return String(shown)
  }
}

extension String {
  /// Text of scalars.
  fileprivate init(_ scalars: [Unicode.Scalar]) { self.init(String.UnicodeScalarView(scalars)) }
}
