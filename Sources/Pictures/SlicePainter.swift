import Volumes
import Work

/// Draws slices of an image with an overlay.
///
/// The orientation is that of the screen: the patient's right on the left, anterior or the head at the top. Pixels are
/// square in millimetres. A pixel of several voxels shows their mean intensity, and a label if any of them has one;
/// between the centres of voxels that are larger than pixels, intensities are interpolated, labels are not.
package struct SlicePainter: Sendable {
  private let image: ScalarVolume
  private let window: IntensityWindow
  private let overlay: MaskOverlay
  /// The voxels of the image that are shown.
  private let box: VoxelBounds

  /// Pixels between planes.
  private static let gap = 4
  private static let letterColour = RGBColour(255, 255, 255)

  /// A painter of an image.
  /// - Parameters:
  ///   - window: The intensities that are black and white.
  ///   - overlay: The overlay, on the image's grid.
  ///   - box: The voxels of the image that are shown; nil for the whole image.
  package init(
    _ image: ScalarVolume, window: IntensityWindow, overlay: MaskOverlay, box: VoxelBounds? = nil
  ) {
    self.image = image
    self.window = window
    self.overlay = overlay
    self.box = box ?? VoxelBounds(image.grid.size)
  }

  private func geometry(_ plane: AnatomicalPlane) -> PlaneGeometry {
    PlaneGeometry(plane, of: image.grid, convention: .radiological)
  }

  /// Width and height of the shown box in a plane, in millimetres.
  private func extent(_ geometry: PlaneGeometry) -> (width: Double, height: Double) {
    (
      Double(box.size[geometry.horizontalAxis]) * geometry.horizontalSpacing,
      Double(box.size[geometry.verticalAxis]) * geometry.verticalSpacing
    )
  }

  /// The slice of a plane through a voxel, at a scale in millimetres per pixel.
  package func picture(
    _ plane: AnatomicalPlane, through voxel: VoxelIndex, millimetresPerPixel: Double
  ) -> Picture {
    let geometry = geometry(plane)
    let extent = extent(geometry)
    func pixels(_ millimetres: Double) -> Int {
      max(1, Int(saturating: (millimetres / millimetresPerPixel).rounded()))
    }
    let (width, height) = (pixels(extent.width), pixels(extent.height))
    let whole = max(
      Double(geometry.horizontalCount) * geometry.horizontalSpacing / Double(width),
      Double(geometry.verticalCount) * geometry.verticalSpacing / Double(height))
    var centre = SIMD3<Double>(0, 0, 0)
    for axis in 0..<3 { centre[axis] = Double(box.lower[axis] + box.upper[axis]) / 2 }
    let projection = PaneProjection(
      geometry, width: width, height: height, pixelAspect: 1, zoom: whole / millimetresPerPixel,
      centre: centre)
    let sampler = SliceSampler(projection, size: image.grid.size, slice: voxel)
    var picture = Picture(width: width, height: height)
    let greys = sampler.greys(of: image, window: window)
    for (pixel, grey) in greys.enumerated() where grey > 0 {
      picture[pixel % width, pixel / width] = RGBColour(grey, grey, grey)
    }
    overlay.draw(onto: &picture, sampler)
    writeLetters(geometry, onto: &picture)
    return picture
  }

  /// Writes the letters of the directions (R, L, A, P, S, I) at the edges, unless the picture is too small.
  private func writeLetters(_ geometry: PlaneGeometry, onto picture: inout Picture) {
    let (width, height) = (BitmapFont.width, BitmapFont.height)
    guard picture.width >= 6 * width, picture.height >= 3 * height else { return }
    let middle = (x: (picture.width - width) / 2, y: (picture.height - height) / 2)
    for (direction, x, y) in [
      (geometry.rightEdge.opposite, 2, middle.y), (geometry.rightEdge, picture.width - width - 1, middle.y),
      (geometry.lowerEdge.opposite, middle.x, 0), (geometry.lowerEdge, middle.x, picture.height - height + 1),
    ] {
      picture.writeOutlined(direction.rawValue, x: x, y: y, colour: Self.letterColour)
    }
  }

  /// Axial, coronal and sagittal slices through a voxel, side by side at one scale.
  /// - Parameter width: The width of all three in pixels; less where the picture would be higher than that.
  package func threePlanes(through voxel: VoxelIndex, width: Int) -> Picture {
    let planes = AnatomicalPlane.allCases
    let extents = planes.map { extent(geometry($0)) }
    let free = Double(max(planes.count, width - (planes.count - 1) * Self.gap))
    let scale = max(
      extents.reduce(0) { $0 + $1.width } / free, (extents.map(\.height).max() ?? 0) / Double(max(1, width)))
    let parts = planes.map { picture($0, through: voxel, millimetresPerPixel: scale) }
    let height = parts.map(\.height).max() ?? 0
    var whole = Picture(
      width: parts.reduce(0) { $0 + $1.width } + (parts.count - 1) * Self.gap, height: height)
    var x = 0
    for part in parts {
      whole.draw(part, x: x, y: (height - part.height) / 2)
      x += part.width + Self.gap
    }
    return whole
  }

  /// The slice of one plane through a voxel.
  /// - Parameter width: The width in pixels; less where the picture would be higher than that.
  package func onePlane(_ plane: AnatomicalPlane, through voxel: VoxelIndex, width: Int) -> Picture {
    let extent = extent(geometry(plane))
    return picture(
      plane, through: voxel,
      millimetresPerPixel: max(extent.width, extent.height) / Double(max(1, width)))
  }

  /// Slices of a plane in rows and columns, from the upper left, each with its index.
  /// - Parameters:
  ///   - slices: Indices along the plane's axis.
  ///   - width: The width of the picture in pixels.
  ///   - columns: The number of slices in a row; nil for a picture that is about square.
  /// - Throws: `InputError` when the picture would be higher than ``Picture/maximumExtent``; `Cancelled`.
  package func montage(
    _ plane: AnatomicalPlane, slices: [Int], width: Int, columns: Int? = nil, work: WorkContext
  ) throws -> Picture {
    let geometry = geometry(plane)
    let extent = extent(geometry)
    // A tile is no higher than it is wide.
    let aspect = min(1, extent.height / extent.width)
    let square = Int(saturating: (Double(slices.count) * aspect).squareRoot().rounded(.up))
    let columns = min(max(1, columns ?? square), max(1, slices.count))
    let sheet = ContactSheet(columns: columns, gap: Self.gap)
    let cellWidth = sheet.cellWidth(ofWidth: width)
    let rows = (slices.count + columns - 1) / columns
    let height = Int(saturating: Double(rows) * (Double(cellWidth) * aspect + Double(Self.gap)))
    guard height <= Picture.maximumExtent else {
      throw InputError(
        "--columns", "the picture of \(counted(slices.count, "slice")) would be too high",
        found: "\(height) pixels", expected: "more columns, or fewer slices")
    }
    let scale = max(extent.width, extent.height) / Double(cellWidth)
    var cells: [Picture] = []
    for slice in slices {
      try work.checkCancellation()
      var voxel = VoxelIndex(0, 0, 0)
      voxel[geometry.sliceAxis] = slice
      var cell = picture(plane, through: voxel, millimetresPerPixel: scale)
      cell.writeOutlined("\(slice)", x: 2, y: 0, colour: Self.letterColour)
      cells.append(cell)
      work.report(Double(cells.count) / Double(slices.count))
    }
    return sheet.picture(of: cells)
  }
}
