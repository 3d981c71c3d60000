import Screen

/// The graphics protocol of kitty: each tile is an image of its own in the terminal.
struct KittyProtocol: PixelProtocol {
  var tileSize: PixelTileSize { PixelTileSize(rows: 4, columns: 16) }

  /// How an image gets to its cells.
  enum Placement: Hashable, Sendable {
    /// At the cursor, over the cells.
    case cursor
    /// By characters that stand for parts of it, which any program can move like text; ids are colours of 24 bits.
    case placeholders
  }

  private let placement: Placement
  private let transport: PictureTransport
  private var ids: ImageIDs
  /// The image of each tile.
  private var images: [Int: Int] = [:]

  init(_ placement: Placement, over transport: PictureTransport) {
    self.placement = placement
    self.transport = transport
    ids = ImageIDs(programNumber: transport.programNumber)
  }

  /// A PNG file in base 64.
  func encode(_ tile: PixelTile) -> [UInt8] {
    var text: [UInt8] = []
    let pixels = tile.hasFewShades ? tile.pixels.withFewShades : tile.pixels
    text.appendBase64(pixels.withoutRepetition.png(hasFewShades: tile.hasFewShades))
    return text
  }

  mutating func show(
    _ tile: PixelTile, _ encoded: [UInt8], replacing last: PixelTile?, to bytes: inout [UInt8]
  ) {
    let old = images[tile.number]
    switch placement {
    case .cursor:
      // The new image covers the old one before that is removed, so that the screen does not flicker.
      guard let id = ids.take() else { return }
      transport.send(at: ScreenCell(row: tile.area.row, column: tile.area.column), to: &bytes) { graphics in
        appendTransmission(of: tile.area, encoded, id: id, to: &graphics)
      }
      images[tile.number] = id
      if let old { remove(image: old, to: &bytes) }
    case .placeholders:
      guard let id = old ?? ids.take() else { return }
      transport.send(to: &bytes) { appendTransmission(of: tile.area, encoded, id: id, to: &$0) }
      images[tile.number] = id
      if tile.area != last?.area { appendPlaceholders(tile.area, id: id, to: &bytes) }
    }
  }

  mutating func remove(_ tile: PixelTile, to bytes: inout [UInt8]) {
    if let id = images.removeValue(forKey: tile.number) { remove(image: id, to: &bytes) }
  }

  mutating func removeAll(to bytes: inout [UInt8]) {
    for (_, id) in images.sorted(by: { $0.key < $1.key }) { remove(image: id, to: &bytes) }
    images = [:]
    bytes += removal
  }

  var coversText: Bool { placement == .cursor }

  var removal: [UInt8] {
    var bytes: [UInt8] = []
    // By the level of all images that are placed at the cursor; by the range of ids, which newer terminals know, also
    // those of placeholders.
    transport.send(to: &bytes) { graphics in
      graphics.appendCommand("a=d,d=Z,z=\(ids.range.lowerBound),q=2")
      graphics.appendCommand("a=d,d=R,x=\(ids.range.lowerBound),y=\(ids.range.upperBound),q=2")
    }
    return bytes
  }

  /// Removes an image and its data.
  private mutating func remove(image id: Int, to bytes: inout [UInt8]) {
    transport.send(to: &bytes) { $0.appendCommand("a=d,d=I,i=\(id),q=2") }
    ids.giveBack(id)
  }

  /// Longest payload of a command.
  private static let chunkLength = 4096

  /// Appends the commands that send an image and place it.
  private func appendTransmission(
    of area: Rectangle, _ encoded: [UInt8], id: Int, to bytes: inout [UInt8]
  ) {
    let place =
      switch placement {
      case .cursor: "C=1,z=\(ids.range.lowerBound)"
      case .placeholders: "U=1"
      }
    let head = "a=T,f=100,i=\(id),p=1,q=2,\(place),c=\(area.columns),r=\(area.rows)"
    for start in stride(from: 0, to: encoded.count, by: Self.chunkLength) {
      let end = min(start + Self.chunkLength, encoded.count)
      let more = end < encoded.count ? "m=1" : "m=0"
      bytes.appendCommand(start == 0 ? "\(head),\(more)" : "\(more),q=2", payload: encoded[start..<end])
    }
  }

  /// The marks that say which row or column of an image a placeholder shows, in the order of kitty's table.
  private static let diacritics: [Unicode.Scalar] = [
    "\u{0305}", "\u{030D}", "\u{030E}", "\u{0310}", "\u{0312}", "\u{033D}", "\u{033E}", "\u{033F}",
    "\u{0346}", "\u{034A}", "\u{034B}", "\u{034C}", "\u{0350}", "\u{0351}", "\u{0352}", "\u{0357}",
  ]

  private func appendPlaceholders(_ area: Rectangle, id: Int, to bytes: inout [UInt8]) {
    for row in 0..<area.rows {
      bytes.moveCursor(to: ScreenCell(row: area.row + row, column: area.column))
      bytes += "\u{1B}[0;38;2;\(id >> 16);\(id >> 8 & 255);\(id & 255)m".utf8
      // Each cell says its row and column, because programs between may send any part of a line again.
      for column in 0..<area.columns {
        bytes += "\u{10EEEE}".utf8
        bytes += String(Self.diacritics[row]).utf8
        bytes += String(Self.diacritics[column]).utf8
      }
    }
    bytes += "\u{1B}[0m".utf8
  }
}

/// The ids of a program's images.
private struct ImageIDs {
  /// The ids that the program may use; those of other programs lie elsewhere.
  let range: ClosedRange<Int>
  private var next: Int
  private var free: [Int] = []

  /// Ids per program: a tile of each two cells of a screen of 400 x 150 does not need as many.
  private static let count = 8192

  /// The range of a program: one of 2047 between the small numbers, which many programs choose, and 24 bits.
  init(programNumber: Int) {
    let position = 1 + Int(programNumber.magnitude % 2047)
    range = position * Self.count...(position + 1) * Self.count - 1
    next = range.lowerBound
  }

  /// An id that is not in use; nil where there is none.
  mutating func take() -> Int? {
    if let id = free.popLast() { return id }
    guard next <= range.upperBound else { return nil }
    defer { next += 1 }
    return next
  }

  mutating func giveBack(_ id: Int) { free.append(id) }
}

extension PixelBuffer {
  /// The same picture with 32 shades of each channel, from 0 to 255.
  fileprivate var withFewShades: PixelBuffer {
    func rounded(_ value: UInt8) -> UInt8 { value & 0xF8 | value >> 5 }
    return PixelBuffer(
      width: width, height: height,
      pixels: pixels.map { RGB(rounded($0.red), rounded($0.green), rounded($0.blue)) })
  }

  /// One pixel in place of a buffer of one colour; as the terminal enlarges it, it looks the same.
  fileprivate var withoutRepetition: PixelBuffer {
    guard let first = pixels.first, pixels.allSatisfy({ $0 == first }) else { return self }
    return PixelBuffer(width: 1, height: 1, filling: first)
  }
}

extension [UInt8] {
  /// Appends a command of the protocol.
  fileprivate mutating func appendCommand(_ keys: String, payload: ArraySlice<UInt8> = []) {
    self += "\u{1B}_G".utf8
    self += keys.utf8
    if !payload.isEmpty {
      append(UInt8(ascii: ";"))
      self += payload
    }
    self += "\u{1B}\\".utf8
  }
}
