import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// Extents of images in millimetres along left-right, front-back, and head-foot.
private let shapes: [(name: String, size: SIMD3<Double>)] = [
  ("abdominal CT", SIMD3(380, 380, 275)), ("chest CT", SIMD3(400, 300, 300)),
  ("head MR", SIMD3(181, 217, 181)),
  ("whole body", SIMD3(500, 500, 1000)), ("MR slab", SIMD3(220, 220, 120)),
  ("hippocampus", SIMD3(35, 51, 35)),
  ("thin slab", SIMD3(350, 350, 60)), ("prostate", SIMD3(180, 180, 60)), ("one slice", SIMD3(200, 200, 1)),
  ("wide", SIMD3(600, 200, 200)), ("micrometres", SIMD3(0.02, 0.01, 0.03)),
]

private let screens = [(110, 30), (120, 40), (132, 43), (160, 50), (200, 60), (238, 67), (400, 100)].map {
  ScreenSize(rows: $1, columns: $0)
}

private func extents(_ size: SIMD3<Double>) -> [AnatomicalPlane: SIMD2<Double>] {
  [
    .axial: SIMD2(size.x, size.y), .coronal: SIMD2(size.x, size.z), .sagittal: SIMD2(size.y, size.z),
  ]
}

private func layout(
  _ screen: ScreenSize, _ size: SIMD3<Double>, versions: [PaneVersion?] = [nil], grid: [VersionID] = [],
  stripColumns: Int = 0,
  isMaximised: Bool = false, showsPanel: Bool = true
) -> ScreenLayout {
  ScreenLayout(
    screen: screen, active: .axial, isMaximised: isMaximised, showsPanel: showsPanel,
    contents: PaneContents(extents: extents(size), versions: versions, grid: grid, stripColumns: stripColumns)
  )
}

/// The smallest number of millimetres per column at which a slice fits into a picture.
private func fitting(_ plane: AnatomicalPlane, _ picture: Rectangle, _ size: SIMD3<Double>) -> Double {
  let extent = extents(size)[plane]!
  return max(extent.x / Double(picture.columns), extent.y / Double(2 * picture.rows))
}

@Suite struct LayoutTests {
  @Test("panes lie in the body beside the panel and do not overlap, whatever is shown", arguments: shapes)
  func panesTile(name: String, size: SIMD3<Double>) {
    for screen in screens {
      for (versions, gridCount) in [
        ([nil], 0), ([PaneVersion.side(.a), .side(.b)], 0), ([nil], 2), ([nil], 3), ([nil], 4),
      ] {
        for showsPanel in [true, false] {
          let layout = layout(
            screen, size, versions: versions, grid: (0..<gridCount).map { VersionID($0 + 1) },
            stripColumns: 4,
            showsPanel: showsPanel)
          let body = Rectangle(
            row: 1, column: 0, rows: screen.rows - 5, columns: screen.columns - layout.panel.columns)
          let parts = layout.panes.flatMap { [$0.title, $0.picture, $0.strip] }.filter { !$0.isEmpty }
          for (position, part) in parts.enumerated() {
            #expect(part.intersection(body) == part, "\(name) \(screen)")
            #expect(parts.dropFirst(position + 1).allSatisfy { $0.intersection(part).isEmpty })
          }
          for pane in layout.panes {
            #expect(pane.picture.rows >= 2 && pane.picture.columns >= 5)
            #expect(pane.strip.isEmpty || pane.title.columns >= ScreenLayout.stripMinimumColumns)
          }
          #expect(layout.panel.isEmpty == !showsPanel)
        }
      }
    }
  }

  @Test("a millimetre is the same in all panes, and every slice fits", arguments: shapes)
  func oneScale(name: String, size: SIMD3<Double>) {
    for screen in screens {
      let panes = layout(screen, size).panes
      #expect(panes.map(\.plane) == AnatomicalPlane.allCases)
      let scales = Set(panes.map(\.millimetresPerColumn))
      #expect(scales.count == 1)
      #expect(scales.first == panes.map { fitting($0.plane, $0.picture, size) }.max())
    }
  }

  @Test(
    "the picture is never smaller than one large plane beside two small ones in fixed places",
    arguments: shapes)
  func largestPicture(name: String, size: SIMD3<Double>) {
    for screen in screens {
      let found = layout(screen, size)
      let body = (rows: screen.rows - 5, columns: screen.columns - found.panel.columns - 1)
      let left = body.columns * 11 / 20
      let right = body.columns - left - 1
      let fixed = [
        (AnatomicalPlane.axial, left, body.rows - 1), (.coronal, right, body.rows / 2 - 1),
        (.sagittal, right, body.rows - body.rows / 2 - 1),
      ].map { plane, columns, rows in
        fitting(plane, Rectangle(row: 0, column: 0, rows: rows, columns: columns), size)
      }
      // The drawn area grows with the inverse square of what a column covers; of almost equal ones the first is taken.
      #expect(found.panes[0].millimetresPerColumn <= fixed.max()! * 1.0102, "\(name) \(screen)")
    }
  }

  @Test(
    "a wide image gets its wide plane above two, a tall one its planes side by side, a thin one above each other"
  )
  func arrangements() {
    func arrangement(_ size: SIMD3<Double>) -> [[Int]] {
      let panes = layout(ScreenSize(rows: 40, columns: 120), size).panes
      let rows = Set(panes.map(\.title.row)).sorted()
      return rows.map { row in panes.indices.filter { panes[$0].title.row == row } }
    }
    #expect(arrangement(SIMD3(400, 300, 300)) == [[0], [1, 2]])
    #expect(arrangement(SIMD3(500, 500, 1000)) == [[0, 1, 2]])
    #expect(arrangement(SIMD3(350, 350, 60)) == [[0], [1], [2]])
    #expect(arrangement(SIMD3(380, 380, 275)) == [[0, 1], [2]])
  }

  @Test("\\ hides the panel and brings it back; a section that receives keys is always seen")
  func panel() throws {
    var state = try openedState(screen: ScreenSize(rows: 40, columns: 120))
    #expect(state.layout.panel.columns == 36)
    state.type("\\")
    #expect(state.layout.panel.isEmpty)
    #expect(!render(state).text.contains { $0.contains("Labels") })
    state.type("b")
    #expect(state.layout.panel.columns == 36)
    state.press(.escape)
    #expect(state.layout.panel.isEmpty)
    state.type("\\")
    #expect(state.layout.panel.columns == 36)
  }

  @Test("without the panel a screen of fewer columns has room for three planes")
  func narrowThreePlanes() throws {
    var state = try openedState(screen: ScreenSize(rows: 32, columns: 90))
    #expect(state.layout.panes.count == 1)
    state.type("\\")
    #expect(state.layout.panes.count == 3)
    state.type("o")
    #expect(state.layout.panes.count == 1)
  }
}
