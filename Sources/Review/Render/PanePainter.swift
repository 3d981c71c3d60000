import Screen
import Volumes

extension ReviewState {
  /// Draws one plane: title, strip, picture, letters.
  func paint(
    _ pane: ScreenLayout.Pane, into frame: inout Frame,
    picture draw: (ScreenLayout.Pane, inout Frame) -> Void
  ) {
    let geometry = geometry(pane.plane)
    paintTitle(pane, geometry, into: &frame)
    paintStrip(pane, geometry, into: &frame)
    guard !pane.picture.isEmpty else { return }
    draw(pane, &frame)
    paintOneVoxelNotice(pane, geometry, into: &frame)
    if view.showsAnnotations { paintLetters(pane, geometry, into: &frame) }
  }

  /// The detail with which the last frame had all pixels of the image that a pane shows; nil where it did not.
  func shownDetail(_ pane: ScreenLayout.Pane, _ samples: PaneSamples) -> PictureDetail? {
    samples.detail(
      of: content.image, window: view.window, map: shownMap(pane.version), projection(pane, .full),
      slice: view.crosshair)
  }

  /// The picture of a pane: image, map, labels and marks.
  func picture(
    _ pane: ScreenLayout.Pane, _ detail: PictureDetail, _ overlay: OverlayPainter,
    _ samples: inout PaneSamples
  ) -> Picture {
    let projection = projection(pane, detail)
    let image = samples.image(
      of: content.image, window: view.window, map: shownMap(pane.version), projection, slice: view.crosshair,
      detail)
    var layers = overlay.layers(
      projection, version: pane.version, size: grid.size, slice: view.crosshair, samples: &samples)
    var marks = MarkLayer(projection)
    overlay.markSpyglass(projection, version: pane.version, on: &marks)
    let pixels = capabilities.pixelsPerCell(detail)
    markPreviewBox(projection, pixels, on: &marks)
    if view.showsCrosshair { markCrosshair(projection, pane.plane == view.activePlane, pixels, on: &marks) }
    if !marks.isEmpty {
      layers.append(PixelLayer(numbers: samples.numbers(of: marks), entries: MarkLayer.entries))
    }
    return Picture(area: pane.picture, image: image, layers: layers, detail: detail)
  }

  private func paintTitle(_ pane: ScreenLayout.Pane, _ geometry: PlaneGeometry, into frame: inout Frame) {
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
    let visible = visibleVoxels(pane)
    let voxels = max(visible.across, visible.down)
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
    _ projection: PaneProjection, _ isActive: Bool, _ pixels: PixelsPerCell, on marks: inout MarkLayer
  ) {
    let (x, y) = projection.pixel(of: view.crosshair)
    // The gap of about three cells leaves the voxel at the crosshair free.
    let gap = (across: 3 * pixels.columns, down: max(2, 3 * pixels.rows / 2))
    let mark: MarkLayer.Mark = isActive ? .activeCrosshair : .crosshair
    let (column, row) = (pixels.line(at: x), pixels.line(at: y))
    marks.set(mark, columns: 0..<max(0, x - gap.across), rows: row)
    marks.set(mark, columns: (x + gap.across + 1..<max(x + gap.across + 1, projection.width)), rows: row)
    marks.set(mark, columns: column, rows: 0..<max(0, y - gap.down))
    marks.set(mark, columns: column, rows: (y + gap.down + 1..<max(y + gap.down + 1, projection.height)))
  }

  /// Marks the corners of the box that is refined while knobs change.
  ///
  /// Their shape and colour differ from those of every outline of a label.
  private func markPreviewBox(
    _ projection: PaneProjection, _ pixels: PixelsPerCell, on marks: inout MarkLayer
  ) {
    guard focus == .refinement, let box = live?.region?.part.box else { return }
    let axis = projection.geometry.sliceAxis
    guard (box.lower[axis]...box.upper[axis]).contains(view.crosshair[axis]) else { return }
    let one = projection.pixel(of: box.lower)
    let other = projection.pixel(of: box.upper)
    let columns = min(one.x, other.x)..<max(one.x, other.x) + 1
    let rows = min(one.y, other.y)..<max(one.y, other.y) + 1
    // A fifth of the shorter side, in columns of pixels.
    let aspect = projection.millimetresPerRow / projection.millimetresPerColumn
    let fifth = min(Double(columns.count), Double(rows.count) * aspect) / 5
    let length = min(max(Double(2 * pixels.columns), fifth), Double(12 * pixels.columns))
    let across = min(Int(saturating: length.rounded()), columns.count)
    let down = min(max(1, Int(saturating: (length / aspect).rounded())), rows.count)
    for row in [rows.lowerBound, rows.upperBound - 1] {
      let rows = pixels.line(at: row)
      marks.set(.refinedBox, columns: columns.prefix(across), rows: rows)
      marks.set(.refinedBox, columns: columns.suffix(across), rows: rows)
    }
    for column in [columns.lowerBound, columns.upperBound - 1] {
      let columns = pixels.line(at: column)
      marks.set(.refinedBox, columns: columns, rows: rows.prefix(down))
      marks.set(.refinedBox, columns: columns, rows: rows.suffix(down))
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

extension PixelsPerCell {
  /// The width of outlines and marks in pixels.
  ///
  /// A line of one pixel is hard to see where cells are as fine as on screens of high density.
  var lineWidth: Int { columns >= 10 ? 2 : 1 }

  /// The pixels of a line through a pixel.
  fileprivate func line(at pixel: Int) -> Range<Int> { pixel..<pixel + lineWidth }
}
