import Screen

/// A picture as one buffer of colours.
struct BlendedPicture {
  /// The colours.
  let buffer: PixelBuffer
  /// Pixels of a cell.
  let pixelsPerCell: PixelsPerCell
  /// What each pixel shows: 0 for the image alone, up to `markCount` for a mark, above that for a label.
  ///
  /// Of labels, a later layer and in a layer a later entry has the greater number. Empty where no layer is shown or where
  /// they were not asked for.
  let kinds: [UInt32]
  /// The number of entries that are no labels.
  let markCount: UInt32
  /// The letters of the labels, in the order of their kinds.
  let letters: [Unicode.Scalar]

  /// Blends the layers of a picture over its image.
  ///
  /// With few colours a blend would be grey; there an entry covers some pixels and leaves others free (``ScreenDoor``),
  /// which keeps both the hue and the image.
  /// - Complexity: O(pixels) for each layer.
  init(_ picture: Picture, depth: TerminalCapabilities.ColourDepth, keepsKinds: Bool = false) {
    pixelsPerCell = picture.pixelsPerCell
    var image = picture.image
    let kindsOfEntries = BlendedPicture.kinds(of: picture.layers)
    markCount = kindsOfEntries.markCount
    letters = picture.layers.flatMap { $0.entries.compactMap(\.letter) }
    var kinds = [UInt32](repeating: 0, count: keepsKinds && !picture.layers.isEmpty ? image.pixels.count : 0)
    for (layer, entryKinds) in zip(picture.layers, kindsOfEntries.byLayer) {
      let door = depth == .trueColour || depth == .mono ? nil : ScreenDoor(picture, layer, depth: depth)
      image.lay(layer, through: door, entryKinds, &kinds)
    }
    buffer = image
    self.kinds = kinds
  }

  /// The same picture in blocks of one colour, of which a row of a block is a few bytes.
  ///
  /// Greys are those of the terminal, so that no dither divides a block.
  func coarsened(_ depth: TerminalCapabilities.ColourDepth) -> BlendedPicture {
    let (width, height) = (8 * pixelsPerCell.columns, 4 * pixelsPerCell.rows)
    let greys = Palette.greys(depth)
    var coarse = buffer
    for top in stride(from: 0, to: buffer.height, by: height) {
      let rows = top..<min(top + height, buffer.height)
      for left in stride(from: 0, to: buffer.width, by: width) {
        let columns = left..<min(left + width, buffer.width)
        var colour = buffer.mean(columns, rows)
        if colour.red == colour.green, colour.green == colour.blue,
          let grey = greys.min(by: { abs(Int($0) - Int(colour.red)) < abs(Int($1) - Int(colour.red)) })
        {
          colour = RGB(grey: grey)
        }
        for y in rows { for x in columns { coarse.pixels[y * buffer.width + x] = colour } }
      }
    }
    return BlendedPicture(coarse, pixelsPerCell)
  }

  /// A picture without layers.
  private init(_ buffer: PixelBuffer, _ pixelsPerCell: PixelsPerCell) {
    self.buffer = buffer
    self.pixelsPerCell = pixelsPerCell
    (kinds, markCount, letters) = ([], 0, [])
  }

  /// For each layer the kinds of its entries.
  private static func kinds(of layers: [PixelLayer]) -> (byLayer: [[UInt32]], markCount: UInt32) {
    var marks = UInt32(0)
    for layer in layers { marks += UInt32(layer.entries.count { $0.letter == nil }) }
    var (mark, label) = (UInt32(0), marks)
    let byLayer = layers.map { layer in
      layer.entries.map { entry in
        if entry.letter == nil {
          mark += 1
          return mark
        }
        label += 1
        return label
      }
    }
    return (byLayer, marks)
  }

  /// The mean colour of some rows of a cell's pixels.
  func mean(left: Int, rows: Range<Int>) -> RGB {
    buffer.mean(left..<left + pixelsPerCell.columns, rows)
  }
}

