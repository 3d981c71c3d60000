import Screen
import TerminalPictures
import Testing

/// A frame with one picture of random pixels.
private func frame(
  rows: Int = 14, columns: Int = 50, _ area: Rectangle? = nil, _ kind: ImageKind = .labels,
  perCell: PixelsPerCell = PixelsPerCell(columns: 6, rows: 12), seed: UInt64 = 1
) -> Frame {
  var numbers = SeededNumbers(seed: seed)
  var frame = Frame(rows: rows, columns: columns)
  let area = area ?? Rectangle(row: 1, column: 3, rows: rows - 3, columns: columns - 5)
  frame.draw(
    Picture(
      area: area,
      image: .random(
        width: area.columns * perCell.columns, height: area.rows * perCell.rows, kind, &numbers)))
  return frame
}

@Test(
  "a terminal shows the pixels of a picture, of many colours or few, of every size of a tile's part",
  arguments: PixelSetup.all)
func pixelsAreShown(_ setup: PixelSetup) {
  for kind in ImageKind.allCases where setup.mode != .sixel || kind != .manyColours {
    for (rows, columns) in [(1, 1), (2, 17), (5, 16), (9, 40)] {
      var encoder = setup.encoder
      var terminal = setup.terminal
      let area = Rectangle(row: 1, column: 2, rows: rows, columns: columns)
      setup.check(frame(area, kind, seed: UInt64(rows)), &encoder, on: &terminal, of: kind)
    }
  }
}

@Test("text over a picture is seen, also a dialog that opens and closes", arguments: PixelSetup.all)
func textCoversPictures(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  let plain = frame()
  var annotated = plain
  annotated.write("R", row: 5, column: 3)
  annotated.write("L", row: 5, column: 47)
  var dialog = annotated
  dialog.fill(Rectangle(row: 3, column: 10, rows: 6, columns: 21))
  dialog.drawBox(Rectangle(row: 3, column: 10, rows: 6, columns: 21), title: "Export")
  for frame in [plain, annotated, dialog, annotated, dialog, plain] {
    setup.check(frame, &encoder, on: &terminal)
  }
}

@Test("of two pictures the later one is seen where they overlap", arguments: PixelSetup.all)
func overlappingPictures(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  var numbers = SeededNumbers(seed: 5)
  for column in [20, 21, 35, 0] {
    var both = frame()
    let area = Rectangle(row: 4, column: column, rows: 6, columns: 18)
    both.draw(Picture(area: area, image: .random(width: 18 * 2, height: 6 * 3, .fewColours, &numbers)))
    setup.check(both, &encoder, on: &terminal)
  }
}

@Test("layers are blended over the image", arguments: PixelSetup.all)
func layersAreBlended(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  var labelled = frame(nil, .greys)
  let pixelCount = labelled.pictures[0].image.pixels.count
  let entries = [PixelLayer.Entry(RGB(230, 159, 0), opacity: 0.5), PixelLayer.Entry(RGB(0, 255, 0))]
  let numbers = (0..<pixelCount).map { UInt16($0 / 31 % 3) }
  labelled.pictures[0].layers = [PixelLayer(numbers: numbers, entries: entries)]
  setup.check(labelled, &encoder, on: &terminal)
  labelled.pictures[0].layers[0].entries[0].opacity = 0.25
  setup.check(labelled, &encoder, on: &terminal)
}

@Test("a coarse picture fills the same cells, and the full one replaces it", arguments: PixelSetup.all)
func coarseThenFull(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  for (columns, rows) in [(6, 12), (2, 4), (3, 4), (1, 1), (6, 12)] {
    setup.check(
      frame(perCell: PixelsPerCell(columns: columns, rows: rows)), &encoder, on: &terminal)
  }
}

@Test("an unchanged picture sends nothing, and one changed pixel one tile", arguments: PixelSetup.all)
func onlyChangesAreSent(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  var changing = frame()
  setup.check(changing, &encoder, on: &terminal)
  #expect(encoder.encode(changing).graphics == [])
  // The same pixels in other memory.
  #expect(encoder.encode(frame()).graphics == [])
  changing.pictures[0].image[100, 30] = RGB(1, 255, 1)
  terminal.forgetCounts()
  setup.check(changing, &encoder, on: &terminal)
  #expect(terminal.imagesSent == 1)
}

@Test("after a reset, and at another size, the whole screen is sent again", arguments: PixelSetup.all)
func resetAndResize(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  setup.check(frame(), &encoder, on: &terminal)
  for (rows, columns) in [(14, 49), (9, 80), (20, 31)] {
    setup.check(frame(rows: rows, columns: columns), &encoder, on: &terminal)
  }
  let images = terminal.images.ids.count
  encoder.reset()
  terminal.forgetCounts()
  setup.check(frame(rows: 20, columns: 31), &encoder, on: &terminal)
  #expect(terminal.imagesSent > 0)
  #expect(terminal.images.ids.count == images)
}

