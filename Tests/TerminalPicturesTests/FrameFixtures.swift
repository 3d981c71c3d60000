import Screen
import TerminalPictures
import Testing

/// Numbers that are the same in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// What the pixels of a random image are.
enum ImageKind: CaseIterable {
  case oneColour, greys, fewColours, labels, manyColours
}

extension PixelBuffer {
  /// A random image.
  static func random(width: Int, height: Int, _ kind: ImageKind, _ numbers: inout SeededNumbers)
    -> PixelBuffer
  {
    var image = PixelBuffer(width: width, height: height)
    let colours = (0..<5).map { _ in RGB.random(&numbers) }
    let slope = Int.random(in: 1...9, using: &numbers)
    for y in 0..<height {
      for x in 0..<width {
        let grey = RGB(grey: UInt8((x * slope + y * 3 + Int.random(in: 0...7, using: &numbers)) & 255))
        image[x, y] =
          switch kind {
          case .oneColour: colours[0]
          case .greys: grey
          case .fewColours: colours[(x / 3 + y / 5) % 5]
          case .labels: (x / 20 + y / 20) % 2 == 0 ? grey : grey.blended(with: colours[0], opacity: 0.4)
          case .manyColours: RGB.random(&numbers)
          }
      }
    }
    return image
  }
}

extension RGB {
  static func random(_ numbers: inout SeededNumbers) -> RGB {
    let bits = numbers.next()
    return RGB(UInt8(bits & 255), UInt8(bits >> 8 & 255), UInt8(bits >> 16 & 255))
  }
}

/// A terminal that shows pixels, as the tests have it.
struct PixelSetup: CustomTestStringConvertible, Sendable {
  var mode: PictureMode
  var transport = PictureTransport(programNumber: 4711)
  var cellSize = PixelsPerCell(columns: 6, rows: 12)

  var capabilities: TerminalCapabilities {
    TerminalCapabilities(
      colourDepth: .trueColour, showsUnicode: true, pictureMode: mode, cellSize: cellSize)
  }
  var encoder: any PictureEncoder { pictureEncoder(for: capabilities, over: transport) }
  var terminal: DecodedTerminal { DecodedTerminal(cellSize: cellSize, over: transport) }
  var testDescription: String {
    mode.rawValue + (transport.isInsideTmux ? " in tmux" : "")
      + (mode == .sixel ? " with \(transport.sixelRegisters) registers" : "")
  }

  /// How far a channel of a colour may be from what the picture has; colours that fit into a palette are exact but for
  /// sixel's percents.
  func tolerance(_ kind: ImageKind?) -> Int { mode == .sixel || kind == nil || kind == .labels ? 3 : 0 }

  /// Every protocol, with and without tmux.
  static let all: [PixelSetup] = [PictureMode.kitty, .kittyPlaceholders, .sixel].flatMap { mode in
    [
      PixelSetup(mode: mode),
      PixelSetup(
        mode: mode,
        transport: PictureTransport(
          isInsideTmux: true, origin: ScreenCell(row: 3, column: 40), programNumber: 99)),
    ]
  }

  /// The pixels of a frame as the terminal should show them; nil where text is seen.
  func expected(_ frame: Frame) -> [RGB?] {
    var screen = [RGB?](repeating: nil, count: frame.cells.count * cellSize.rows * cellSize.columns)
    let width = frame.columns * cellSize.columns
    let images = frame.pictures.map(\.blended)
    for (cell, owner) in frame.shownPictures.enumerated() where owner >= 0 {
      let picture = frame.pictures[Int(owner)]
      let (row, column) = (cell / frame.columns, cell % frame.columns)
      let perCell = picture.pixelsPerCell
      for y in 0..<cellSize.rows {
        for x in 0..<cellSize.columns {
          screen[(row * cellSize.rows + y) * width + column * cellSize.columns + x] =
            images[Int(owner)][
              (column - picture.area.column) * perCell.columns + x * perCell.columns / cellSize.columns,
              (row - picture.area.row) * perCell.rows + y * perCell.rows / cellSize.rows]
        }
      }
    }
    return screen
  }

  /// Draws a frame and compares the whole screen with what it should be.
  func check(
    _ frame: Frame, _ encoder: inout any PictureEncoder, on terminal: inout DecodedTerminal,
    of kind: ImageKind? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let encoded = encoder.encode(frame)
    terminal.receive(encoded, rows: frame.rows, columns: frame.columns)
    let shown = terminal.screen()
    let wanted = expected(frame)
    #expect(encoded.cells == frame.cells, sourceLocation: sourceLocation)
    #expect(terminal.faults == [], sourceLocation: sourceLocation)
    #expect(shown.count == wanted.count, sourceLocation: sourceLocation)
    let width = frame.columns * cellSize.columns
    let hasFewShades = frame.pictures.contains { $0.detail == .fewShades }
    // Up to 4.5 per cent in sixel; elsewhere the lowest three bits.
    let tolerance = hasFewShades ? mode == .sixel ? 12 : 8 : tolerance(kind)
    let wrong = zip(shown, wanted).enumerated().first { !isClose($0.element.0, $0.element.1, tolerance) }
    if let wrong {
      let (shown, wanted) = wrong.element
      Issue.record(
        """
        pixel \(wrong.offset % width), \(wrong.offset / width) is \(shown.map { "\($0)" } ?? "text"), not \
        \(wanted.map { "\($0)" } ?? "text")
        """, sourceLocation: sourceLocation)
    }
  }

  private func isClose(_ one: RGB?, _ other: RGB?, _ tolerance: Int) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return zip([one.red, one.green, one.blue], [other.red, other.green, other.blue])
      .allSatisfy { abs(Int($0) - Int($1)) <= tolerance }
  }
}

extension Picture {
  /// The image under its layers, pixel by pixel.
  fileprivate var blended: PixelBuffer {
    var image = image
    for layer in layers {
      for pixel in image.pixels.indices where layer.numbers[pixel] > 0 {
        let entry = layer.entries[Int(layer.numbers[pixel]) - 1]
        image.pixels[pixel] = image.pixels[pixel].blended(with: entry.colour, opacity: entry.opacity)
      }
    }
    return image
  }
}
