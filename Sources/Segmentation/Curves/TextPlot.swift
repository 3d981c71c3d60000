import Foundation
import Work

/// Curves drawn in text: braille dots, two by four per cell, or one letter per cell.
package struct TextPlot {
  /// The text above the plot.
  package var title: String
  /// The curves; later ones are drawn over earlier ones.
  package var curves: [LearningCurve]
  /// Iterations of the axis; at least those of the curves.
  package var iterations: Int
  /// Characters of the whole plot, with axes and title.
  package var columns, rows: Int
  /// Whether braille may be used.
  package var showsUnicode = true
  /// Whether curves have a colour each, by ANSI sequences.
  package var showsColour = false

  /// ANSI colours in the order of the curves: cyan, yellow, magenta, green, blue, red.
  private static let colours = [36, 33, 35, 32, 34, 31]
  private static let letters: [Character] = ["*", "o", "+", "x", "#", "%"]

  /// A plot of `columns` by `rows` characters.
  package init(
    title: String, curves: [LearningCurve], iterations: Int, columns: Int, rows: Int,
    showsUnicode: Bool = true,
    showsColour: Bool = false
  ) {
    self.title = title
    self.curves = curves
    self.iterations = iterations
    self.columns = columns
    self.rows = rows
    self.showsUnicode = showsUnicode
    self.showsColour = showsColour
  }

  /// `rows` lines of `columns` characters each, escape sequences not counted.
  package var lines: [String] {
    let width = max(columns - 7, 8)
    let height = max(rows - 2, 3)
    let axis = CurveAxis(valuesOf: curves, ticks: 3)
    var canvas = DotCanvas(columns: width, rows: height)
    let last = Double(max(iterations, curves.flatMap(\.points).map(\.iteration).max() ?? 1, 1))
    for (index, curve) in curves.enumerated() {
      let points = curve.points.map { point in
        (
          x: Double(point.iteration) / last * Double(canvas.dotColumns - 1),
          y: (1 - axis.fraction(point.value)) * Double(canvas.dotRows - 1)
        )
      }
      for (from, to) in zip(points, points.dropFirst()) { canvas.line(from: from, to: to, owner: index) }
      if let only = points.first, points.count == 1 { canvas.line(from: only, to: only, owner: index) }
    }
    var lines = [padded(legend, visible: visibleLegendCount)]
    for row in 0..<height {
      let label = row == 0 ? axis.text(axis.upper) : row == height - 1 ? axis.text(axis.lower) : ""
      let rule = showsUnicode ? "│" : "|"
      let cells = (0..<width).map { column in cell(canvas, column, row) }.joined()
      lines.append(String(repeating: " ", count: max(0, 6 - label.count)) + label.prefix(6) + rule + cells)
    }
    let end = "\(Int(saturating: last))"
    let gap = String(repeating: " ", count: max(1, width - 1 - end.count))
    lines.append(padded("      0" + gap + end, visible: 7 + gap.count + end.count))
    return lines
  }

  private var visibleLegendCount: Int {
    title.count + (curves.count > 1 ? curves.reduce(0) { $0 + 4 + $1.name.count } : 0)
  }

  /// The title, and each curve's mark and name where there are several.
  private var legend: String {
    guard curves.count > 1 else { return title }
    return title
      + curves.enumerated().map { index, curve in
        let mark = showsUnicode && showsColour ? "━" : String(Self.letters[index % Self.letters.count])
        return "  " + coloured(mark, index) + " " + curve.name
      }.joined()
  }

  private func cell(_ canvas: DotCanvas, _ column: Int, _ row: Int) -> String {
    let (dots, owner) = canvas.cell(column, row)
    guard dots != 0 else { return " " }
    // Without colour, braille curves cannot be distinguished.
    if showsUnicode, showsColour || curves.count == 1 {
      let braille = Unicode.Scalar(0x2800 + UInt32(dots)).map { String(Character($0)) } ?? " "
      return coloured(braille, owner)
    }
    return coloured(String(Self.letters[owner % Self.letters.count]), owner)
  }

  private func coloured(_ text: String, _ index: Int) -> String {
    showsColour ? "\u{1b}[\(Self.colours[index % Self.colours.count])m\(text)\u{1b}[0m" : text
  }

  private func padded(_ text: String, visible: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - visible))
  }
}

/// Cells of two by four dots; each cell has the colour of the curve that was drawn in it last.
private struct DotCanvas {
  let columns, rows: Int
  private var dots: [UInt8]
  private var owners: [Int]
  /// Bits of a braille character by row and column of the dot.
  private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    dots = [UInt8](repeating: 0, count: columns * rows)
    owners = [Int](repeating: 0, count: columns * rows)
  }

  var dotColumns: Int { 2 * columns }
  var dotRows: Int { 4 * rows }

  func cell(_ column: Int, _ row: Int) -> (dots: UInt8, owner: Int) {
    (dots[row * columns + column], owners[row * columns + column])
  }

  mutating func line(from: (x: Double, y: Double), to: (x: Double, y: Double), owner: Int) {
    let steps = max(1, Int(saturating: max(abs(to.x - from.x), abs(to.y - from.y)).rounded(.up)))
    for step in 0...steps {
      let fraction = Double(step) / Double(steps)
      set(
        Int(saturating: (from.x + fraction * (to.x - from.x)).rounded()),
        Int(saturating: (from.y + fraction * (to.y - from.y)).rounded()),
        owner: owner)
    }
  }

  private mutating func set(_ x: Int, _ y: Int, owner: Int) {
    guard x >= 0, y >= 0, x < dotColumns, y < dotRows else { return }
    let index = y / 4 * columns + x / 2
    dots[index] |= Self.bits[y % 4][x % 2]
    owners[index] = owner
  }
}
