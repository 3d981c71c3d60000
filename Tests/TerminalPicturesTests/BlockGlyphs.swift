import Screen

/// A block element as Unicode defines it, for tests: what it covers of a cell of 8 x 24 parts.
struct BlockGlyph {
  let character: Unicode.Scalar
  /// Whether each part is covered, row by row.
  let covered: [Bool]

  static let columns = 8
  static let rows = 24

  private init(_ value: UInt32, _ covers: (_ x: Int, _ y: Int) -> Bool) {
    character = Unicode.Scalar(value) ?? "?"
    covered = (0..<Self.rows).flatMap { y in (0..<Self.columns).map { covers($0, y) } }
  }

  /// Whether it is one of the sextants.
  var isSextant: Bool { character.value >= 0x1FB00 }

  /// Every element that pictures may be made of, but the blank.
  static let all: [BlockGlyph] = {
    var glyphs = [BlockGlyph(0x2580) { _, y in y < 12 }, BlockGlyph(0x2590) { x, _ in x >= 4 }]
    for eighths in 1...8 {
      glyphs.append(BlockGlyph(0x2580 + UInt32(eighths)) { _, y in y >= 24 - 3 * eighths })
    }
    for eighths in 1...7 { glyphs.append(BlockGlyph(0x2590 - UInt32(eighths)) { x, _ in x < eighths }) }
    // Upper left, upper right, lower left, lower right.
    let quadrants: [[Int]] = [
      [2], [3], [0], [0, 2, 3], [0, 3], [0, 1, 2], [0, 1, 3], [1], [1, 2], [1, 2, 3],
    ]
    for (position, quadrant) in quadrants.enumerated() {
      glyphs.append(
        BlockGlyph(0x2596 + UInt32(position)) { x, y in quadrant.contains(x / 4 + y / 12 * 2) })
    }
    let patterns = (1..<63).filter { $0 != 0b010101 && $0 != 0b101010 }
    for (position, pattern) in patterns.enumerated() {
      glyphs.append(
        BlockGlyph(0x1FB00 + UInt32(position)) { x, y in pattern >> (x / 4 + y / 8 * 2) & 1 == 1 })
    }
    return glyphs
  }()

  private static let byCharacter = Dictionary(uniqueKeysWithValues: all.map { ($0.character, $0) })

  /// The element of a cell; nil for a blank.
  static func of(_ cell: Cell) -> BlockGlyph? { byCharacter[cell.character] }
}

extension Cell {
  /// The colours of its 8 x 24 parts, row by row; nil where it has none.
  var parts: [RGB]? {
    guard let background = style.background.rgb else { return nil }
    guard character != " " else {
      return [RGB](repeating: background, count: BlockGlyph.columns * BlockGlyph.rows)
    }
    guard let glyph = BlockGlyph.of(self), let foreground = style.foreground.rgb else { return nil }
    return glyph.covered.map { $0 ? foreground : background }
  }
}

extension Colour {
  /// The colour itself; nil for the terminal's own.
  var rgb: RGB? {
    guard case .rgb(let red, let green, let blue) = self else { return nil }
    return RGB(red, green, blue)
  }
}
