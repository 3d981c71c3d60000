import Screen
import TerminalPictures
import Testing

/// What a terminal with few colours shows of pictures, cell by cell.
private struct Shown {
  let frame: Frame
  let cells: [Cell]

  /// A picture of one grey with one layer over an area of a screen of 24 x 48 cells.
  ///
  /// - Parameter number: The number of the layer at a pixel, counted from the screen's top left corner.
  init(
    _ mode: PictureMode, _ depth: TerminalCapabilities.ColourDepth, _ pixels: PixelsPerCell,
    area: Rectangle = Rectangle(row: 0, column: 0, rows: 24, columns: 48), grey: UInt8 = 95,
    entries: [PixelLayer.Entry], number: (_ x: Int, _ y: Int) -> UInt16
  ) {
    let image = PixelBuffer(
      width: area.columns * pixels.columns, height: area.rows * pixels.rows, filling: RGB(grey: grey))
    let numbers = (0..<image.height).flatMap { y in
      (0..<image.width).map { x in number(x + area.column * pixels.columns, y + area.row * pixels.rows) }
    }
    var frame = Frame(rows: 24, columns: 48)
    frame.draw(Picture(area: area, image: image, layers: [PixelLayer(numbers: numbers, entries: entries)]))
    var encoder = pictureEncoder(
      for: TerminalCapabilities(colourDepth: depth, showsUnicode: true, pictureMode: mode))
    self.frame = frame
    cells = encoder.encode(frame).cells
  }

  subscript(row: Int, column: Int) -> Cell { cells[row * frame.columns + column] }

  /// The characters, row by row.
  var text: [String] {
    (0..<frame.rows).map { row in
      var line = String.UnicodeScalarView()
      for cell in cells[row * frame.columns..<(row + 1) * frame.columns] { line.append(cell.character) }
      return String(line)
    }
  }
}

extension Cell {
  fileprivate var colours: Set<RGB> {
    Set([character == " " ? nil : style.foreground.rgb, style.background.rgb].compactMap { $0 })
  }
}

private let halves = PixelsPerCell(columns: 1, rows: 2)
private let fine = PixelsPerCell(columns: 4, rows: 8)
private let orange = RGB(230, 159, 0)

@Test(
  "with few colours a fill is dots of the label's own colour, between which the image shows",
  arguments: [
    (PictureMode.halfBlocks, TerminalCapabilities.ColourDepth.indexed256, halves),
    (.blocks, .indexed256, fine), (.sextants, .indexed256, fine), (.blocks, .sixteen, fine),
  ])
func screenDoor(_ mode: PictureMode, _ depth: TerminalCapabilities.ColourDepth, _ pixels: PixelsPerCell) {
  // A grey that both palettes have.
  let grey: UInt8 = depth == .sixteen ? 127 : 95
  let shown = Shown(
    mode, depth, pixels, grey: grey, entries: [PixelLayer.Entry(orange, opacity: 0.5, letter: "a")]
  ) { _, _ in 1 }
  for row in 0..<24 {
    for column in 0..<48 { #expect(shown[row, column].colours == [orange, RGB(grey: grey)]) }
  }
}

@Test(
  "patterns are fixed to the screen: a picture elsewhere shows the same in the same cell",
  arguments: [
    (PictureMode.halfBlocks, TerminalCapabilities.ColourDepth.indexed256, halves),
    (.halfBlocks, .sixteen, halves), (.blocks, .indexed256, fine), (.sextants, .sixteen, fine),
  ])
func patternsStandStill(
  _ mode: PictureMode, _ depth: TerminalCapabilities.ColourDepth, _ pixels: PixelsPerCell
) {
  for hatch in 0..<UInt8(PixelLayer.hatchCount) {
    let entries = [PixelLayer.Entry(orange, opacity: 0.5, letter: "a", hatch: hatch)]
    let whole = Shown(mode, depth, pixels, grey: 100, entries: entries) { _, _ in 1 }
    for area in [
      Rectangle(row: 3, column: 5, rows: 11, columns: 30), Rectangle(row: 2, column: 7, rows: 9, columns: 13),
    ] {
      let part = Shown(mode, depth, pixels, area: area, grey: 100, entries: entries) { _, _ in 1 }
      for row in area.row..<area.row + area.rows {
        for column in area.column..<area.column + area.columns {
          #expect(part[row, column] == whole[row, column])
        }
      }
    }
  }
}

@Test("a label of one pixel is seen in every place, also between the dots of a fill")
func onePixelOfAFill() {
  for depth in [TerminalCapabilities.ColourDepth.indexed256, .sixteen] {
    for hatch in 0..<UInt8(PixelLayer.hatchCount) {
      let entries = [PixelLayer.Entry(orange, opacity: 0.25, letter: "a", hatch: hatch)]
      for (x, y) in [(8, 8), (9, 8), (8, 9), (9, 9), (10, 11), (11, 10)] {
        let shown = Shown(.halfBlocks, depth, halves, entries: entries) { $0 == x && $1 == y ? 1 : 0 }
        #expect(shown[y / 2, x].colours.contains(orange))
      }
    }
  }
}

@Test("with 16 colours labels of one colour differ by their hatches, as fills and as lines")
func hatches() {
  for opacity in [0.5, 1] {
    let looks = (0..<UInt8(PixelLayer.hatchCount)).map { hatch in
      Shown(
        .halfBlocks, .sixteen, halves,
        entries: [PixelLayer.Entry(orange, opacity: opacity, letter: "a", hatch: hatch)]
      ) { _, _ in 1 }.cells
    }
    #expect(Set(looks).count == PixelLayer.hatchCount)
  }
}

@Test("a dashed line with 16 colours is seen in each of its pixels")
func dashes() {
  let entries = [PixelLayer.Entry(orange, letter: "a", hatch: 1)]
  let shown = Shown(.halfBlocks, .sixteen, halves, grey: 255, entries: entries) { _, y in y == 10 ? 1 : 0 }
  for column in 0..<48 {
    #expect(!shown[5, column].colours.isDisjoint(with: [orange, RGB(grey: 0)]))
  }
  #expect(Set((0..<48).map { shown[5, $0] }).count == 2)
}

@Test(
  "without colours a label's letter stands along its border and on a coarse grid, and the image between them")
func letters() {
  let entries = [PixelLayer.Entry(orange, opacity: 0.5, letter: "a"), PixelLayer.Entry(orange, letter: "b")]
  let shown = Shown(
    .characters, .mono, PixelsPerCell(columns: 1, rows: 1),
    area: Rectangle(row: 0, column: 0, rows: 14, columns: 30), grey: 0, entries: entries
  ) { x, y in
    if x == 26, y == 3 { return 2 }
    let (across, down) = (Double(x - 12) / 11, Double(y - 6) / 6)
    return across * across + down * down <= 1 ? 1 : 0
  }
  #expect(
    shown.text.prefix(14).map { String($0.prefix(30)) } == [
      "            a                 ",
      "      aaaaaa-aaaaaa           ",
      "    aa------a------aa         ",
      "   a:-:-:-:-:-:-:-:-:a    b   ",
      "  a-----a-------a-----a       ",
      "  a---:---:---:---:---a       ",
      " a--a-------a-------a--a      ",
      "  a-:-:-:-:-:-:-:-:-:-a       ",
      "  a-----a-------a-----a       ",
      "   a--:---:---:---:--a        ",
      "    aa------a------aa         ",
      "      aaaaaa:aaaaaa           ",
      "            a                 ",
      "                              ",
    ])
}
