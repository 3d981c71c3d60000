import Screen

/// A part of a picture that is sent at once: the pixels of a rectangle of cells.
struct PixelTile: Hashable, Sendable {
  /// The place on the screen: tiles that follow each other at one place have the same number, from 0.
  var number: Int
  /// The cells.
  var area: Rectangle
  /// Pixels of the tile; any number of them, which fill the cells evenly.
  var pixels: PixelBuffer
}

/// A protocol in which a terminal takes pixels.
protocol PixelProtocol: Sendable {
  /// Appends what shows a tile over its cells; `last` is the tile that is shown at its place, nil for none.
  ///
  /// The cursor and the style may be changed.
  mutating func show(_ tile: PixelTile, replacing last: PixelTile?, to bytes: inout [UInt8])

  /// Appends what removes a tile; its cells get text or another tile.
  mutating func remove(_ tile: PixelTile, to bytes: inout [UInt8])

  /// Appends what removes every tile, also those of an earlier process; the screen may have been cleared.
  mutating func removeAll(to bytes: inout [UInt8])
}

/// Shows pictures as pixels, in tiles of which only those that change are sent.
///
/// Cells of text over a picture are cut out of its tiles, because terminals differ in what they do where text meets
/// pixels.
struct PixelEncoder<Protocol: PixelProtocol>: PictureEncoder {
  private var pixelProtocol: Protocol
  /// The tiles that the terminal shows.
  private var shown: [Int: PixelTile] = [:]
  private var isFirst = true
  /// The pictures of the last frame and, for each, its cells; a picture that is the same has the same tiles.
  private var last: [(picture: Picture, blended: PixelBuffer)] = []

  /// Rows and columns of a tile.
  private static var tileRows: Int { 4 }
  private static var tileColumns: Int { 16 }
  /// The rectangles into which text can divide a tile; more are never needed, as a tile has so many cells.
  private static var rectanglesPerTile: Int { tileRows * tileColumns }

  /// An encoder for a terminal that shows no picture yet.
  init(_ pixelProtocol: Protocol) { self.pixelProtocol = pixelProtocol }

  package mutating func reset() {
    shown = [:]
    isFirst = true
  }

  package mutating func encode(_ frame: Frame) -> EncodedFrame {
    var bytes: [UInt8] = []
    if isFirst { pixelProtocol.removeAll(to: &bytes) }
    isFirst = false
    let blended = frame.pictures.map { picture in
      last.first { $0.picture == picture }?.blended ?? BlendedPicture(picture, depth: .trueColour).buffer
    }
    last = Array(zip(frame.pictures, blended)).map { (picture: $0, blended: $1) }
    let places = places(frame)
    let numbers = Set(places.map(\.number))
    for (number, tile) in shown.sorted(by: { $0.key < $1.key }) where !numbers.contains(number) {
      pixelProtocol.remove(tile, to: &bytes)
      shown[number] = nil
    }
    for place in places {
      let picture = frame.pictures[place.picture]
      let pixels = blended[place.picture].part(place.area, of: picture)
      let known = shown[place.number]
      let tile = PixelTile(number: place.number, area: place.area, pixels: pixels)
      if tile == known { continue }
      pixelProtocol.show(tile, replacing: known, to: &bytes)
      shown[place.number] = tile
    }
    return EncodedFrame(cells: frame.cells, graphics: bytes)
  }

  /// A rectangle of cells that shows a part of one picture.
  private struct Place {
    var number: Int
    var area: Rectangle
    var picture: Int
  }

  /// The rectangles of a frame's pictures, tile by tile.
  private func places(_ frame: Frame) -> [Place] {
    let owners = frame.shownPictures
    let tilesAcross = (frame.columns + Self.tileColumns - 1) / Self.tileColumns
    var places: [Place] = []
    for top in stride(from: 0, to: frame.rows, by: Self.tileRows) {
      for left in stride(from: 0, to: frame.columns, by: Self.tileColumns) {
        let tile = Rectangle(row: top, column: left, rows: Self.tileRows, columns: Self.tileColumns)
          .intersection(frame.bounds)
        let first =
          (top / Self.tileRows * tilesAcross + left / Self.tileColumns) * Self.rectanglesPerTile
        let rectangles = Self.rectangles(in: tile, owners, columns: frame.columns)
        places += rectangles.enumerated().map { position, rectangle in
          Place(number: first + position, area: rectangle.area, picture: rectangle.picture)
        }
      }
    }
    return places
  }

  /// The runs of cells of one picture in each row of a tile, joined with equal runs of the row above.
  private static func rectangles(
    in tile: Rectangle, _ owners: [Int16], columns: Int
  ) -> [(area: Rectangle, picture: Int)] {
    var found: [(area: Rectangle, picture: Int)] = []
    for row in tile.row..<tile.row + tile.rows {
      var column = tile.column
      while column < tile.column + tile.columns {
        let owner = owners[row * columns + column]
        let start = column
        while column < tile.column + tile.columns, owners[row * columns + column] == owner { column += 1 }
        guard owner >= 0 else { continue }
        let above = found.firstIndex {
          $0.picture == Int(owner) && $0.area.column == start && $0.area.columns == column - start
            && $0.area.row + $0.area.rows == row
        }
        if let above {
          found[above].area.rows += 1
        } else {
          found.append(
            (Rectangle(row: row, column: start, rows: 1, columns: column - start), Int(owner)))
        }
      }
    }
    return found
  }
}

extension PixelBuffer {
  /// The pixels of some cells of a picture with this buffer.
  fileprivate func part(_ cells: Rectangle, of picture: Picture) -> PixelBuffer {
    let perCell = picture.pixelsPerCell
    let left = (cells.column - picture.area.column) * perCell.columns
    let top = (cells.row - picture.area.row) * perCell.rows
    var part = PixelBuffer(width: cells.columns * perCell.columns, height: cells.rows * perCell.rows)
    for y in 0..<part.height {
      let source = (top + y) * width + left
      part.pixels.replaceSubrange(
        y * part.width..<(y + 1) * part.width, with: pixels[source..<source + part.width])
    }
    return part
  }
}
