import Screen

/// The distinct colours of a picture and the number of each pixel's colour.
struct TilePalette {
  /// The colours, in the order of their numbers.
  let colours: [RGB]
  /// For each pixel, the number of its colour from 0.
  let numbers: [UInt8]

  /// The colours of a picture, those of one tint by brightness; nil where it has more than 256, also where channels that
  /// differ by 3 count as one.
  ///
  /// Greys under labels have some hundred colours, of which no eye tells neighbours apart.
  /// - Complexity: O(pixels).
  init?(_ picture: PixelBuffer) {
    guard let own = Self.numbers(of: picture) else { return nil }
    let ownColours = own.firstPixels.map { picture.pixels[$0] }
    guard let few = Self.merged(ownColours) else { return nil }
    // Neighbouring pixels have close numbers where those of one tint follow each other, as greys under a label do.
    let order = few.firstPixels.indices.map { position in
      let colour = ownColours[few.firstPixels[position]]
      let tint = (
        (Int(colour.red) - Int(colour.green) + 258) / 4, (Int(colour.green) - Int(colour.blue) + 258) / 4
      )
      return tint.0 << 40 | tint.1 << 32 | colour.luminance << 16 | position
    }.sorted().map { $0 & 0xFFFF }
    colours = order.map { ownColours[few.firstPixels[$0]] }
    var places = [UInt8](repeating: 0, count: order.count)
    for (place, position) in order.enumerated() { places[position] = UInt8(place) }
    numbers = own.map(to: few.map(to: places))
  }

  /// The colours of a picture, if need be without the two lowest bits; nil where they are more than 1024.
  private static func numbers(of picture: PixelBuffer) -> ColourNumbers? {
    ColourNumbers(picture, maximum: 1024) { key($0) }
      ?? ColourNumbers(picture, maximum: 1024) { key($0) & 0xFC_FCFC }
  }

  /// Numbers at most 256 colours for many, as few of the lowest bits as possible left out; nil where they are more.
  private static func merged(_ colours: [RGB]) -> ColourNumbers? {
    let row = PixelBuffer(width: colours.count, height: 1, pixels: colours)
    return ColourNumbers(row, maximum: 256) { key($0) }
      ?? ColourNumbers(row, maximum: 256) { key($0) & 0xFE_FEFE }
      ?? ColourNumbers(row, maximum: 256) { key($0) & 0xFC_FCFC }
  }

  private static func key(_ colour: RGB) -> UInt32 {
    UInt32(colour.red) << 16 | UInt32(colour.green) << 8 | UInt32(colour.blue)
  }
}

extension PixelBuffer {
  /// The value of each pixel of a picture of greys; nil where it has another colour.
  /// - Complexity: O(pixels).
  var greyValues: [UInt8]? {
    var isGrey = true
    let values = [UInt8](unsafeUninitializedCapacity: pixels.count) { values, count in
      pixels.withUnsafeBufferPointer { pixels in
        // SAFETY: there is a value for each pixel.
        for start in stride(from: 0, to: pixels.count, by: 256) where isGrey {
          // Whole blocks without a branch are faster than a branch for each pixel.
          var difference: UInt8 = 0
          for pixel in start..<min(start + 256, pixels.count) {
            let colour = pixels[pixel]
            values[pixel] = colour.green
            difference |= (colour.red ^ colour.green) | (colour.blue ^ colour.green)
          }
          isGrey = difference == 0
          count = min(start + 256, pixels.count)
        }
      }
    }
    return isGrey ? values : nil
  }
}
