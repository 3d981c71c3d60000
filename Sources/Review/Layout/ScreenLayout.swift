import Screen
import Volumes
import Work

/// The areas of the screen: title, panes, panel and the lines at the foot.
package struct ScreenLayout: Equatable, Sendable {
  /// A plane's title line and picture.
  package struct Pane: Equatable, Sendable {
    package var plane: AnatomicalPlane
    /// The version of the pane where several are beside each other; nil where the comparison view decides.
    package var version: PaneVersion?
    /// The line above the picture.
    package var title: Rectangle
    package var picture: Rectangle
    /// The strip of all slices to the right of the picture; empty where there is none.
    package var strip: Rectangle
    /// Millimetres per column at zoom 1, the same for all panes.
    package var millimetresPerColumn = 1.0
  }

  /// The smallest usable screen.
  package static let minimum = ScreenSize(rows: 12, columns: 40)
  /// Narrower screens show either the picture or the panel, which takes the place of the picture while it receives keys.
  static let panelBesidePictureColumns = 60
  /// Whether nothing can be laid out on a screen.
  package static func isTooSmall(_ screen: ScreenSize) -> Bool {
    screen.rows < minimum.rows || screen.columns < minimum.columns
  }
  /// The smallest screen with three planes beside the panel.
  package static let threePlanes = ScreenSize(rows: 30, columns: 110)
  /// The smallest area with three planes, and with three planes of two versions each.
  private static let threePlanesArea = ScreenSize(rows: 25, columns: 73)
  private static let sixPanesArea = ScreenSize(rows: 45, columns: 140)

  /// Panes of fewer columns have no strip.
  package static let stripMinimumColumns = 30

  /// Whether the screen is below ``minimum``; nothing else is laid out then.
  package let isTooSmall: Bool
  /// The first line: case, versions, verdict.
  package let title: Rectangle
  /// The planes shown.
  package let panes: [Pane]
  /// Labels, versions and knobs; empty where the panel is hidden.
  package let panel: Rectangle
  /// The lines at the foot of the screen, from top to bottom.
  package let voxelLine, viewLine, messageLine, keyBar: Rectangle

  /// The layout of a screen: of all arrangements of the planes the one with the largest picture.
  /// - Parameters:
  ///   - active: The only plane that is shown, unless there is room for three and it is not maximised.
  ///   - isPanelFocused: Whether the panel receives keys.
  ///   - contents: What the panes show.
  package init(
    screen: ScreenSize, active: AnatomicalPlane, isMaximised: Bool, showsPanel: Bool = true,
    isPanelFocused: Bool = false, contents: PaneContents
  ) {
    let (rows, columns) = (screen.rows, screen.columns)
    isTooSmall = ScreenLayout.isTooSmall(screen)
    guard !isTooSmall else {
      let none = Rectangle(row: 0, column: 0, rows: 0, columns: 0)
      (title, panes, panel) = (none, [], none)
      (voxelLine, viewLine, messageLine, keyBar) = (none, none, none, none)
      return
    }
    func line(_ row: Int) -> Rectangle { Rectangle(row: row, column: 0, rows: 1, columns: columns) }
    title = line(0)
    voxelLine = line(rows - 4)
    viewLine = line(rows - 3)
    messageLine = line(rows - 2)
    keyBar = line(rows - 1)
    let bodyRows = rows - 5
    let panelColumns =
      columns < ScreenLayout.panelBesidePictureColumns
      ? isPanelFocused ? columns : 0
      : !showsPanel ? 0 : columns < 80 ? 32 : min(56, max(36, columns * 27 / 100))
    panel = Rectangle(row: 1, column: columns - panelColumns, rows: bodyRows, columns: panelColumns)
    guard panelColumns < columns else {
      panes = []
      return
    }
    let body = Rectangle(
      row: 1, column: 0, rows: bodyRows, columns: columns - panelColumns - (panelColumns > 0 ? 1 : 0))
    let needed = contents.versions.count > 1 ? ScreenLayout.sixPanesArea : ScreenLayout.threePlanesArea
    let isSingle = isMaximised || body.rows < needed.rows || body.columns < needed.columns
    let arrangements =
      !contents.grid.isEmpty
      ? PaneArrangement.grid(contents.grid, of: active)
      : isSingle ? [.plane(active, contents.versions)] : PaneArrangement.ofThree(contents.versions)
    panes = ScreenLayout.panes(in: body, arrangements, contents)
  }

  /// The panes of the arrangement that shows the image largest.
  private static func panes(
    in body: Rectangle, _ arrangements: [PaneArrangement], _ contents: PaneContents
  ) -> [Pane] {
    var best: [Pane] = []
    for arrangement in arrangements {
      let scale = arrangement.scale(in: body, contents)
      var panes = arrangement.planeAreas(in: body, scale: scale, contents).flatMap { plane, versions, area in
        ScreenLayout.panes(of: plane, versions, in: area, contents)
      }
      let millimetres = panes.reduce(0) { max($0, $1.fittingMillimetresPerColumn(contents)) }
      for index in panes.indices { panes[index].millimetresPerColumn = millimetres }
      if best.isEmpty || millimetres < best[0].millimetresPerColumn * 0.99 { best = panes }
    }
    // The result is in the order of the planes, whatever the arrangement; the versions of a plane keep their order.
    return AnatomicalPlane.allCases.flatMap { plane in best.filter { $0.plane == plane } }
  }

  /// The panes of one plane, one for each version; the last one has the strip.
  private static func panes(
    of plane: AnatomicalPlane, _ versions: [PaneVersion?], in area: Rectangle, _ contents: PaneContents
  ) -> [Pane] {
    let count = versions.count
    let stripColumns = area.columns / count < stripMinimumColumns ? 0 : contents.stripColumns
    let free = area.columns - stripColumns - (count - 1) * PaneArrangement.gapColumns
    var column = area.column
    return versions.enumerated().map { position, version in
      let picture = free * (position + 1) / count - free * position / count
      let columns = picture + (position == count - 1 ? stripColumns : 0)
      let own = Rectangle(row: area.row, column: column, rows: area.rows, columns: columns)
      column += columns + PaneArrangement.gapColumns
      let (title, below) = own.splitTop(1)
      let (strip, shown) = below.splitRight(columns - picture)
      return Pane(plane: plane, version: version, title: title, picture: shown, strip: strip)
    }
  }

  /// The pane whose title, picture or strip holds a cell.
  package func pane(at cell: ScreenCell) -> Pane? {
    panes.first { $0.title.contains(cell) || $0.picture.contains(cell) || $0.strip.contains(cell) }
  }
}

