import Screen
import Volumes

extension ReviewState {
  /// Draws one plane: title, image, labels, crosshair, letters.
  func paint(
    _ pane: ScreenLayout.Pane, _ detail: PictureDetail, overlay: OverlayPainter, samples: inout PaneSamples,
    into frame: inout Frame
  ) {
    let projection = projection(pane, detail)
    paintTitle(pane, self.projection(pane), into: &frame)
    paintStrip(pane, projection.geometry, into: &frame)
    guard !pane.picture.isEmpty else { return }
    let greys = samples.greys(
      of: content.image, window: view.window, projection, slice: view.crosshair)
    var image = PixelBuffer(greys: greys, projection)
    paintMap(pane.version, projection, into: &image)
    var layers = overlay.layers(
      projection, version: pane.version, size: grid.size, slice: view.crosshair, samples: &samples)
    var marks = MarkLayer(projection)
    overlay.markSpyglass(projection, version: pane.version, on: &marks)
    markPreviewBox(projection, on: &marks)
    if view.showsCrosshair { markCrosshair(projection, pane.plane == view.activePlane, detail, on: &marks) }
    if let marks = marks.layer { layers.append(marks) }
    frame.draw(Picture(area: pane.picture, image: image, layers: layers))
    paintOneVoxelNotice(pane, projection.geometry, into: &frame)
    if view.showsAnnotations { paintLetters(pane, projection.geometry, into: &frame) }
  }

  private func paintTitle(_ pane: ScreenLayout.Pane, _ projection: PaneProjection, into frame: inout Frame) {
    let geometry = projection.geometry
    let isActive = pane.plane == view.activePlane && isOfShownVersion(pane)
    let style = isActive && focus == .picture ? Theme.active : isActive ? Theme.barStrong : Theme.bar
    frame.fill(pane.title, Cell(" ", style))
    let axis = ["i", "j", "k"][geometry.sliceAxis]
    let position = "\(axis) \(view.crosshair[geometry.sliceAxis])"
    let isShort = pane.version != nil && pane.title.columns < ReviewState.wholeTitleColumns
    let slice =
      isShort ? position : "\(pane.plane.rawValue.capitalized)  \(position) of 0-\(geometry.sliceCount - 1)"
    let room = pane.title.columns - TextWidth.columns(slice) - 4
    let text = (pane.version.map { title(of: $0, width: room) + "  " } ?? "") + slice
    frame.write(text, row: pane.title.row, column: pane.title.column + 1, style: style, in: pane.title)
    if let key = titleKey(pane) { frame.clickAreas.append(ClickArea(pane.title, .pictureKey(key))) }
    let voxels = max(
      projection.millimetresPerColumn / geometry.horizontalSpacing,
      projection.millimetresPerRow / geometry.verticalSpacing)
    // A pixel of several voxels may hide a small structure, so the title says so.
    let scale =
      voxels > 1.05
      ? "1 px = \(brief(voxels, atMost: 1)) voxels " : "\(brief(1 / voxels, atMost: 1)) px/voxel "
    if TextWidth.columns(text) + scale.count + 3 <= pane.title.columns {
      frame.writeAtRight(scale, row: pane.title.row, style: style, in: pane.title)
    }
  }

  /// The columns from which on a title that names a version also has the plane and the number of slices.
  private static let wholeTitleColumns = 36

  /// Whether keys apply to the version of a pane; they do in every pane but those of other versions in a grid.
  private func isOfShownVersion(_ pane: ScreenLayout.Pane) -> Bool {
    guard case .version(let id) = pane.version else { return true }
    return id == shownVersion?.id
  }

  /// The key of a click on the title of a version in a grid: Tab for the other of A and B, else the list of versions.
  func titleKey(_ pane: ScreenLayout.Pane) -> Key? {
    guard case .version(let id) = pane.version else { return nil }
    return [decisions.a, decisions.b].contains(id) && id != shownVersion?.id ? .tab : "v"
  }