extension Picture {
  /// The pixels of some of its cells with all layers, blended.
  /// - Complexity: O(pixels of the cells) for each layer.
  func blendedPixels(of cells: Rectangle) -> PixelBuffer {
    let perCell = pixelsPerCell
    let (left, top) = (
      (cells.column - area.column) * perCell.columns, (cells.row - area.row) * perCell.rows
    )
    let (width, height) = (cells.columns * perCell.columns, cells.rows * perCell.rows)
    var colours: [RGB] = []
    colours.reserveCapacity(width * height)
    for y in top..<top + height {
      let start = y * image.width + left
      colours += image.pixels[start..<start + width]
    }
    var part = PixelBuffer(width: width, height: height, pixels: colours)
    var kinds: [UInt32] = []
    for layer in layers {
      part.lay(layer, atColumn: left, row: top, of: image.width, through: nil, [], &kinds)
    }
    return part
  }
}

extension PixelBuffer {
  /// Blends a layer over a picture or a part of it, or covers the pixels that a screen door leaves open.
  ///
  /// - Parameters:
  ///   - column, row: The first pixel of the part in the picture, which has `columns` columns; all of it by default.
  ///   - entryKinds, kinds: `kinds` is empty, or gets for each pixel that is drawn on the kind of its entry.
  fileprivate mutating func lay(
    _ layer: PixelLayer, atColumn column: Int = 0, row: Int = 0, of columns: Int? = nil,
    through door: ScreenDoor?, _ entryKinds: [UInt32], _ kinds: inout [UInt32]
  ) {
    let blends = layer.entries.map { RGB.Blend($0.colour, opacity: $0.opacity) }
    let (width, height, columns) = (width, height, columns ?? width)
    layer.numbers.withUnsafeBufferPointer { numbers in
      pixels.withUnsafeMutableBufferPointer { pixels in
        kinds.withUnsafeMutableBufferPointer { kinds in
          guard let first = numbers.baseAddress, let pixels = pixels.baseAddress else { return }
          // SAFETY: the part lies in the picture, of which a layer has a number for each pixel, and an entry for each
          // number.
          for y in 0..<height {
            let numbersOfRow = first + (row + y) * columns + column
            let pixelsOfRow = pixels + y * width
            var start = 0
            while start < width {
              let end = min(start + 16, width)
              // Most of a picture has nothing of a layer. (Comparing vectors would compare one lane after the other.)
              if end - start == 16 {
                let words = UnsafeRawPointer(numbersOfRow + start).loadUnaligned(as: SIMD4<UInt64>.self)
                if words[0] | words[1] | words[2] | words[3] == 0 {
                  start = end
                  continue
                }
              }
              for x in start..<end where numbersOfRow[x] != 0 {
                let number = Int(numbersOfRow[x]) - 1
                if let door {
                  guard let colour = door.colour(of: number, column + x, row + y, numbers) else { continue }
                  pixelsOfRow[x] = colour
                } else {
                  pixelsOfRow[x] = blends[number].over(pixelsOfRow[x])
                }
                if !kinds.isEmpty { kinds[y * width + x] = entryKinds[number] }
              }
              start = end
            }
          }
        }
      }
    }
  }

  /// The mean colour of a rectangle of pixels, at least one.
  fileprivate func mean(_ columns: Range<Int>, _ rows: Range<Int>) -> RGB {
    if columns.count == 1, rows.count == 1 { return pixels[rows.lowerBound * width + columns.lowerBound] }
    var sum = SIMD3<Int>()
    for y in rows {
      for x in columns {
        let pixel = pixels[y * width + x]
        sum &+= SIMD3(Int(pixel.red), Int(pixel.green), Int(pixel.blue))
      }
    }
    let count = columns.count * rows.count
    let mean = (sum &+ SIMD3(repeating: count / 2)) / SIMD3(repeating: count)
    return RGB(UInt8(mean.x), UInt8(mean.y), UInt8(mean.z))
  }
}