@Test("any sequence of frames is shown as it is meant", arguments: PixelSetup.all)
func randomFrames(_ setup: PixelSetup) {
  for seed in 1...6 as ClosedRange<UInt64> {
    var numbers = SeededNumbers(seed: seed)
    var encoder = setup.encoder
    var terminal = setup.terminal
    var frame = Frame(rows: 12, columns: 40)
    for _ in 0..<12 {
      change(&frame, setup, &numbers)
      setup.check(frame, &encoder, on: &terminal)
    }
    setup.check(Frame(rows: frame.rows, columns: frame.columns), &encoder, on: &terminal)
    #expect(terminal.images.ids == [])
  }
}

@Test("frames of which a part is sent, in any sequence, end in what is meant", arguments: PixelSetup.all)
func randomParts(_ setup: PixelSetup) {
  for seed in 1...6 as ClosedRange<UInt64> {
    var numbers = SeededNumbers(seed: seed + 100)
    var encoder = setup.encoder
    var terminal = setup.terminal
    var frame = Frame(rows: 12, columns: 40)
    for step in 0..<20 {
      change(&frame, setup, &numbers)
      let limit = Int.random(in: 0...9000, using: &numbers)
      let part = encoder.encode(frame, graphicsLimit: limit)
      terminal.receive(part, rows: frame.rows, columns: frame.columns)
      // A placeholder of an image that is gone is blank until its cell gets another one.
      if setup.mode != .kittyPlaceholders { _ = terminal.screen() }
      #expect(terminal.faults == [])
      if part.isComplete { #expect(encoder.encode(frame).graphics == []) }
      if step % 5 == 4 { setup.check(frame, &encoder, on: &terminal) }
    }
  }
}

@Test(
  "a limit is passed by less than a tile for each core, and the last part is complete",
  arguments: PixelSetup.all)
func limits(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  let frame = frame(rows: 40, columns: 120, nil, .greys)
  var wholeEncoder = setup.encoder
  let bytes = wholeEncoder.encode(frame).graphics.count
  var parts: [Int] = []
  while true {
    let part = encoder.encode(frame, graphicsLimit: bytes / 5)
    terminal.receive(part, rows: frame.rows, columns: frame.columns)
    parts.append(part.graphics.count)
    guard !part.isComplete, parts.count < 100 else { break }
  }
  #expect(parts.count > 1 && parts.count <= 6, "\(parts) of \(bytes)")
  #expect(encoder.encode(frame).graphics == [])
  setup.check(frame, &encoder, on: &terminal)
}

@Test(
  "fewer shades take fewer bytes, are close to the picture, and become all shades", arguments: PixelSetup.all)
func fewShades(_ setup: PixelSetup) {
  let full = frame(nil, .greys)
  var few = full
  few.pictures[0].detail = .fewShades
  var (encoder, other) = (setup.encoder, setup.encoder)
  #expect(encoder.encode(few).graphics.count < other.encode(full).graphics.count)
  encoder = setup.encoder
  var terminal = setup.terminal
  setup.check(few, &encoder, on: &terminal)
  setup.check(full, &encoder, on: &terminal, of: .greys)
  // What is shown in all shades stays.
  #expect(encoder.encode(few).graphics == [])
}

@Test("of two pictures the one with the coarsest detail is sent as cells", arguments: PixelSetup.all)
func coarsestAsCells(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  var both = frame(rows: 14, columns: 60, Rectangle(row: 1, column: 2, rows: 12, columns: 20))
  let area = Rectangle(row: 2, column: 30, rows: 10, columns: 24)
  var numbers = SeededNumbers(seed: 9)
  let fine = Picture(area: area, image: .random(width: 24 * 6, height: 10 * 12, .greys, &numbers))
  let coarse = Picture(
    area: area, image: .random(width: 24, height: 20, .greys, &numbers), detail: .coarsest)
  both.draw(fine)
  setup.check(both, &encoder, on: &terminal)
  terminal.forgetCounts()
  both.pictures[1] = coarse
  let encoded = encoder.encode(both)
  terminal.receive(encoded, rows: both.rows, columns: both.columns)
  let screen = terminal.screen()
  #expect(terminal.imagesSent == 0)
  #expect(terminal.faults == [])
  var alone = Frame(rows: both.rows, columns: both.columns)
  alone.draw(coarse)
  var halfBlocks = pictureEncoder(
    for: TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true, pictureMode: .halfBlocks))
  let cells = halfBlocks.encode(alone).cells
  for cell in cells.indices {
    let (row, column) = (cell / both.columns, cell % both.columns)
    let isCoarse = (2..<12).contains(row) && (30..<54).contains(column)
    let isFine = (1..<13).contains(row) && (2..<22).contains(column)
    #expect(encoded.cells[cell] == (isCoarse ? cells[cell] : both.cells[cell]))
    let pixel =
      row * setup.cellSize.rows * both.columns * setup.cellSize.columns
      + column * setup.cellSize.columns
    #expect((screen[pixel] != nil) == isFine)
  }
  both.pictures[1] = fine
  setup.check(both, &encoder, on: &terminal)
}

@Test(
  "a picture that was cells for a moment is shown in pixels again, also where its neighbour was left for later",
  arguments: PixelSetup.all)
