import Volumes
import Work

/// Pictures in rows and columns.
package struct ContactSheet: Sendable {
  /// The number of pictures in a row.
  package let columns: Int
  /// The gap between pictures in pixels.
  package let gap: Int

  private static let background = RGBColour(24, 26, 31)

  /// A sheet with at least one column.
  package init(columns: Int, gap: Int = 8) {
    self.columns = max(1, columns)
    self.gap = gap
  }

  /// The width of each picture in a sheet of `width` pixels.
  package func cellWidth(ofWidth width: Int) -> Int { max(1, (width - (columns - 1) * gap) / columns) }

  /// The sheet, row by row from the upper left.
  ///
  /// A column is as wide as its widest picture, and a row as high as its highest. Without pictures, the sheet is empty.
  package func picture(of cells: [Picture]) -> Picture {
    let positions = cells.indices.map { (column: $0 % columns, row: $0 / columns) }
    var widths = [Int](repeating: 0, count: min(columns, cells.count))
    var heights = [Int](repeating: 0, count: (cells.count + columns - 1) / columns)
    for (cell, position) in zip(cells, positions) {
      widths[position.column] = max(widths[position.column], cell.width)
      heights[position.row] = max(heights[position.row], cell.height)
    }
    func start(_ extents: [Int], _ index: Int) -> Int { extents[..<index].reduce(0) { $0 + $1 + gap } }
    func total(_ extents: [Int]) -> Int { extents.reduce(0, +) + max(0, extents.count - 1) * gap }
    var sheet = Picture(width: total(widths), height: total(heights), filling: Self.background)
    for (cell, position) in zip(cells, positions) {
      sheet.draw(cell, x: start(widths, position.column), y: start(heights, position.row))
    }
    return sheet
  }
}

/// The meaning of a colour of a picture.
package struct LegendEntry: Equatable, Sendable {
  package var colour: RGBColour
  /// The structure or voxels that have it: "liver", "only A".
  package var text: String

  package init(_ colour: RGBColour, _ text: String) {
    self.colour = colour
    self.text = text.printableLine
  }
}

/// A title and a legend below a picture.
package struct PictureCaption: Equatable, Sendable {
  /// Lines of text; a line that is wider than the picture is truncated.
  package var lines: [String]
  /// The meanings of the colours, on one or more lines.
  package var legend: [LegendEntry]

  private static let margin = 3
  private static let background = RGBColour(24, 26, 31)
  private static let text = RGBColour(222, 224, 230)
  private static let lineHeight = BitmapFont.height + 2

  package init(_ lines: [String], legend: [LegendEntry] = []) {
    self.lines = lines
    self.legend = legend
  }

  /// The picture with the caption below it.
  package func below(_ picture: Picture) -> Picture {
    let rows = legendRows(width: picture.width - 2 * Self.margin)
    let height = (lines.count + rows.count) * Self.lineHeight + (lines.isEmpty && rows.isEmpty ? 0 : 4)
    var whole = Picture(width: picture.width, height: picture.height + height, filling: Self.background)
    whole.draw(picture, x: 0, y: 0)
    var y = picture.height + 2
    for line in lines {
      let text = BitmapFont.shortened(line.printableLine, to: picture.width - 2 * Self.margin)
      whole.write(text, x: Self.margin, y: y, colour: Self.text)
      y += Self.lineHeight
    }
    for row in rows {
      var x = Self.margin
      for entry in row {
        whole.fill(columns: x..<x + 8, rows: y + 3..<y + 11, with: entry.colour)
        let text = BitmapFont.shortened(entry.text, to: picture.width - x - 11 - Self.margin)
        whole.write(text, x: x + 11, y: y, colour: Self.text)
        x += Self.width(of: entry)
      }
      y += Self.lineHeight
    }
    return whole
  }

  private static func width(of entry: LegendEntry) -> Int { 11 + BitmapFont.width(of: entry.text) + 9 }

  /// The entries of each line.
  private func legendRows(width: Int) -> [[LegendEntry]] {
    var (rows, used): ([[LegendEntry]], Int) = ([], 0)
    for entry in legend {
      let own = Self.width(of: entry)
      if rows.isEmpty || used + own > width {
        rows.append([])
        used = 0
      }
      rows[rows.count - 1].append(entry)
      used += own
    }
    return rows
  }
}
