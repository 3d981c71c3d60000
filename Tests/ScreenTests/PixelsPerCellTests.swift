import Screen
import Testing

private func pixels(_ columns: Int, _ rows: Int, _ detail: PictureDetail) -> PixelsPerCell {
  TerminalCapabilities(
    colourDepth: .trueColour, showsUnicode: true, pictureMode: .kitty,
    cellSize: PixelsPerCell(columns: columns, rows: rows)
  ).pixelsPerCell(detail)
}

@Test(
  "a cell of any size is drawn with all of its pixels, or with half of them and less in cells above 12 x 24",
  arguments: [
    (8, 16, [8, 16], [2, 4]), (9, 18, [9, 18], [3, 6]), (11, 22, [11, 22], [4, 8]),
    (12, 24, [12, 24], [4, 8]), (13, 26, [7, 13], [3, 5]), (14, 29, [7, 15], [2, 5]),
    (17, 37, [9, 19], [3, 7]), (19, 41, [10, 21], [4, 7]), (20, 40, [10, 20], [4, 5]),
  ])
func cellSizes(columns: Int, rows: Int, full: [Int], coarse: [Int]) {
  let found = [pixels(columns, rows, .full), pixels(columns, rows, .coarse)].map { [$0.columns, $0.rows] }
  #expect(found == [full, coarse])
}

@Test("no cell gets pixels that are more than twice as wide as high, or as high as wide, or beyond the limit")
func everyCellSize() {
  for columns in 4...64 {
    for rows in max(8, columns)...min(128, 4 * columns) {
      let full = pixels(columns, rows, .full)
      #expect(full.columns <= 12 && full.rows <= 24, "\(columns) x \(rows): \(full)")
      let aspect = Double(columns * full.rows) / Double(full.columns * rows)
      #expect((0.5...2).contains(aspect), "\(columns) x \(rows): \(full)")
      let limit = max(Double(columns) / 12, Double(rows) / 24).rounded(.up)
      #expect(
        Double(full.columns) * limit * 1.5 >= Double(columns)
          && Double(full.rows) * limit * 1.5 >= Double(rows),
        "\(columns) x \(rows): \(full)")
    }
  }
}
