/// A picture in a frame: an image and what is shown above it, over a rectangle of cells.
///
/// Its pixels fill the rectangle evenly. How many of them a cell has is the choice of whoever draws it; encoders
/// (`TerminalPictures`) show any number.
package struct Picture: Hashable, Sendable {
  /// The cells that it covers.
  package var area: Rectangle
  /// The image; its width is a multiple of the area's columns, its height one of the area's rows.
  package var image: PixelBuffer
  /// Layers above the image, from the lowest to the highest.
  package var layers: [PixelLayer]
  /// How much of it is drawn; where it is the coarsest, encoders send as little as they can.
  package var detail: PictureDetail

  /// A picture; every layer has a number for each pixel of the image.
  package init(
    area: Rectangle, image: PixelBuffer, layers: [PixelLayer] = [], detail: PictureDetail = .full
  ) {
    precondition(
      area.isEmpty || image.width % area.columns == 0 && image.height % area.rows == 0,
      "\(image.width) x \(image.height) pixels do not fill \(area.columns) x \(area.rows) cells evenly")
    precondition(layers.allSatisfy { $0.numbers.count == image.pixels.count }, "a layer has another size")
    self.area = area
    self.image = image
    self.layers = layers
    self.detail = detail
  }

  /// Pixels of a cell.
  package var pixelsPerCell: PixelsPerCell {
    area.isEmpty
      ? PixelsPerCell(columns: 1, rows: 1)
      : PixelsPerCell(columns: image.width / area.columns, rows: image.height / area.rows)
  }
}

/// Columns and rows of pixels in a cell.
package struct PixelsPerCell: Hashable, Sendable {
  package var columns, rows: Int

  /// At least one pixel.
  package init(columns: Int, rows: Int) {
    self.columns = max(1, columns)
    self.rows = max(1, rows)
  }
}

extension Cell {
  /// A cell that shows a part of a picture.
  ///
  /// Its character is Unicode's object replacement character, which no text of the program contains.
  package static let picture = Cell("\u{FFFC}")
}

extension Frame {
  /// Draws a picture over the cells of its area that lie in the frame.
  ///
  /// What is drawn later covers it cell by cell.
  package mutating func draw(_ picture: Picture) {
    guard !picture.area.intersection(bounds).isEmpty else { return }
    fill(picture.area, .picture)
    pictures.append(picture)
  }

  /// For each cell, row by row, the position in ``pictures`` of the picture that it shows; -1 for none.
  package var shownPictures: [Int16] {
    var shown = [Int16](repeating: -1, count: cells.count)
    for (position, picture) in pictures.enumerated() {
      let area = picture.area.intersection(bounds)
      for row in area.row..<area.row + area.rows {
        let line = row * columns
        for cell in line + area.column..<line + area.column + area.columns where cells[cell] == .picture {
          shown[cell] = Int16(position)
        }
      }
    }
    return shown
  }
}