extension ScreenLayout.Pane {
  /// The smallest number of millimetres per column at which a slice fits into the picture.
  fileprivate func fittingMillimetresPerColumn(_ contents: PaneContents) -> Double {
    let extent = contents.extents[plane] ?? SIMD2(1, 1)
    return max(
      extent.x / Double(max(1, picture.columns)),
      extent.y / (Double(max(1, picture.rows)) * contents.cellAspect))
  }
}

extension ReviewState {
  package var layout: ScreenLayout {
    var extents: [AnatomicalPlane: SIMD2<Double>] = [:]
    for plane in AnatomicalPlane.allCases {
      let geometry = geometry(plane)
      extents[plane] = SIMD2(
        Double(geometry.horizontalCount) * geometry.horizontalSpacing,
        Double(geometry.verticalCount) * geometry.verticalSpacing)
    }
    // Hiding the labels for a moment must not move the panes.
    return ScreenLayout(
      screen: screen, active: view.activePlane, isMaximised: view.isMaximised,
      showsPanel: view.showsPanel || focus != .picture, isPanelFocused: focus != .picture,
      contents: PaneContents(
        extents: extents, versions: isSideBySide ? [.side(.a), .side(.b)] : [nil],
        grid: versionsInGrid.map(\.id), stripColumns: stripColumns, cellAspect: capabilities.cellAspect))
  }

  /// Whether each plane is shown twice.
  var isSideBySide: Bool {
    guard comparedLabels != nil else { return false }
    return view.comparison == .sideBySide || view.comparison == .versions && versionsInGrid.isEmpty
  }

  /// The current geometry of a plane.
  package func geometry(_ plane: AnatomicalPlane) -> PlaneGeometry {
    PlaneGeometry(plane, of: grid, convention: view.convention)
  }

  /// The mapping between the pixels of a pane and the voxels of the image.
  package func projection(
    _ pane: ScreenLayout.Pane, _ detail: PictureDetail = .full
  ) -> PaneProjection {
    projection(pane, capabilities.pixelsPerCell(detail))
  }

  private func projection(_ pane: ScreenLayout.Pane, _ pixels: PixelsPerCell) -> PaneProjection {
    PaneProjection(
      geometry(pane.plane), width: pane.picture.columns * pixels.columns,
      height: pane.picture.rows * pixels.rows,
      pixelAspect: capabilities.cellAspect * Double(pixels.columns) / Double(pixels.rows), zoom: view.zoom,
      centre: view.centre, millimetresPerColumn: pane.millimetresPerColumn / Double(pixels.columns))
  }

  /// The voxels that the smallest visible part of a pane covers along its rows and its columns.
  package func visibleVoxels(_ pane: ScreenLayout.Pane) -> (across: Double, down: Double) {
    let projection = projection(pane, capabilities.visiblePixelsPerCell)
    return (
      projection.millimetresPerColumn / projection.geometry.horizontalSpacing,
      projection.millimetresPerRow / projection.geometry.verticalSpacing
    )
  }

  /// The voxel at a point of a pane, on the crosshair's slice; the nearest voxel for a point outside the image.
  package func voxel(at point: ScreenPoint, in pane: ScreenLayout.Pane) -> VoxelIndex {
    let projection = projection(pane)
    let geometry = projection.geometry
    let pixels = capabilities.pixelsPerCell(.full)
    let across = projection.horizontalIndex(
      atPixel: (point.column - Double(pane.picture.column)) * Double(pixels.columns))
    let down = projection.verticalIndex(
      atPixel: (point.row - Double(pane.picture.row)) * Double(pixels.rows))
    var index = view.crosshair
    index[geometry.horizontalAxis] = ReviewState.nearest(across, geometry.horizontalCount)
    index[geometry.verticalAxis] = ReviewState.nearest(down, geometry.verticalCount)
    return index
  }

  private static func nearest(_ index: Double, _ count: Int) -> Int {
    Int(saturating: min(max(0, index.rounded()), Double(count - 1)))
  }
}
