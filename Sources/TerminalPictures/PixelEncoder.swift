import Foundation
import Screen
import Work

/// Shows pictures as pixels, in tiles of which only those that change are sent.
///
/// Cells of text over a picture are cut out of its tiles, because terminals differ in what they do where text meets
/// pixels. An unchanged picture costs its comparison with the last one, and nothing where it shares the last one's memory.
///
/// Pictures with the coarsest detail become cells, which need the fewest bytes; tiles are laid over them later, some with
/// each frame where a frame has a limit.
struct PixelEncoder<Protocol: PixelProtocol>: PictureEncoder {
  private var pixelProtocol: Protocol
  private var coarse: any CellEncoder
  /// The tiles that the terminal shows, by their number.
  private var shown: [Int: ShownTile] = [:]
  /// The last frame's pictures; they are not copied.
  private var last: [Picture] = []
  /// The size of the last frame; nil before the first one.
  private var size: ScreenSize?

  /// An encoder for a terminal that shows no picture yet; `coarse` draws pictures with the coarsest detail.
  init(_ pixelProtocol: Protocol, coarse: any CellEncoder) {
    self.pixelProtocol = pixelProtocol
    self.coarse = coarse
  }

  package mutating func reset() {
    shown = [:]
    last = []
    size = nil
  }

  package mutating func encode(_ frame: Frame, graphicsLimit: Int) -> EncodedFrame {
    var bytes: [UInt8] = []
    // Tiles are numbered along rows, so that another size makes them other tiles.
    let frameSize = ScreenSize(rows: frame.rows, columns: frame.columns)
    if size != frameSize {
      reset()
      pixelProtocol.removeAll(to: &bytes)
    }
    size = frameSize
    let isUnchanged = frame.pictures.enumerated().map { position, picture in
      position < last.count && picture.isSame(as: last[position])
    }
    last = frame.pictures
    let places = places(frame)
    removeTiles(exceptAt: Set(places.map(\.number)), to: &bytes)
    var changed = places.filter { place in
      guard let known = shown[place.number], known.tile.area == place.area else { return true }
      return !known.isWhole || !isUnchanged[place.picture] || known.picture != place.picture
    }[...]
    while !changed.isEmpty, bytes.count < graphicsLimit {
      let count = count(of: changed, within: graphicsLimit - bytes.count)
      show(Array(changed.prefix(count)), of: frame.pictures, to: &bytes)
      changed = changed.dropFirst(count)
    }
    for place in changed { postpone(place, to: &bytes) }
    return EncodedFrame(
      cells: coarse.cells(of: frame) { $0.detail == .coarsest }, graphics: bytes, isComplete: changed.isEmpty)
  }

  /// The number of places that are drawn at once, so that the limit is passed by few tiles.
  private func count(of places: ArraySlice<Place>, within limit: Int) -> Int {
    let cells = places.reduce(0) { $0 + $1.area.rows * $1.area.columns }
    // A pixel takes less than a byte, and a cell has at most some hundred of them.
    return cells < limit / 256 ? places.count : min(places.count, WorkContext.coreCount)
  }

  /// Sends what has changed at some places.
  private mutating func show(_ places: [Place], of pictures: [Picture], to bytes: inout [UInt8]) {
    for (place, drawn) in zip(places, draw(places, of: pictures)) {
      guard let drawn else {
        shown[place.number]?.picture = place.picture
        continue
      }
      let known = shown[place.number]
      pixelProtocol.show(
        drawn.tile, drawn.encoded, replacing: known?.isWhole == true ? known?.tile : nil, to: &bytes)
      shown[place.number] = ShownTile(tile: drawn.tile, picture: place.picture)
    }
  }

  /// Leaves a place to the next frame: what it showed before stays there, unless it would hide the text of other cells.
  private mutating func postpone(_ place: Place, to bytes: inout [UInt8]) {
    guard let known = shown[place.number] else { return }
    if known.tile.area == place.area {
      shown[place.number]?.picture = nil
    } else if !pixelProtocol.coversText {
      // Its other cells get text or other tiles now.
      shown[place.number]?.isWhole = false
    } else {
      pixelProtocol.remove(known.tile, to: &bytes)
      shown[place.number] = nil
    }
  }

