import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// The colours of a pane's pixels, row by row.
private func pixels(_ state: ReviewState, _ pane: ScreenLayout.Pane) -> [[Colour]] {
  let frame = shown(state)
  let area = pane.picture
  return (0..<area.rows).flatMap { row -> [[Colour]] in
    let cells = (0..<area.columns).map { frame[area.row + row, area.column + $0] }
    // A blank shows its background in both halves.
    let upper = cells.map { $0.character == "▀" ? $0.style.foreground : $0.style.background }
    return [upper, cells.map(\.style.background)]
  }
}

/// Two readers' masks without crosshair and letters, which cover pixels.
private func bareState(_ rows: Int = 24, _ columns: Int = 80) throws -> ReviewState {
  var state = try comparedState(rows, columns)
  state.type("xX")
  return state
}

/// Which of A and B each pixel of the first pane shows in a state: "a", "b", "=" where both look alike, "?" for
/// neither.
private func shownVersions(_ state: ReviewState) -> [String] {
  var alone = state
  alone.view.comparison = .off
  let pane = state.layout.panes[0]
  let sides = [Decisions.Side.a, .b].map { side in
    alone.decisions.shownSide = side
    return pixels(alone, pane)
  }
  return zip(pixels(state, pane), zip(sides[0], sides[1])).map { found, one in
    zip(found, zip(one.0, one.1)).map { pixel, own in
      own.0 == own.1 ? (pixel == own.0 ? "=" : "?") : pixel == own.0 ? "a" : pixel == own.1 ? "b" : "?"
    }.joined()
  }
}

private let halfBlocks = PixelsPerCell(columns: 1, rows: 2)

@Suite struct ComparisonViewTests {
  @Test("one function decides what a pixel shows in every view")
  func pixelContents() {
    let pane = ComparedPane(
      crosshair: (x: 20, y: 10), width: 40, height: 40, pixelAspect: 1, pixelsPerCell: halfBlocks)
    let pixels = [(0, 0), (8, 0), (8, 8), (20, 10), (28, 10), (29, 10), (20, 18)]
    func contents(_ view: ComparisonView, _ pane: ComparedPane) -> [PixelContent] {
      pixels.map { view.content(ofPixel: $0.0, $0.1, in: pane) }
    }
    let (shown, other) = (PixelContent.labels(of: .shown), PixelContent.labels(of: .other))
    #expect(contents(.off, pane) == pixels.map { _ in shown })
    #expect(contents(.difference, pane) == pixels.map { _ in .difference })
    #expect(contents(.contours, pane) == pixels.map { _ in .fillAndContour })
    #expect(contents(.sideBySide, pane) == pixels.map { _ in shown })
    #expect(contents(.versions, pane) == pixels.map { _ in shown })
    var right = pane
    right.only = .other
    #expect(contents(.sideBySide, right) == pixels.map { _ in other })
    #expect(contents(.checkerboard, pane) == [shown, other, shown, other, shown, shown, shown])
    // The radius is a fifth of the shorter side.
    #expect(pane.spyglassRadius == 8)
    #expect(contents(.spyglass, pane) == [shown, shown, shown, other, other, shown, other])
    let tall = ComparedPane(
      crosshair: (x: 20, y: 10), width: 40, height: 40, pixelAspect: 2, pixelsPerCell: halfBlocks)
    #expect(contents(.spyglass, tall) == [shown, shown, shown, other, other, shown, shown])
  }

  @Test("squares and the circle cover the same cells, whatever the pixels of a cell")
  func cellsOfPixels() {
    func shownCells(_ view: ComparisonView, _ pixels: PixelsPerCell) -> [Bool] {
      let pane = ComparedPane(
        crosshair: (x: 20 * pixels.columns, y: 10 * pixels.rows), width: 40 * pixels.columns,
        height: 20 * pixels.rows, pixelAspect: 2 * Double(pixels.columns) / Double(pixels.rows),
        pixelsPerCell: pixels)
      // The upper left pixel of each cell.
      return (0..<20).flatMap { row in
        (0..<40).map { column in
          view.content(ofPixel: column * pixels.columns, row * pixels.rows, in: pane) == .labels(of: .shown)
        }
      }
    }
    for view in [ComparisonView.checkerboard, .spyglass] {
      let cells = shownCells(view, halfBlocks)
      #expect(Set(cells) == [true, false])
      for pixels in [(4, 8), (8, 16), (12, 24)].map({ PixelsPerCell(columns: $0, rows: $1) }) {
        #expect(shownCells(view, pixels) == cells, "\(view) \(pixels)")
      }
    }
  }

