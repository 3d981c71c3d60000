import Screen

/// The distinct colours of a picture and the number of each pixel's colour.
struct TilePalette {
  /// The colours, in the order of their numbers.
  private(set) var colours: [RGB]
  /// For each pixel, the number of its colour from 0.
  private(set) var numbers: [UInt8]

  /// The colours of a picture; nil where it has more than 256, also where channels that differ by 3 count as one.
  ///
  /// Greys under labels have some hundred colours, of which no eye tells neighbours apart.
  /// - Complexity: O(pixels).
  init?(_ picture: PixelBuffer) {
    for ignoredBits in 0...2 {
      if let palette = TilePalette(picture, ignoredBits: UInt32(ignoredBits)) {
        self = palette
        return
      }
    }
    return nil
  }

  /// The colours of a picture without the lowest bits of each channel; nil where it has more than 256.
  private init?(_ picture: PixelBuffer, ignoredBits: UInt32) {
    let kept: UInt32 = (0xFF << ignoredBits) & 0xFF
    let mask: UInt32 = kept << 16 | kept << 8 | kept
    let found = ColourNumbers(picture, maximum: 256) { colour in
      (UInt32(colour.red) << 16 | UInt32(colour.green) << 8 | UInt32(colour.blue)) & mask
    }
    guard let found else { return nil }
    colours = found.firstPixels.map { picture.pixels[$0] }
    numbers = found.numbers.map { UInt8(truncatingIfNeeded: $0) }
  }

  /// Numbers colours anew so that neighbouring pixels have close numbers: those of one tint follow each other by
  /// brightness, as greys under a label do.
  mutating func sort() {
    let order = colours.indices.map { position in
      let colour = colours[position]
      let tint = (
        (Int(colour.red) - Int(colour.green) + 258) / 4, (Int(colour.green) - Int(colour.blue) + 258) / 4
      )
      return tint.0 << 40 | tint.1 << 32 | colour.luminance << 16 | position
    }.sorted().map { $0 & 0xFFFF }
    colours = order.map { colours[$0] }
    var renumbered = [UInt8](repeating: 0, count: 256)
    for (number, position) in order.enumerated() { renumbered[position] = UInt8(number) }
    for pixel in numbers.indices { numbers[pixel] = renumbered[Int(numbers[pixel])] }
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
