import Screen

/// The colours of a tile in the registers of a sixel image.
struct SixelColours {
  /// The colour of each register in per cent, the unit of the protocol, in the order in which they are best painted: those
  /// of one tint follow each other by brightness, so that the next register is the most similar one.
  let registers: [Percents]
  /// For each pixel, the registers that may show it.
  let choices: [Choice]

  /// Red, green and blue, 0...100 each.
  struct Percents: Hashable, Sendable {
    var red, green, blue: UInt8
  }

  /// All registers from one to another.
  struct Choice: BitwiseCopyable, Sendable {
    var first, last: UInt16
  }

  /// Chooses registers for a picture: its own colours, rounded to some per cent, if they fit; else a fixed palette and an
  /// ordered dither.
  ///
  /// - Parameters:
  ///   - limit: The registers that there are, at least 16.
  ///   - hasFewShades: Whether colours are rounded to 5 per cent and a pixel may have the next shade, up to 4 per cent away,
  ///     which makes longer runs.
  ///   - column, row: The place of the first pixel on the screen, to which the dither is fixed.
  /// - Complexity: O(pixels).
  init(_ picture: PixelBuffer, limit: Int, hasFewShades: Bool, column: Int, row: Int) {
    if let own = Self.own(picture, limit: limit, hasFewShades) {
      self = own
    } else {
      self.init(dithering: picture, FixedPalette(limit), column: column, row: row)
    }
  }

  private init(registers: [Percents], choices: [Choice]) {
    self.registers = registers
    self.choices = choices
  }

  /// The picture's own colours, rounded; nil where they do not fit.
  private static func own(_ picture: PixelBuffer, limit: Int, _ hasFewShades: Bool) -> SixelColours? {
    let colours =
      (hasFewShades ? RoundedColours(picture, step: 1) : nil) ?? RoundedColours(picture, step: 2)
    guard let colours, let merged = colours.merged(limit: limit, hasFewShades) else { return nil }
    return SixelColours(
      registers: merged.registers, choices: colours.numbers.map(to: merged.choicesOfColours))
  }

  private init(dithering picture: PixelBuffer, _ palette: FixedPalette, column: Int, row: Int) {
    let choices = [Choice](unsafeUninitializedCapacity: picture.pixels.count) { choices, count in
      for y in 0..<picture.height {
        for x in 0..<picture.width {
          let register = palette.register(picture.pixels[count], x: column + x, y: row + y)
          choices[count] = Choice(first: register, last: register)
          count += 1
        }
      }
    }
    self.init(registers: palette.registers, choices: choices)
  }
}

extension SixelColours.Percents: Comparable {
  /// By tint, greys first, and within a tint by brightness.
  static func < (one: Self, other: Self) -> Bool { one.rank < other.rank }

  private var rank: Int {
    let (red, green, blue) = (Int(red), Int(green), Int(blue))
    // Colours under one label differ a little in tint, because their channels are rounded.
    let tint = ((red - green + 105) / 10, (green - blue + 105) / 10)
    let brightness = 2 * red + 5 * green + blue
    return [tint == (10, 10) ? 0 : 1, tint.0, tint.1, brightness, red, green].reduce(0) { $0 << 10 | $1 }
  }

  /// Whether no channel differs by more than 4 per cent.
  fileprivate func isClose(to other: Self) -> Bool {
    abs(Int(red) - Int(other.red)) <= 4 && abs(Int(green) - Int(other.green)) <= 4
      && abs(Int(blue) - Int(other.blue)) <= 4
  }
}

/// The distinct colours of a picture, rounded to one or two per cent.
///
/// The 51 levels of two per cent make runs longer than the protocol's 101 and are hardly fewer to the eye.
private struct RoundedColours {
  typealias Percents = SixelColours.Percents
  private let colours: [Percents]
  /// For each pixel, the number of its colour.
  let numbers: ColourNumbers

  /// Nil where there are more than 2048 of them.
  init?(_ picture: PixelBuffer, step: Int) {
    let rounded = (0...255).map { UInt8(($0 * (100 / step) + 127) / 255 * step) }
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

  /// The colours, rounded no more than needed, as registers, and those of each colour; nil where too few would be left.
  func merged(
    limit: Int, _ hasFewShades: Bool
  ) -> (registers: [Percents], choicesOfColours: [SixelColours.Choice])? {
    // With few registers a dither shows more than levels that are far apart.
    let steps = hasFewShades ? [5, 10] : limit < 64 ? [2, 4] : [2, 4, 5, 10]
    for step in steps {
      let rounded = colours.map { $0.rounded(to: step) }
      let registers = Set(rounded).sorted()
      if registers.count > limit { continue }
      let places = Dictionary(uniqueKeysWithValues: zip(registers, registers.indices))
      let choices = zip(colours, rounded).map { colour, rounded in
        var (first, last) = (places[rounded]!, places[rounded]!)
        if hasFewShades {
          if first > 0, registers[first - 1].isClose(to: colour) { first -= 1 }
          if last + 1 < registers.count, registers[last + 1].isClose(to: colour) { last += 1 }
        }
        return SixelColours.Choice(first: UInt16(first), last: UInt16(last))
      }
      return (registers, choices)
    }
    return nil
  }
}

extension SixelColours.Percents {
  /// The nearest colour whose channels are multiples of `step`, and 100 at most.
  fileprivate func rounded(to step: Int) -> Self {
    func rounded(_ value: UInt8) -> UInt8 { UInt8(min(100, (Int(value) + step / 2) / step * step)) }
    return Self(red: rounded(red), green: rounded(green), blue: rounded(blue))
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