  /// The tiles at some places and their pixels as they are sent, made by all cores; nil where the same pixels are shown.
  private func draw(_ places: [Place], of pictures: [Picture]) -> [(tile: PixelTile, encoded: [UInt8])?] {
    // A small part of the screen is not worth waking other threads.
    let cellCount = places.reduce(0) { $0 + $1.area.rows * $1.area.columns }
    let work = WorkContext(threadCount: cellCount < 512 ? 1 : WorkContext.coreCount)
    do {
      return try work.concurrentMap(places) { place in
        let picture = pictures[place.picture]
        let tile = PixelTile(
          number: place.number, area: place.area, pixels: picture.blendedPixels(of: place.area),
          hasFewShades: picture.detail == .fewShades)
        if let known = shown[place.number], known.isWhole, known.tile.shows(tile) { return nil }
        return (tile, pixelProtocol.encode(tile))
      }
    } catch {
      preconditionFailure("nothing here fails or is cancelled: \(error)")
    }
  }

  private mutating func removeTiles(exceptAt numbers: Set<Int>, to bytes: inout [UInt8]) {
    for number in shown.keys.filter({ !numbers.contains($0) }).sorted() {
      guard let gone = shown.removeValue(forKey: number) else { continue }
      pixelProtocol.remove(gone.tile, to: &bytes)
    }
  }

  /// A tile that the terminal shows.
  private struct ShownTile {
    var tile: PixelTile
    /// The position of its picture in ``last``; nil where the picture has changed since.
    var picture: Int?
    /// Whether all of its cells still show it: while it waits for its turn, cells that no longer belong to its place show
    /// something else.
    var isWhole = true
  }

  /// A rectangle of cells that shows a part of one picture.
  private struct Place {
    var number: Int
    var area: Rectangle
    var picture: Int
  }

  /// The rectangles of a frame's pictures, tile by tile.
  private func places(_ frame: Frame) -> [Place] {
    guard !frame.pictures.isEmpty else { return [] }
    let owners = frame.shownPictures.map { owner in
      owner >= 0 && frame.pictures[Int(owner)].detail == .coarsest ? -1 : owner
    }
    let size = pixelProtocol.tileSize
    // Text divides a tile into as many rectangles as it has cells at most.
    let numbersPerTile = size.rows * size.columns
    let tilesAcross = (frame.columns + size.columns - 1) / size.columns
    var places: [Place] = []
    for top in stride(from: 0, to: frame.rows, by: size.rows) {
      for left in stride(from: 0, to: frame.columns, by: size.columns) {
        let tile = Rectangle(row: top, column: left, rows: size.rows, columns: size.columns)
          .intersection(frame.bounds)
        let first = (top / size.rows * tilesAcross + left / size.columns) * numbersPerTile
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

extension PixelTile {
  /// Whether a tile at the same place shows no more than this one does.
  fileprivate func shows(_ other: PixelTile) -> Bool {
    area == other.area && (!hasFewShades || other.hasFewShades) && pixels.isSame(as: other.pixels)
  }
}

extension PixelBuffer {
  /// `==`, as fast as memory can be compared.
  fileprivate func isSame(as other: PixelBuffer) -> Bool {
    width == other.width && height == other.height && pixels.isSame(as: other.pixels)
  }
}

extension Picture {
  /// `==`, as fast as memory can be compared; at once where both share their memory.
  fileprivate func isSame(as other: Picture) -> Bool {
    guard area == other.area, detail == other.detail, image.width == other.image.width,
      layers.count == other.layers.count
    else { return false }
    return image.pixels.isSame(as: other.image.pixels)
      && zip(layers, other.layers).allSatisfy {
        $0.entries == $1.entries && $0.numbers.isSame(as: $1.numbers)
      }
  }
}

extension Array where Element: BitwiseCopyable {
  /// Whether the elements, which have no padding, have the same bytes.
  fileprivate func isSame(as other: [Element]) -> Bool {
    withUnsafeBytes { mine in other.withUnsafeBytes { mine.isSame(as: $0) } }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func isSame(as other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let mine = baseAddress, let others = other.baseAddress, mine != others else { return true }
    // SAFETY: both have `count` bytes.
    return memcmp(mine, others, count) == 0
  }
}
