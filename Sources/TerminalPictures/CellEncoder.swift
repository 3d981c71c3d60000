import Screen

/// An encoder whose pictures are cells: one cell after the other, without memory.
protocol CellEncoder: PictureEncoder {
  /// The colours of the terminal.
  var depth: TerminalCapabilities.ColourDepth { get }

  /// What a cell shows.
  /// - Parameters:
  ///   - picture: The picture, with its layers blended for `depth`.
  ///   - left, top: The first pixel of the cell in the picture.
  ///   - row, column: The cell on the screen, to which patterns are fixed, so that scrolling changes only cells whose
  ///     pixels change.
  func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell
}

extension CellEncoder {
  package mutating func encode(_ frame: Frame) -> EncodedFrame {
    var cells = frame.cells
    let shown = frame.shownPictures
    for (position, picture) in frame.pictures.enumerated() {
      let blended = BlendedPicture(picture, depth: depth)
      let pixels = blended.pixelsPerCell
      let area = picture.area.intersection(frame.bounds)
      for row in area.row..<area.row + area.rows {
        for column in area.column..<area.column + area.columns
        where shown[row * frame.columns + column] == Int16(position) {
          cells[row * frame.columns + column] = cell(
            blended, left: (column - picture.area.column) * pixels.columns,
            top: (row - picture.area.row) * pixels.rows, row: row, column: column)
        }
      }
    }
    return EncodedFrame(cells: cells)
  }

  package mutating func reset() {}
}

/// A picture as one buffer of colours.
struct BlendedPicture {
  /// The colours.
  let buffer: PixelBuffer
  /// The picture's layers.
  let layers: [PixelLayer]
  /// Pixels of a cell.
  let pixelsPerCell: PixelsPerCell

  /// Blends the layers of a picture over its image.
  ///
  /// With few colours a blend would be grey; there an ordered dither of 2 x 2 pixels, fixed to the picture, keeps both the
  /// hue and the image.
  /// - Complexity: O(pixels) for each layer.
  init(_ picture: Picture, depth: TerminalCapabilities.ColourDepth) {
    layers = picture.layers
    pixelsPerCell = picture.pixelsPerCell
    var image = picture.image
    for layer in picture.layers {
      BlendedPicture.blend(layer, over: &image, mixesColours: depth == .trueColour || depth == .mono)
    }
    buffer = image
  }

  /// Blends a layer over an image, or covers a part of its pixels where colours are not mixed.
  private static func blend(_ layer: PixelLayer, over image: inout PixelBuffer, mixesColours: Bool) {
    var blends = BlendTables(layer.entries)
    defer { blends.deallocate() }
    let (width, height) = (image.width, image.height)
    layer.numbers.withUnsafeBufferPointer { numbers in
      image.pixels.withUnsafeMutableBufferPointer { pixels in
        guard let numbers = numbers.baseAddress, let pixels = pixels.baseAddress else { return }
        // SAFETY: a layer has a number for each pixel, and an entry for each number.
        for y in 0..<height {
          var pixel = y * width
          let end = pixel + width
          while pixel < end {
            let part = min(16, end - pixel)
            // Most of a picture has nothing of a layer.
            if part == 16,
              UnsafeRawPointer(numbers + pixel).loadUnaligned(as: SIMD16<UInt16>.self) == SIMD16(repeating: 0)
            {
              pixel += part
              continue
            }
            for pixel in pixel..<pixel + part where numbers[pixel] != 0 {
              let number = Int(numbers[pixel]) - 1
              if mixesColours {
                let table = blends.table(number)
                let colour = pixels[pixel]
                pixels[pixel] = RGB(
                  table[Int(colour.red)], table[256 + Int(colour.green)], table[512 + Int(colour.blue)])
              } else if isCovered(pixel - y * width, y, layer.entries[number].opacity) {
                pixels[pixel] = layer.entries[number].colour
              }
            }
            pixel += part
          }
        }
      }
    }
  }

  /// Whether an ordered dither covers a pixel: a quarter, half, three quarters or all of them.
  private static func isCovered(_ x: Int, _ y: Int, _ opacity: Double) -> Bool {
    let threshold = [0, 2, 3, 1][(y & 1) << 1 | (x & 1)]
    return Double(threshold) < (opacity * 4).rounded()
  }

  /// The mean colour of some rows of a cell's pixels.
  func mean(left: Int, rows: Range<Int>) -> RGB {
    if pixelsPerCell.columns == 1, rows.count == 1 {
      return buffer.pixels[rows.lowerBound * buffer.width + left]
    }
    var sum = SIMD3<Int>()
    for y in rows {
      for x in left..<left + pixelsPerCell.columns {
        let pixel = buffer.pixels[y * buffer.width + x]
        sum &+= SIMD3(Int(pixel.red), Int(pixel.green), Int(pixel.blue))
      }
    }
    let count = pixelsPerCell.columns * rows.count
    let mean = (sum &+ SIMD3(repeating: count / 2)) / SIMD3(repeating: count)
    return RGB(UInt8(mean.x), UInt8(mean.y), UInt8(mean.z))
  }
}

/// For each look of a layer, the blends of its colour with every value of a channel: reds, greens and blues, 256 each.
///
/// They are made when they are first asked for, because of many labels few are in a slice.
private struct BlendTables {
  private let entries: [PixelLayer.Entry]
  private var tables: [UnsafeMutablePointer<UInt8>?]

  init(_ entries: [PixelLayer.Entry]) {
    self.entries = entries
    tables = Array(repeating: nil, count: entries.count)
  }

  func deallocate() { for table in tables { table?.deallocate() } }

  @inline(__always)
  mutating func table(_ position: Int) -> UnsafeMutablePointer<UInt8> {
    tables[position] ?? make(position)
  }

  @inline(never)
  private mutating func make(_ position: Int) -> UnsafeMutablePointer<UInt8> {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 3 * 256)
    for value in 0..<256 {
      let blend = RGB(grey: UInt8(value)).blended(
        with: entries[position].colour, opacity: entries[position].opacity)
      (table[value], table[256 + value], table[512 + value]) = (blend.red, blend.green, blend.blue)
    }
    tables[position] = table
    return table
  }
}
