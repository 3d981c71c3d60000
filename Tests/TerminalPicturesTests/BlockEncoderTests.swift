import Screen
import TerminalPictures
import Testing
import Work

/// The cells of a picture over the whole of a frame.
private func cells(
  _ mode: PictureMode, _ image: PixelBuffer, _ layers: [PixelLayer] = [], rows: Int = 1, columns: Int = 1
) -> [Cell] {
  var frame = Frame(rows: rows, columns: columns)
  frame.draw(Picture(area: frame.bounds, image: image, layers: layers))
  var encoder = pictureEncoder(
    for: TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true, pictureMode: mode))
  return encoder.encode(frame).cells
}

/// An image of random colours, or of random greys.
private func noise(_ width: Int, _ height: Int, isGrey: Bool, _ random: inout SplitMix64) -> PixelBuffer {
  var image = PixelBuffer(width: width, height: height)
  for pixel in image.pixels.indices {
    let bits = random.next()
    let parts = (UInt8(bits & 255), UInt8(bits >> 8 & 255), UInt8(bits >> 16 & 255))
    image.pixels[pixel] = isGrey ? RGB(grey: parts.0) : RGB(parts.0, parts.1, parts.2)
  }
  return image
}

@Test("a picture that is exactly one block is shown by that block or its inverse, in its own two colours")
func everyBlockIsFound() throws {
  let (ink, paper) = (RGB(200, 40, 90), RGB(10, 60, 120))
  for glyph in BlockGlyph.all {
    var image = PixelBuffer(width: BlockGlyph.columns, height: BlockGlyph.rows)
    image.pixels = glyph.covered.map { $0 ? ink : paper }
    let modes: [PictureMode] = glyph.isSextant ? [.sextants] : [.blocks, .sextants]
    for mode in modes { #expect(cells(mode, image)[0].parts == image.pixels, "\(glyph.character), \(mode)") }
  }
}

@Test("a cell of one colour is a blank of that colour")
func oneColour() {
  let image = PixelBuffer(width: 4, height: 8, filling: RGB(1, 2, 3))
  let blank = Cell(" ", Style(background: .rgb(1, 2, 3)))
  #expect(cells(.blocks, image) == [blank])
  #expect(cells(.sextants, image) == [blank])
}

@Test("blocks without sextants are those of every font")
func modesDiffer() {
  var random = SplitMix64(seed: 3)
  let image = noise(160, 160, isGrey: true, &random)
  let blocks = cells(.blocks, image, rows: 20, columns: 40)
  let sextants = cells(.sextants, image, rows: 20, columns: 40)
  #expect(blocks.allSatisfy { $0.character.value < 0x2600 })
  #expect(sextants.contains { $0.character.value >= 0x1FB00 })
}

/// The squared error of the parts of a cell in two mean colours, weighted by luminance.
private func error(_ parts: [RGB], _ covered: [Bool]) -> Double {
  var error = 0.0
  for side in [true, false] {
    let members = zip(parts, covered).filter { $0.1 == side }.map(\.0)
    guard !members.isEmpty else { continue }
    for (channel, weight) in [(\RGB.red, 0.299), (\RGB.green, 0.587), (\RGB.blue, 0.114)] {
      let values = members.map { Double($0[keyPath: channel]) }
      let mean = values.reduce(0, +) / Double(values.count)
      error += weight * values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
  }
  return error
}

@Test("of all blocks, the one with the least squared error is chosen, with the mean colours of its parts")
func leastError() throws {
  var random = SplitMix64(seed: 1)
  for mode in [PictureMode.blocks, .sextants] {
    let glyphs = BlockGlyph.all.filter { mode == .sextants || !$0.isSextant }
    for round in 0..<60 {
      let image = noise(4, 8, isGrey: round.isMultiple(of: 2), &random)
      // A pixel is 2 x 3 of the parts.
      let parts = (0..<BlockGlyph.rows).flatMap { y in
        (0..<BlockGlyph.columns).map { x in image[x / 2, y / 3] }
      }
      let cell = cells(mode, image)[0]
      let chosen = try #require(BlockGlyph.of(cell))
      let least = glyphs.map { error(parts, $0.covered) }.min() ?? 0
      #expect(error(parts, chosen.covered) <= least * 1.0001)
      for (side, colour) in [(true, cell.style.foreground), (false, cell.style.background)] {
        let members = zip(parts, chosen.covered).filter { $0.1 == side }.map(\.0)
        let shown = try #require(colour.rgb)
        for channel in [\RGB.red, \RGB.green, \RGB.blue] {
          let mean = members.reduce(0) { $0 + Double($1[keyPath: channel]) } / Double(members.count)
          #expect(abs(Double(shown[keyPath: channel]) - mean) <= 0.51)
        }
      }
    }
  }
}

private let orange = PixelLayer.Entry(RGB(230, 159, 0), letter: "a")
private let blue = PixelLayer.Entry(RGB(0, 114, 178), letter: "b")

/// A layer with numbers at some pixels of a picture of one cell.
private func layer(_ numbers: [Int: UInt16], _ entries: [PixelLayer.Entry]) -> PixelLayer {
  PixelLayer(numbers: (0..<32).map { numbers[$0] ?? 0 }, entries: entries)
}

@Test("a label of one pixel is seen in its own colour at its place, whatever the image")
func onePixel() throws {
  var random = SplitMix64(seed: 5)
  for mode in [PictureMode.blocks, .sextants] {
    for pixel in 0..<32 {
      let image = noise(4, 8, isGrey: true, &random)
      let parts = try #require(cells(mode, image, [layer([pixel: 1], [orange])])[0].parts)
      let place = (pixel / 4 * 3 + 1) * BlockGlyph.columns + pixel % 4 * 2
      #expect(parts[place] == orange.colour, "\(mode), pixel \(pixel)")
      #expect(parts.count { $0 == orange.colour } <= parts.count / 4)
      #expect(parts.allSatisfy { $0 == orange.colour || $0.red == $0.blue })
    }
  }
}

@Test("two labels in one cell are seen in their own colours, the smaller label however small it is")
func twoLabels() throws {
  var random = SplitMix64(seed: 6)
  for pixel in 0..<32 {
    let image = noise(4, 8, isGrey: true, &random)
    // The right half is the first label.
    var numbers = Dictionary(uniqueKeysWithValues: (0..<32).filter { $0 % 4 > 1 }.map { ($0, UInt16(1)) })
    numbers[pixel] = 2
    let parts = try #require(cells(.blocks, image, [layer(numbers, [orange, blue])])[0].parts)
    #expect(Set(parts) == [orange.colour, blue.colour], "pixel \(pixel)")
  }
}

@Test("each cell that an outline passes shows the outline's colour")
func outline() {
  var random = SplitMix64(seed: 8)
  let (width, height) = (80, 80)
  let image = noise(width, height, isGrey: true, &random)
  var numbers = [UInt16](repeating: 0, count: width * height)
  for y in 0..<height {
    for x in 0..<width {
      let distance = Double((x - 40) * (x - 40) + (y - 40) * (y - 40)).squareRoot()
      if abs(distance - 30) < 0.5 { numbers[y * width + x] = 1 }
    }
  }
  let shown = cells(
    .blocks, image, [PixelLayer(numbers: numbers, entries: [orange])], rows: 10, columns: 20)
  for (position, cell) in shown.enumerated() {
    let (row, column) = (position / 20, position % 20)
    let isPassed = (0..<8).contains { y in
      (0..<4).contains { numbers[(row * 8 + y) * width + column * 4 + $0] == 1 }
    }
    let colours = [cell.style.foreground, cell.style.background]
    #expect(colours.contains(orange.colour.colour) == isPassed, "row \(row), column \(column)")
  }
}

@Test("a mark is one of the two parts of a cell without labels, and gives way to a label")
func marks() throws {
  let mark = PixelLayer.Entry(RGB(255, 255, 255))
  let image = PixelBuffer(width: 4, height: 8, filling: RGB(grey: 40))
  let column = Dictionary(uniqueKeysWithValues: (0..<8).map { ($0 * 4 + 1, UInt16(1)) })
  let alone = try #require(cells(.blocks, image, [layer(column, [mark])])[0].parts)
  #expect(Set(alone) == [mark.colour, RGB(grey: 40)])
  let labelled = try #require(
    cells(.blocks, image, [layer([0: 1], [orange]), layer(column, [mark])])[0].parts)
  #expect(labelled[0] == orange.colour)
}
