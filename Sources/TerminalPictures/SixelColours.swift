import Screen

/// The colours of a tile in the registers of a sixel image.
struct SixelColours {
  /// The colour of each register in per cent, the unit of the protocol.
  let registers: [Percents]
  /// For each pixel, its register.
  let numbers: [UInt16]

  /// Red, green and blue, 0...100 each.
  struct Percents: Hashable, Sendable {
    var red, green, blue: UInt8
  }

  /// Chooses registers for a picture: its own colours, rounded to some per cent, if they fit; else a fixed palette and an
  /// ordered dither.
  ///
  /// - Parameters:
  ///   - limit: The registers that there are, at least 16.
  ///   - hasFewShades: Whether colours are rounded to 5 per cent, which makes longer runs.
  ///   - column, row: The place of the first pixel on the screen, to which the dither is fixed.
  /// - Complexity: O(pixels).
  init(_ picture: PixelBuffer, limit: Int, hasFewShades: Bool, column: Int, row: Int) {
    if let own = Self.own(picture, limit: limit, hasFewShades) {
      self = own
    } else {
      self.init(dithering: picture, FixedPalette(limit), column: column, row: row)
    }
  }

  private init(registers: [Percents], numbers: [UInt16]) {
    self.registers = registers
    self.numbers = numbers
  }

  /// The picture's own colours, rounded; nil where they do not fit.
  private static func own(_ picture: PixelBuffer, limit: Int, _ hasFewShades: Bool) -> SixelColours? {
    guard let colours = RoundedColours(picture),
      let merged = colours.merged(limit: limit, hasFewShades)
    else { return nil }
    return SixelColours(
      registers: merged.registers, numbers: colours.numbers.map(to: merged.registerOfColour))
  }

  private init(dithering picture: PixelBuffer, _ palette: FixedPalette, column: Int, row: Int) {
    let numbers = [UInt16](unsafeUninitializedCapacity: picture.pixels.count) { numbers, count in
      for y in 0..<picture.height {
        for x in 0..<picture.width {
          numbers[count] = palette.register(picture.pixels[count], x: column + x, y: row + y)
          count += 1
        }
      }
    }
    self.init(registers: palette.registers, numbers: numbers)
  }
}

/// The distinct colours of a picture, rounded to two per cent.
///
/// The 51 levels make runs longer than the protocol's 101 and are hardly fewer to the eye.
private struct RoundedColours {
  typealias Percents = SixelColours.Percents
  private let colours: [Percents]
  /// For each pixel, the number of its colour.
  let numbers: ColourNumbers

  /// Nil where there are more than 2048 of them.
  init?(_ picture: PixelBuffer) {
    let rounded = (0...255).map { UInt8(($0 * 50 + 127) / 255 * 2) }
    let found = rounded.withUnsafeBufferPointer { rounded in
      // SAFETY: there is an entry for each of the 256 values.
      ColourNumbers(picture, maximum: 2048) { colour in
        UInt32(rounded[Int(colour.red)]) << 16 | UInt32(rounded[Int(colour.green)]) << 8
          | UInt32(rounded[Int(colour.blue)])
      }
    }
    guard let found else { return nil }
    numbers = found
    colours = found.keys.map { key in
      Percents(
        red: UInt8(truncatingIfNeeded: key >> 16), green: UInt8(truncatingIfNeeded: key >> 8),
        blue: UInt8(truncatingIfNeeded: key))
    }
  }

  /// The colours, rounded no more than needed, and the register of each; nil where too few colours would be left.
  func merged(limit: Int, _ hasFewShades: Bool) -> (registers: [Percents], registerOfColour: [UInt16])? {
    // With few registers a dither shows more than levels that are far apart.
    let steps = hasFewShades ? [5, 10] : limit < 64 ? [2, 4] : [2, 4, 5, 10]
    return steps.lazy.compactMap { merged(step: $0, limit: limit) }.first
  }

