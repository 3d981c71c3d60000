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

  package mutating func encode(_ frame: Frame, graphicsLimit: Int) -> EncodedFrame {
    EncodedFrame(cells: cells(of: frame) { _ in true })
  }

  /// The cells of a frame, some of whose pictures have become cells.
  mutating func cells(of frame: Frame, drawing isDrawn: (Picture) -> Bool) -> [Cell] {
    guard frame.pictures.contains(where: isDrawn) else { return frame.cells }
    var cells = frame.cells
    let shown = frame.shownPictures
    for (position, picture) in frame.pictures.enumerated() where isDrawn(picture) {
      var blended = BlendedPicture(picture, depth: depth, keepsKinds: needsKinds)
      if picture.detail == .coarsest { blended = blended.coarsened(depth) }
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
    return cells
  }

  package mutating func reset() {}
}
