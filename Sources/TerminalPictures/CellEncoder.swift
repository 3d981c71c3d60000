import Screen

/// An encoder whose pictures are cells: one cell after the other, without memory.
protocol CellEncoder: PictureEncoder {
  /// The colours of the terminal.
  var depth: TerminalCapabilities.ColourDepth { get }
  /// Whether ``cell(_:left:top:row:column:)`` needs ``BlendedPicture/kinds``.
  var needsKinds: Bool { get }

  /// What a cell shows.
  /// - Parameters:
  ///   - picture: The picture, with its layers blended for `depth`.
  ///   - left, top: The first pixel of the cell in the picture.
  ///   - row, column: The cell on the screen, to which patterns are fixed, so that scrolling changes only cells whose
  ///     pixels change.
  mutating func cell(_ picture: BlendedPicture, left: Int, top: Int, row: Int, column: Int) -> Cell
}

extension CellEncoder {
  var needsKinds: Bool { false }

  package mutating func encode(_ frame: Frame) -> EncodedFrame {
    var cells = frame.cells
    let shown = frame.shownPictures
    for (position, picture) in frame.pictures.enumerated() {
      let blended = BlendedPicture(picture, depth: depth, keepsKinds: needsKinds)
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
    let (width, height) = (image.width, image.height)
    let kindsOfEntries = BlendedPicture.kinds(of: picture.layers)
    markCount = kindsOfEntries.markCount
    letters = picture.layers.flatMap { $0.entries.compactMap(\.letter) }
    var kinds = [UInt32](repeating: 0, count: keepsKinds && !picture.layers.isEmpty ? image.pixels.count : 0)
    for (layer, entryKinds) in zip(picture.layers, kindsOfEntries.byLayer) {
      let blends = layer.entries.map { entry in
        entry.opacity < 1 && (depth == .trueColour || depth == .mono)
          ? BlendTable(entry.colour, opacity: entry.opacity) : nil
      }
      let door = ScreenDoor(picture, layer, depth: depth)
      layer.numbers.withUnsafeBufferPointer { numbers in
        image.pixels.withUnsafeMutableBufferPointer { pixels in
          kinds.withUnsafeMutableBufferPointer { kinds in
            // SAFETY: a layer has a number for each pixel, and an entry for each number.
            for y in 0..<height {
              for pixel in y * width..<(y + 1) * width where numbers[pixel] != 0 {
                let number = Int(numbers[pixel]) - 1
                if let blend = blends[number] {
                  pixels[pixel] = blend.over(pixels[pixel])
                } else if let colour = door.colour(of: number, pixel - y * width, y, numbers) {
                  pixels[pixel] = colour
                } else {
                  continue
                }
                if !kinds.isEmpty { kinds[pixel] = entryKinds[number] }
              }
            }
          }
        }
      }
    }
    buffer = image
    self.kinds = kinds
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

/// Blends one colour with every value of a channel.
private struct BlendTable {
  private var red, green, blue: [UInt8]

  init(_ colour: RGB, opacity: Double) {
    let blends = (0...255).map { RGB(grey: UInt8($0)).blended(with: colour, opacity: opacity) }
    (red, green, blue) = (blends.map(\.red), blends.map(\.green), blends.map(\.blue))
  }

  func over(_ colour: RGB) -> RGB {
    RGB(red[Int(colour.red)], green[Int(colour.green)], blue[Int(colour.blue)])
  }
}
