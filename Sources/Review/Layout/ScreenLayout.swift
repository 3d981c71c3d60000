import Screen
import Volumes
import Work

package struct ScreenLayout: Equatable, Sendable {
  /// A plane's title line and picture.
  package struct Pane: Equatable, Sendable {
    package var plane: AnatomicalPlane
    /// The line above the picture.
    package var title: Rectangle
    package var picture: Rectangle
    /// The strip of all slices at its right; empty where there is none.
    package var strip: Rectangle
  }

  /// The smallest usable screen.
  package static let minimum = ScreenSize(rows: 16, columns: 60)
  /// The smallest screen with three planes.
  package static let threePlanes = ScreenSize(rows: 30, columns: 110)

  /// Panes of fewer columns have no strip.
  package static let stripMinimumColumns = 30

  /// Whether the screen is below ``minimum``; nothing else is laid out then.
  package let isTooSmall: Bool
  /// The first line: case, versions, verdict.
  package let title: Rectangle
  /// The planes shown.
  package let panes: [Pane]
  /// Labels, versions and knobs.
  package let panel: Rectangle
  /// The lines at the foot, from above: voxel, view, message, keys.
  package let voxelLine, viewLine, messageLine, keyBar: Rectangle

  /// The layout of a screen.
  /// - Parameters:
  ///   - active: The only plane that is shown, unless there is room for three and it is not maximised.
  ///   - stripColumns: The columns of the strip beside each pane that is wide enough.
  package init(screen: ScreenSize, active: AnatomicalPlane, isMaximised: Bool, stripColumns: Int) {
    let (rows, columns) = (screen.rows, screen.columns)
    isTooSmall = rows < ScreenLayout.minimum.rows || columns < ScreenLayout.minimum.columns
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
    let panelColumns = columns < 80 ? 32 : min(56, max(36, columns * 27 / 100))
    panel = Rectangle(row: 1, column: columns - panelColumns, rows: bodyRows, columns: panelColumns)
    let body = Rectangle(row: 1, column: 0, rows: bodyRows, columns: columns - panelColumns - 1)
    let three = ScreenLayout.threePlanes
    if isMaximised || rows < three.rows || columns < three.columns {
      panes = [ScreenLayout.pane(active, body, stripColumns)]
      return
    }
    let left = body.columns * 11 / 20
    let upper = body.rows / 2
    let right = body.columns - left - 1
    panes = [
      ScreenLayout.pane(
        .axial, Rectangle(row: body.row, column: 0, rows: body.rows, columns: left), stripColumns),
      ScreenLayout.pane(
        .coronal, Rectangle(row: body.row, column: left + 1, rows: upper, columns: right), stripColumns),
      ScreenLayout.pane(
        .sagittal,
        Rectangle(row: body.row + upper, column: left + 1, rows: body.rows - upper, columns: right),
        stripColumns),
    ]
  }

  private static func pane(_ plane: AnatomicalPlane, _ area: Rectangle, _ stripColumns: Int) -> Pane {
    let (title, below) = area.splitTop(1)
    let (strip, picture) = below.splitRight(area.columns < stripMinimumColumns ? 0 : stripColumns)
    return Pane(plane: plane, title: title, picture: picture, strip: strip)
  }

  /// The pane whose title, picture or strip holds a cell.
  package func pane(at cell: ScreenCell) -> Pane? {
    panes.first { $0.title.contains(cell) || $0.picture.contains(cell) || $0.strip.contains(cell) }
  }
}

extension ReviewState {
  package var layout: ScreenLayout {
    ScreenLayout(
      screen: screen, active: view.activePlane, isMaximised: view.isMaximised, stripColumns: stripColumns)
  }

  /// The present geometry of a plane.
  package func geometry(_ plane: AnatomicalPlane) -> PlaneGeometry {
    PlaneGeometry(plane, of: grid, convention: view.convention)
  }

  /// The mapping between the pixels of a pane and the voxels of the image.
  package func projection(_ pane: ScreenLayout.Pane) -> PaneProjection {
    PaneProjection(
      geometry(pane.plane), width: pane.picture.columns, height: pane.picture.rows * 2,
      pixelAspect: capabilities.cellAspect / 2, zoom: view.zoom, centre: view.centre)
  }

  /// The voxel that a cell of a pane shows, on the crosshair's slice; the nearest one beside the image.
  package func voxel(at cell: ScreenCell, in pane: ScreenLayout.Pane) -> VoxelIndex {
    let projection = projection(pane)
    let geometry = projection.geometry
    let across = projection.horizontalIndex(atPixel: Double(cell.column - pane.picture.column) + 0.5)
    let down = projection.verticalIndex(
      atPixel: Double(cell.row - pane.picture.row) * 2 + 1)
    var index = view.crosshair
    index[geometry.horizontalAxis] = ReviewState.nearest(across, geometry.horizontalCount)
    index[geometry.verticalAxis] = ReviewState.nearest(down, geometry.verticalCount)
    return index
  }

  private static func nearest(_ index: Double, _ count: Int) -> Int {
    Int(saturating: min(max(0, index.rounded()), Double(count - 1)))
  }
}
