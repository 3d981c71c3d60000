import Screen

/// Ordered dithering (Bayer 4 x 4) of greys to the greys that a terminal has; colours are unchanged.
struct GreyDither {
  let depth: TerminalCapabilities.ColourDepth
  /// For each grey, the next darker and the next brighter available grey, and its distance from the darker one, 0..<16.
  private let steps: [(darker: UInt8, brighter: UInt8, sixteenths: UInt8)]

  private static let thresholds: [UInt8] = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]
  private static let rampCharacters = Array(" .:-=+*#%@".unicodeScalars)

  init(depth: TerminalCapabilities.ColourDepth) {
    self.depth = depth
    let greys = Palette.greys(depth)
    guard depth == .sixteen || depth == .indexed256 else {
      steps = []
      return
    }
    steps = (0..<256).map { value in
      let darker = greys.last { Int($0) <= value } ?? greys[0]
      let brighter = greys.first { Int($0) >= value } ?? greys[greys.count - 1]
      guard brighter > darker else { return (darker, brighter, 0) }
      return (darker, brighter, UInt8((value - Int(darker)) * 16 / (Int(brighter) - Int(darker))))
    }
  }

  func dithered(_ colour: RGB, x: Int, y: Int) -> RGB {
    guard !steps.isEmpty, colour.red == colour.green, colour.green == colour.blue else { return colour }
    let step = steps[Int(colour.red)]
    return RGB(grey: step.sixteenths > Self.thresholds[(y & 3) << 2 | x & 3] ? step.brighter : step.darker)
  }

  static func character(_ luminance: Int, x: Int, y: Int) -> Unicode.Scalar {
    // Nine steps between ten characters, dithered like the greys.
    let position = luminance * 9 * 16 / 255
    let index = position / 16 + (position % 16 > Int(thresholds[(y & 3) << 2 | x & 3]) ? 1 : 0)
    return rampCharacters[min(9, index)]
  }
}
