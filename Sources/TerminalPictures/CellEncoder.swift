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
      var blended = BlendedPicture(picture, depth: depth, keepsKinds: needsKinds)
      if frame.detail == .coarsest { blended = blended.coarsened(depth) }
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
    let kindsOfEntries = BlendedPicture.kinds(of: picture.layers)
    markCount = kindsOfEntries.markCount
    letters = picture.layers.flatMap { $0.entries.compactMap(\.letter) }
    var kinds = [UInt32](repeating: 0, count: keepsKinds && !picture.layers.isEmpty ? image.pixels.count : 0)
    for (layer, entryKinds) in zip(picture.layers, kindsOfEntries.byLayer) {
      let door = depth == .trueColour || depth == .mono ? nil : ScreenDoor(picture, layer, depth: depth)
      BlendedPicture.blend(layer, over: &image, through: door, entryKinds, &kinds)
    }
    buffer = image
    self.kinds = kinds
  }

  /// Blends a layer over an image, or covers the pixels that a screen door leaves open; `kinds` is empty or gets what each
  /// of these pixels shows.
  private static func blend(
    _ layer: PixelLayer, over image: inout PixelBuffer, through door: ScreenDoor?, _ entryKinds: [UInt32],
    _ kinds: inout [UInt32]
  ) {
    var blends = BlendTables(layer.entries)
    defer { blends.deallocate() }
    let (width, height) = (image.width, image.height)
    layer.numbers.withUnsafeBufferPointer { numbers in
      image.pixels.withUnsafeMutableBufferPointer { pixels in
        kinds.withUnsafeMutableBufferPointer { kinds in
          guard let first = numbers.baseAddress, let pixels = pixels.baseAddress else { return }
          // SAFETY: a layer has a number for each pixel, and an entry for each number.
          for y in 0..<height {
            var pixel = y * width
            let end = pixel + width
            while pixel < end {
              let part = min(16, end - pixel)
              // Most of a picture has nothing of a layer.
              if part == 16,
                UnsafeRawPointer(first + pixel).loadUnaligned(as: SIMD16<UInt16>.self) == SIMD16(repeating: 0)
              {
                pixel += part
                continue
              }
              for pixel in pixel..<pixel + part where first[pixel] != 0 {
                let number = Int(first[pixel]) - 1
                if let door {
                  guard let colour = door.colour(of: number, pixel - y * width, y, numbers) else { continue }
                  pixels[pixel] = colour
                } else {
                  let table = blends.table(number)
                  let colour = pixels[pixel]
                  pixels[pixel] = RGB(
                    table[Int(colour.red)], table[256 + Int(colour.green)], table[512 + Int(colour.blue)])
                }
                if !kinds.isEmpty { kinds[pixel] = entryKinds[number] }
              }
              pixel += part
            }
          }
        }
      }
    }
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

extension PixelBuffer {
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