  @Test("the pixels of the spyglass are those whose distance is at most its radius")
  func circle() {
    for (x, y, aspect) in [(20, 10, 1.0), (-3, 12, 1.3), (39, 39, 0.7)] {
      let pane = ComparedPane(
        crosshair: (x: x, y: y), width: 40, height: 40, pixelAspect: aspect, pixelsPerCell: halfBlocks)
      for row in 0..<40 {
        let expected = (0..<40).filter { column in
          let (across, down) = (Double(column - x), Double(row - y) * aspect)
          return (across * across + down * down).squareRoot() <= pane.spyglassRadius
        }
        let found = (0..<40).filter {
          ComparisonView.spyglass.content(ofPixel: $0, row, in: pane) == .labels(of: .other)
        }
        #expect(found == expected, "row \(row)")
      }
    }
  }

  @Test("D goes through the views with a message about each; it changes the view and nothing else")
  func cycling() throws {
    var state = try comparedState(24, 80)
    var seen: [String] = []
    for _ in 0..<7 {
      var expected = state
      state.type("D")
      expected.view.comparison = state.view.comparison
      expected.view.centre = state.view.centre
      expected.message = state.message
      expected.messageLog = state.messageLog
      expected.writtenJournal = state.writtenJournal
      #expect(expected == state)
      seen.append(state.message?.text ?? "")
    }
    #expect(
      seen == [
        "difference: where A and B differ; D is the next view, Esc ends it",
        "side by side: A left, B right; D is the next view, Esc ends it",
        "contours: A filled, B outlined; D is the next view, Esc ends it",
        "checkerboard: A, and B on the darker squares; D is the next view, Esc ends it",
        "spyglass: A, and B in the circle; D is the next view, Esc ends it",
        "versions: 2 versions of one plane; D is the next view, Esc ends it",
        "one version; Tab flips",
      ])
  }

  @Test("compare chooses a view by its name or a prefix of it, and lists the names for any other text")
  func typed() throws {
    var state = try comparedState(24, 80)
    for (name, view) in [
      ("side", ComparisonView.sideBySide), ("contours", .contours), ("checker", .checkerboard),
      ("spyglass", .spyglass), ("versions", .versions), ("diff", .difference), ("off", .off),
    ] {
      state.command("compare \(name)")
      #expect(state.view.comparison == view)
    }
    state.command("compare sideways")
    #expect(
      state.message
        == Message(
          "compare: type difference, side, contours, checker, spyglass, versions or off", .error))
    #expect(state.view.comparison == .off)
  }

  @Test("with one version there is nothing to compare, and views end with the pair")
  func onePair() throws {
    var one = try openedState()
    one.type("D")
    #expect(
      one.message == Message("nothing to compare: run a network (m) or the CRF (t) first", .warning))
    #expect(one.view.comparison == .off)
    // Another pair ends a difference alone; Escape ends every view.
    for (view, after) in [(ComparisonView.difference, ComparisonView.off), (.contours, .contours)] {
      var state = try comparedState(40, 130)
      state.view.comparison = view
      state.decisions.versions.append(
        Version(
          id: VersionID(9), name: "third", origin: .mask(path: "/t.nii"),
          labels: state.decisions.versions[0].labels, table: state.decisions.versions[0].table,
          components: state.decisions.versions[0].components))
      state.type("v")
      state.press(.end)
      state.type("b")
      #expect(state.decisions.b == VersionID(9))
      #expect(state.view.comparison == after)
      state.press(.escape, .escape)
      #expect(state.view.comparison == .off)
    }
  }

  @Test("side by side shows A at the left and B at the right of each plane, however it is flipped")
  func sideBySide() throws {
    for (rows, columns, planes) in [
      (24, 80, [AnatomicalPlane.axial]), (40, 120, [.axial]), (60, 200, AnatomicalPlane.allCases),
    ] {
      var state = try bareState(rows, columns)
      state.type("x|")
      state.command("compare side")
      let panes = state.layout.panes
      #expect(panes.map(\.plane) == planes.flatMap { [$0, $0] })
      #expect(panes.map(\.version) == planes.flatMap { _ in [PaneVersion.side(.a), .side(.b)] })
      for pair in stride(from: 0, to: panes.count, by: 2) {
        #expect(panes[pair].title.row == panes[pair + 1].title.row)
        #expect(panes[pair].title.column < panes[pair + 1].title.column)
      }
      let before = panes.map { pixels(state, $0) }
      #expect(before[0] != before[1])
      state.press(.tab)
      #expect(panes.map { pixels(state, $0) } == before)
      let titles = render(state).text[panes[0].title.row]
      #expect(titles.contains(" A ") && titles.contains(" B "))
    }
  }

  @Test("a checkerboard shows both versions in turn, and its second squares are darker")
  func checkerboard() throws {
    var state = try bareState()
    state.type("u")
    let plain = pixels(state, state.layout.panes[0])
    state.command("compare checker")
    let found = pixels(state, state.layout.panes[0])
    for (y, row) in found.enumerated() {
      for (x, pixel) in row.enumerated() where (x / 8 + y / 8) % 2 == 0 { #expect(pixel == plain[y][x]) }
    }
    #expect(found != plain)
    // A darker square shows the other version where the two differ.
    let dark = found.enumerated().contains { y, row in
      row.enumerated().contains { x, pixel in (x / 8 + y / 8) % 2 == 1 && pixel != plain[y][x] }
    }
    #expect(dark)
  }

  @Test("a spyglass shows the other version in a circle around the crosshair, and the shown one outside")
  func spyglass() throws {
    var state = try bareState()
    state.type("u")
    state.view.crosshair = VoxelIndex(12, 6, 28)
    state.command("compare spyglass")
    let shown = shownVersions(state)
    #expect(shown.contains { $0.contains("a") } && shown.contains { $0.contains("b") })
    let projection = state.projection(state.layout.panes[0])
    let pane = ComparedPane(
      crosshair: projection.pixel(of: state.view.crosshair), width: projection.width,
      height: projection.height, pixelAspect: 1, pixelsPerCell: halfBlocks)
    for (y, row) in shown.enumerated() {
      for (x, version) in row.enumerated() where version == "a" || version == "b" {
        let content = ComparisonView.spyglass.content(ofPixel: x, y, in: pane)
        #expect(content == .labels(of: version == "a" ? .shown : .other))
      }
    }
  }

  @Test("contours outline the other version over the fill of the shown one, and Tab exchanges them")
  func contours() throws {
    var state = try bareState()
    func difference(_ change: (inout ReviewState) -> Void) -> Int {
      var other = state
      change(&other)
      let pane = state.layout.panes[0]
      return zip(pixels(state, pane).joined(), pixels(other, pane).joined()).count { $0 != $1 }
    }
    state.command("compare contours")
    // The style of the overlay is the view's own.
    #expect(difference { $0.type("u") } == 0)
    #expect(difference { $0.press(.tab) } > 0)
    #expect(difference { $0.view.comparison = .off } > 0)
  }

  @Test("the view is journalled, and a difference in a journal of an earlier program is read")
  func journalled() throws {
    let coder = (JSONEncoder(), JSONDecoder())
    for comparison in ComparisonView.allCases {
      var view = ViewState()
      view.comparison = comparison
      view.showsPanel = false
      #expect(try coder.1.decode(ViewState.self, from: coder.0.encode(view)) == view)
    }
    let old = try coder.1.decode(ViewState.self, from: Data(#"{"difference": true}"#.utf8))
    #expect(old.comparison == .difference && old.showsPanel)
    let later = try coder.1.decode(ViewState.self, from: Data(#"{"comparison": "hologram"}"#.utf8))
    #expect(later.comparison == .off)
  }
}