  /// "A reader_one.nii.gz", or only "A" where a name does not fit.
  private func title(of pane: PaneVersion, width: Int) -> String {
    if focus == .refinement { return pane == .side(.a) ? "before" : "refined" }
    guard let version = version(of: pane) else { return "" }
    let letter = version.id == decisions.a ? "A" : version.id == decisions.b ? "B" : ""
    guard width >= 8 || letter.isEmpty else { return letter }
    let name = TextWidth.shortened(
      cleaned(version.name), to: max(1, width - (letter.isEmpty ? 0 : letter.count + 1)))
    return letter.isEmpty ? name : "\(letter) \(name)"
  }

  /// Draws a line that says why a pane is almost empty: across this plane, the image is one voxel thin.
  private func paintOneVoxelNotice(
    _ pane: ScreenLayout.Pane, _ geometry: PlaneGeometry, into frame: inout Frame
  ) {
    guard min(geometry.horizontalCount, geometry.verticalCount) == 1, pane.picture.rows >= 3 else { return }
    let text = onlyPlane.map { "the image is one \($0.rawValue) slice" } ?? "one voxel thin"
    frame.writeCentred(text, row: pane.picture.row + 1, style: Theme.quiet, in: pane.picture)
  }

  private func markCrosshair(
    _ projection: PaneProjection, _ isActive: Bool, _ detail: PictureDetail, on marks: inout MarkLayer
  ) {
    let (x, y) = projection.pixel(of: view.crosshair)
    // The gap of about three cells leaves the voxel at the crosshair free.
    let pixels = capabilities.pixelsPerCell(detail)
    let gap = (across: 3 * pixels.columns, down: max(2, 3 * pixels.rows / 2))
    let mark: MarkLayer.Mark = isActive ? .activeCrosshair : .crosshair
    for column in 0..<projection.width where abs(column - x) > gap.across { marks.set(mark, column, y) }
    for row in 0..<projection.height where abs(row - y) > gap.down { marks.set(mark, x, row) }
  }

  /// Marks the corners of the box that is refined while knobs change.
  ///
  /// Their shape and colour differ from those of every outline of a label.
  private func markPreviewBox(_ projection: PaneProjection, on marks: inout MarkLayer) {
    guard focus == .refinement, let box = live?.region?.part.box else { return }
    let axis = projection.geometry.sliceAxis
    guard (box.lower[axis]...box.upper[axis]).contains(view.crosshair[axis]) else { return }
    let one = projection.pixel(of: box.lower)
    let other = projection.pixel(of: box.upper)
    let columns = min(one.x, other.x)...max(one.x, other.x)
    let rows = min(one.y, other.y)...max(one.y, other.y)
    let length = min(max(2, min(columns.count, rows.count) / 5), 12)
    for step in 0..<length {
      for y in [rows.lowerBound, rows.upperBound] {
        marks.set(.refinedBox, columns.lowerBound + step, y)
        marks.set(.refinedBox, columns.upperBound - step, y)
      }
      for x in [columns.lowerBound, columns.upperBound] {
        marks.set(.refinedBox, x, rows.lowerBound + step)
        marks.set(.refinedBox, x, rows.upperBound - step)
      }
    }
  }

  /// Draws the letter of its direction (L, R, A, P, S or I) at the middle of each edge.
  private func paintLetters(_ pane: ScreenLayout.Pane, _ geometry: PlaneGeometry, into frame: inout Frame) {
    let area = pane.picture
    guard area.rows >= 5, area.columns >= 9 else { return }
    let middle = (row: area.row + area.rows / 2, column: area.column + area.columns / 2)
    let last = (row: area.row + area.rows - 1, column: area.column + area.columns - 1)
    let letters: [(AnatomicalDirection, Int, Int)] = [
      (geometry.rightEdge.opposite, middle.row, area.column), (geometry.rightEdge, middle.row, last.column),
      (geometry.lowerEdge.opposite, area.row, middle.column), (geometry.lowerEdge, last.row, middle.column),
    ]
    for (direction, row, column) in letters {
      let style = Style(foreground: Theme.letter.colour, background: .rgb(0, 0, 0), isBold: true)
      frame.write(direction.rawValue, row: row, column: column, style: style)
    }
  }
}