  /// The colours rounded to `step` per cent, and the register of each; nil where they are more than `limit`.
  private func merged(step: Int, limit: Int) -> (registers: [Percents], registerOfColour: [UInt16])? {
    func rounded(_ value: UInt8) -> UInt8 { UInt8(min(100, (Int(value) + step / 2) / step * step)) }
    var registers: [Percents] = []
    var known: [Percents: UInt16] = [:]
    var registerOfColour: [UInt16] = []
    registerOfColour.reserveCapacity(colours.count)
    for colour in colours {
      let merged = Percents(
        red: rounded(colour.red), green: rounded(colour.green), blue: rounded(colour.blue))
      if let register = known[merged] {
        registerOfColour.append(register)
        continue
      }
      if registers.count == limit { return nil }
      known[merged] = UInt16(registers.count)
      registerOfColour.append(UInt16(registers.count))
      registers.append(merged)
    }
    return (registers, registerOfColour)
  }
}

/// Colours for any picture: a cube of red, green and blue, and greys in the other registers.
private struct FixedPalette {
  let registers: [SixelColours.Percents]
  /// Values 0...255 of the cube's levels, and of the greys with their registers, ascending.
  private let levels: [Int]
  private let greys: [(value: Int, register: UInt16)]

  init(_ count: Int) {
    // An eighth of the registers at least is for greys, of which a picture has most.
    var side = 2
    while (side + 1) * (side + 1) * (side + 1) <= count * 7 / 8, side < 6 { side += 1 }
    func percent(_ position: Int, of last: Int) -> UInt8 { UInt8((position * 100 + last / 2) / last) }
    var registers: [SixelColours.Percents] = []
    for colour in 0..<side * side * side {
      registers.append(
        SixelColours.Percents(
          red: percent(colour / side / side, of: side - 1),
          green: percent(colour / side % side, of: side - 1),
          blue: percent(colour % side, of: side - 1)))
    }
    let greyCount = min(100, count - registers.count)
    for grey in 1...greyCount {
      let value = percent(grey, of: greyCount + 1)
      registers.append(SixelColours.Percents(red: value, green: value, blue: value))
    }
    func value(_ percent: UInt8) -> Int { (Int(percent) * 255 + 50) / 100 }
    levels = (0..<side).map { value(percent($0, of: side - 1)) }
    greys = registers.enumerated()
      .filter { $0.element.red == $0.element.green && $0.element.green == $0.element.blue }
      .map { (value($0.element.red), UInt16($0.offset)) }
      .sorted { $0.0 < $1.0 }
    self.registers = registers
  }

  /// The register of a colour at a pixel of the screen.
  func register(_ colour: RGB, x: Int, y: Int) -> UInt16 {
    let (red, green, blue) = (Int(colour.red), Int(colour.green), Int(colour.blue))
    let threshold = Self.thresholds[(y & 7) << 3 | x & 7]
    if max(red, green, blue) - min(red, green, blue) <= 8 {
      return greys[Self.dithered(green, greys.count, { greys[$0].value }, threshold)].register
    }
    let position = { Self.dithered($0, levels.count, { levels[$0] }, threshold) }
    return UInt16((position(red) * levels.count + position(green)) * levels.count + position(blue))
  }

  /// The position of the darker or the brighter of the two steps around a value.
  private static func dithered(_ value: Int, _ count: Int, _ step: (Int) -> Int, _ threshold: Int) -> Int {
    var brighter = 1
    while brighter < count - 1, step(brighter) < value { brighter += 1 }
    let (below, above) = (step(brighter - 1), step(brighter))
    return (value - below) * 64 > threshold * (above - below) + (above - below) / 2 ? brighter : brighter - 1
  }

  /// An ordered dither of 8 x 8 pixels (Bayer).
  private static let thresholds: [Int] = (0..<64).map { pixel in
    let (x, y) = (pixel & 7, pixel >> 3)
    return (0..<3).reduce(0) { sum, bit in
      sum | ((x ^ y) >> bit & 1) << (5 - 2 * bit) | (y >> bit & 1) << (4 - 2 * bit)
    }
  }
}
