import Screen
import Volumes
import Work

extension ReviewState {
  /// Whether the screen has room for a preview above the list of candidates.
  var hasRoomForPreview: Bool { screen.rows >= 24 && screen.columns >= 80 }

  /// Draws the preview of the file that is pointed at in a box at the right edge of the screen, whose last row is above
  /// `row`.
  func paintPreview(_ line: CommandLine, above row: Int, into frame: inout Frame) {
    guard hasRoomForPreview, let preview = line.preview, preview.content != .nothing else { return }
    let rows = min(row - 1, max(12, frame.rows / 2))
    guard rows >= 8 else { return }
    let pictureRows = rows - 3
    let squareColumns = Int(saturating: (Double(pictureRows) * capabilities.cellAspect).rounded())
    let columns = min(frame.columns, max(48, squareColumns + 2))
    let area = Rectangle(row: row - rows, column: frame.columns - columns, rows: rows, columns: columns)
    frame.fill(area, Cell(" ", Theme.plain))
    let path = preview.path.hasSuffix("/") ? String(preview.path.dropLast()) : preview.path
    frame.drawBox(area, title: FilePath.name(of: path).printableLine, titleStyle: Theme.strong)
    let body = area.inset(1)
    switch preview.content {
    case .nothing: break
    case .reading:
      frame.writeCentred("reading", row: body.row + pictureRows / 2, style: Theme.quiet, in: body)
    case .problem(let text):
      for (offset, line) in wrapped(text, width: body.columns - 2).prefix(body.rows).enumerated() {
        frame.write(line, row: body.row + offset, column: body.column + 1, style: Theme.error, in: body)
      }
    case .picture(let shown):
      let (picture, caption) = (body.splitBottom(1).rest, body.splitBottom(1).0)
      paint(shown, in: picture, into: &frame)
      frame.writeCentred(shown.summary.printableLine, row: caption.row, in: caption)
    }
  }

  /// Draws the whole slice of a preview, with its proportions in millimetres.
  private func paint(_ preview: FilePreview, in area: Rectangle, into frame: inout Frame) {
    let grid = preview.slice.grid
    let planes = AnatomicalPlane.allCases.map {
      PlaneGeometry($0, of: grid, convention: view.convention)
    }
    guard let geometry = planes.first(where: { $0.sliceAxis == preview.sliceAxis }) else { return }
    let middle = SIMD3(Double(grid.size.i - 1) / 2, Double(grid.size.j - 1) / 2, Double(grid.size.k - 1) / 2)
    let pixels = capabilities.pixelsPerCell(.full)
    let projection = PaneProjection(
      geometry, width: area.columns * pixels.columns, height: area.rows * pixels.rows,
      pixelAspect: capabilities.pixelAspect(.full), zoom: 1, centre: middle)
    let sampler = SliceSampler(projection, size: grid.size, slice: VoxelIndex(0, 0, 0))
    let image = PixelBuffer(
      width: projection.width, height: projection.height,
      greys: sampler.greys(of: preview.slice, window: preview.window))
    frame.draw(Picture(area: area, image: image))
  }
}