func coarseNeighbour(_ setup: PixelSetup) {
  var numbers = SeededNumbers(seed: 5)
  var encoder = setup.encoder
  var terminal = setup.terminal
  // Both are in one tile, whose parts are counted from the left.
  let left = Rectangle(row: 0, column: 0, rows: 4, columns: 9)
  let right = Rectangle(row: 0, column: 9, rows: 3, columns: 6)
  var fine = Frame(rows: 6, columns: 20)
  for area in [left, right] {
    fine.draw(
      Picture(
        area: area, image: .random(width: area.columns * 6, height: area.rows * 12, .fewColours, &numbers)))
  }
  setup.check(fine, &encoder, on: &terminal)
  var coarse = fine
  coarse.pictures[0] = Picture(
    area: left, image: .random(width: left.columns, height: left.rows * 2, .greys, &numbers),
    detail: .coarsest)
  terminal.receive(encoder.encode(coarse, graphicsLimit: 0), rows: coarse.rows, columns: coarse.columns)
  setup.check(fine, &encoder, on: &terminal)
}

/// Changes a frame at random: its size, its pictures, their pixels, text over them.
private func change(_ frame: inout Frame, _ setup: PixelSetup, _ numbers: inout SeededNumbers) {
  func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &numbers) }
  switch random(0...9) {
  case 0:
    frame = Frame(rows: random(1...18), columns: random(1...70))
  case 1...3:
    frame = Frame(rows: frame.rows, columns: frame.columns)
    for _ in 0..<random(1...3) {
      let area = Rectangle(
        row: random(0...frame.rows), column: random(0...frame.columns), rows: random(1...10),
        columns: random(1...40))
      let perCell = [(6, 12), (2, 4), (1, 2)][random(0...2)]
      let kinds: [ImageKind] = [.oneColour, .greys, .fewColours, .labels]
      frame.draw(
        Picture(
          area: area,
          image: .random(
            width: area.columns * perCell.0, height: area.rows * perCell.1, kinds[random(0...3)], &numbers)))
    }
  case 4...6:
    let area = Rectangle(
      row: random(0...frame.rows), column: random(0...frame.columns), rows: random(1...4),
      columns: random(1...20))
    frame.fill(area, Cell("x"))
  default:
    guard let picture = frame.pictures.indices.randomElement(using: &numbers) else { return }
    let count = frame.pictures[picture].image.pixels.count
    for _ in 0..<random(1...9) {
      frame.pictures[picture].image.pixels[random(0...count - 1)] = RGB(7, 90, 200)
    }
  }
}

@Test(
  "what a signal handler writes removes the program's images and no others",
  arguments: PixelSetup.all.filter { $0.mode != .sixel })
func removal(_ setup: PixelSetup) {
  var encoder = setup.encoder
  var terminal = setup.terminal
  terminal.images.add(
    31, KittyImages.Image(pixels: PixelBuffer(width: 1, height: 1), rows: 1, columns: 1, place: nil, level: 0)
  )
  let other = PixelSetup(mode: setup.mode, transport: PictureTransport(programNumber: 4712))
  var otherEncoder = other.encoder
  var otherTerminal = other.terminal
  setup.check(frame(), &encoder, on: &terminal)
  other.check(frame(), &otherEncoder, on: &otherTerminal)
  #expect(Set(terminal.images.ids).isDisjoint(with: otherTerminal.images.ids))
  let all = terminal.images.ids
  terminal.receive(pictureRemoval(for: other.capabilities, over: setup.transport.with(programNumber: 4712)))
  #expect(terminal.images.ids == all)
  terminal.receive(pictureRemoval(for: setup.capabilities, over: setup.transport))
  #expect(terminal.images.ids == [31])
  #expect(terminal.faults == [])
}

extension PictureTransport {
  fileprivate func with(programNumber: Int) -> PictureTransport {
    var transport = self
    transport.programNumber = programNumber
    return transport
  }
}

@Test("placeholders stay where they are while only the pixels of their image change")
func placeholdersAreWrittenOnce() {
  var encoder = PixelSetup(mode: .kittyPlaceholders).encoder
  let isPlaceholder = { (bytes: [UInt8]) in
    String(decoding: bytes, as: UTF8.self).unicodeScalars.contains("\u{10EEEE}")
  }
  #expect(isPlaceholder(encoder.encode(frame(seed: 1)).graphics))
  let second = encoder.encode(frame(seed: 2)).graphics
  #expect(!second.isEmpty && !isPlaceholder(second))
}

@Test("runs and long rows of any bytes are deflated to what zlib inflates", arguments: ImageKind.allCases)
func largeTiles(_ kind: ImageKind) {
  // A tile of 16 x 4 cells of 40 x 80 pixels.
  var setup = PixelSetup(mode: .kitty)
  setup.cellSize = PixelsPerCell(columns: 40, rows: 80)
  var encoder = setup.encoder
  var terminal = setup.terminal
  setup.check(
    frame(
      rows: 4, columns: 16, Rectangle(row: 0, column: 0, rows: 4, columns: 16), kind, perCell: setup.cellSize),
    &encoder, on: &terminal, of: kind)
}
