import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// The state of two readers' masks on a terminal with pixels.
private func state(_ mode: PictureMode, _ cell: PixelsPerCell = PixelsPerCell(columns: 8, rows: 16)) throws
  -> ReviewState
{
  try comparedState(
    40, 120,
    TerminalCapabilities(
      colourDepth: .trueColour, showsUnicode: true, pictureMode: mode, cellSize: cell))
}

@Suite("Pictures of many pixels")
struct PicturePixelTests {
  @Test("fill the panes with the pixels of the mode and the detail")
  func sizes() throws {
    for mode in PictureMode.allCases {
      let state = try state(mode)
      for detail in [PictureDetail.full, .coarse] {
        var samples = PaneSamples()
        let pictures = render(state, detail, reusing: &samples).pictures
        #expect(pictures.map(\.area) == state.layout.panes.map(\.picture))
        let pixels = state.capabilities.pixelsPerCell(detail)
        #expect(pictures.map(\.pixelsPerCell) == pictures.map { _ in pixels }, "\(mode) \(detail)")
      }
    }
  }

  @Test("have outlines at every border between classes, one or two pixels wide")
  func borders() throws {
    let state = try state(.kitty)
    for pane in state.layout.panes {
      let projection = state.projection(pane)
      var classes = PixelClasses(projection)
      var random = SplitMix64(seed: 7)
      for block in 0..<400 {
        let x = Int.random(in: 0..<projection.width, using: &random)
        let y = Int.random(in: 0..<projection.height, using: &random)
        for row in y..<min(y + 9, projection.height) {
          for column in x..<min(x + 30, projection.width) {
            classes.values[row * projection.width + column] = UInt16(block % 4)
          }
        }
      }
      for thickness in [1, 2] {
        let expected = classes.values.indices.map { pixel -> UInt16 in
          let (x, y) = (pixel % classes.width, pixel / classes.width)
          let own = classes.values[pixel]
          let isBorder = (1...thickness).contains { distance in
            [(x - distance, y), (x + distance, y), (x, y - distance), (x, y + distance)].contains {
              (column, row) in
              let inside = (
                min(max(0, column), classes.width - 1), min(max(0, row), classes.height - 1)
              )
              return classes.values[inside.1 * classes.width + inside.0] != own
            }
          }
          return isBorder ? own : 0
        }
        #expect(classes.borders(thickness: thickness) == expected, "\(thickness)")
      }
    }
  }

  @Test("have a crosshair whose gap is the same number of cells, and wider lines where cells are fine")
  func crosshair() throws {
    for (cell, width) in [
      (PixelsPerCell(columns: 8, rows: 16), 1), (PixelsPerCell(columns: 12, rows: 24), 2),
    ] {
      var state = try state(.kitty, cell)
      state.command("compare off")
      let pane = state.layout.panes[0]
      let picture = try #require(render(state).pictures.first { $0.area == pane.picture })
      let marks = try #require(picture.layers.last)
      let (x, y) = state.projection(pane).pixel(of: state.view.crosshair)
      let row = (0..<picture.image.width).filter { marks.numbers[y * picture.image.width + $0] == 0 }
      let column = (0..<picture.image.height).filter { marks.numbers[$0 * picture.image.width + x] == 0 }
      #expect(row == Array(x - 3 * cell.columns...x + 3 * cell.columns))
      #expect(column == Array(y - 3 * cell.rows / 2...y + 3 * cell.rows / 2))
      #expect(marks.numbers.prefix(picture.image.width).count { $0 != 0 } == width)
    }
  }

  @Test("have titles that say how much of a voxel the smallest visible part of a cell shows")
  func titles() throws {
    let expected: [(PictureMode, Double)] = [
      (.characters, 1), (.backgrounds, 1), (.halfBlocks, 1), (.blocks, 2), (.sextants, 2), (.sixel, 8),
      (.kitty, 8), (.kittyPlaceholders, 8),
    ]
    for (mode, columns) in expected {
      let state = try state(mode)
      let visible = state.visibleVoxels(state.layout.panes[0])
      let cell = state.layout.panes[0].millimetresPerColumn / state.view.zoom
      #expect(
        abs(visible.across * columns - cell / state.geometry(.axial).horizontalSpacing) < 1e-9, "\(mode)")
    }
  }

  @Test("are not drawn for a click, which finds what it finds in the frame")
  func clicks() throws {
    let state = try state(.kitty)
    let frame = render(state)
    #expect(!frame.clickAreas.isEmpty)
    for area in frame.clickAreas {
      let cell = ScreenCell(row: area.area.row, column: area.area.column)
      #expect(state.clickTarget(at: cell) == frame.clickTarget(at: cell))
    }
  }
}
