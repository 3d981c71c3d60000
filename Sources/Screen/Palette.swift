/// The fixed palettes of terminals, and the nearest entry to a colour.
package enum Palette {
  /// The colours that xterm gives its 256 entries; users change only the first 16.
  package static let xterm256: [RGB] = {
    let cube: [UInt8] = [0, 95, 135, 175, 215, 255]
    return sixteen
      + (0..<216).map { RGB(cube[$0 / 36], cube[$0 / 6 % 6], cube[$0 % 6]) }
      + (0..<24).map { RGB(grey: UInt8(8 + 10 * $0)) }
  }()

  /// The first 16 entries as xterm has them.
  package static let sixteen: [RGB] = [
    RGB(0, 0, 0), RGB(205, 0, 0), RGB(0, 205, 0), RGB(205, 205, 0), RGB(0, 0, 238), RGB(205, 0, 205),
    RGB(0, 205, 205), RGB(229, 229, 229), RGB(127, 127, 127), RGB(255, 0, 0), RGB(0, 255, 0),
    RGB(255, 255, 0),
    RGB(92, 92, 255), RGB(255, 0, 255), RGB(0, 255, 255), RGB(255, 255, 255),
  ]

  /// The 30 neutral greys among entries 16...255, dark to bright: value and entry.
  package static let neutralGreys: [(value: UInt8, index: Int)] = (16..<256)
    .filter { xterm256[$0].red == xterm256[$0].green && xterm256[$0].green == xterm256[$0].blue }
    .map { (xterm256[$0].red, $0) }
    .sorted { $0.value < $1.value }

  /// The neutral greys that `depth` can show, dark to bright; all 256 with true colour, none with mono.
  package static func greys(_ depth: TerminalCapabilities.ColourDepth) -> [UInt8] {
    switch depth {
    case .mono: []
    case .sixteen: [0, 127, 229, 255]
    case .indexed256: neutralGreys.map(\.value)
    case .trueColour: Array(0...255)
    }
  }

  /// The entry, 16...255, that is nearest to `colour`: greys stay grey, and hue counts more than lightness, so that a
  /// tinted pixel keeps its tint.
  package static func index256(_ colour: RGB) -> Int {
    if colour.red == colour.green, colour.green == colour.blue { return nearestGrey[Int(colour.red)] }
    return Int(table256[code(colour)])
  }

  /// The entry, 0...15, that is nearest to `colour`; a colour with a strong tint never becomes a grey.
  package static func index16(_ colour: RGB) -> Int {
    let greatest = max(colour.red, colour.green, colour.blue)
    let isTinted = greatest - min(colour.red, colour.green, colour.blue) >= leastTint
    return Int((isTinted ? tintedTable16 : table16)[code(colour)])
  }

  /// The difference of a colour's parts from which on 16 colours show its hue.
  private static let leastTint = 72

  private static func code(_ colour: RGB) -> Int {
    (Int(colour.red) >> 3) << 10 | (Int(colour.green) >> 3) << 5 | Int(colour.blue) >> 3
  }

  private static let nearestGrey: [Int] = (0..<256).map { value in
    neutralGreys.min { abs(Int($0.value) - value) < abs(Int($1.value) - value) }?.index ?? 16
  }

  // Five bits of each part decide; 32 768 entries, made at first use (about 20 ms).
  private static let table256 = nearestTable(Array(xterm256.enumerated().dropFirst(16)))
  private static let table16 = nearestTable(Array(sixteen.enumerated()))
  private static let tintedTable16 = nearestTable(
    sixteen.enumerated().filter { $0.element.red != $0.element.green || $0.element.green != $0.element.blue })

  private static func nearestTable(_ palette: [(offset: Int, element: RGB)]) -> [UInt8] {
    func parts(_ colour: RGB) -> SIMD3<Int32> {
      let (red, green, blue) = (Int32(colour.red), Int32(colour.green), Int32(colour.blue))
      // Lightness and two opponent hues, all in the same unit.
      return SIMD3(red + green + blue, 2 * (red - green), red + green - 2 * blue)
    }
    let entries = palette.map { (index: $0.offset, parts: parts($0.element)) }
    return (0..<32768).map { code in
      let middle = { (bits: Int) in UInt8((bits & 31) << 3 | (bits & 31) >> 2) }
      let wanted = parts(RGB(middle(code >> 10), middle(code >> 5), middle(code)))
      var best = 0
      var smallest = Int32.max
      for (index, entry) in entries {
        let difference = entry &- wanted
        let distance = (difference &* difference).wrappedSum()
        if distance < smallest { (best, smallest) = (index, distance) }
      }
      return UInt8(best)
    }
  }
}
