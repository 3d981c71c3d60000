import Work

/// The side of the patient at the screen's left.
package enum DisplayConvention: String, Equatable, Sendable, Codable {
  /// The patient's right on the screen's left, as if seen from the feet.
  case radiological
  /// The patient's left on the screen's left.
  case neurological
}

/// The orientation of one anatomical plane's slices on the screen.
///
/// Axial and coronal slices are seen from the feet and from the front (radiological: the patient's right on the
/// left) or mirrored (neurological); sagittal slices face left in both. Anterior is up in axial slices, the head
/// is up in the others. Voxel axes are those nearest to the anatomical ones; nothing is resampled.
package struct PlaneGeometry: Equatable, Sendable {
  package let plane: AnatomicalPlane
  /// The voxel axes across the slices, along the screen's rows and down its columns.
  package let sliceAxis, horizontalAxis, verticalAxis: Int
  /// +1 when the voxel index grows to the right, down, or towards right, front, head; else -1.
  package let horizontalSign, verticalSign, sliceSign: Int
  /// The anatomical directions at the right and the lower edge of the pane.
  package let rightEdge, lowerEdge: AnatomicalDirection
  /// Voxels along the three axes.
  package let sliceCount, horizontalCount, verticalCount: Int
  /// Millimetres per voxel along the screen's rows and columns.
  package let horizontalSpacing, verticalSpacing: Double

  /// A plane of a grid.
  package init(_ plane: AnatomicalPlane, of grid: VolumeGrid, convention: DisplayConvention) {
    self.plane = plane
    let orientation = grid.orientation
    switch plane {
    case .axial, .coronal: rightEdge = convention == .radiological ? .left : .right
    case .sagittal: rightEdge = .posterior
    }
    lowerEdge = plane == .axial ? .posterior : .inferior
    let right = rightEdge
    let lower = lowerEdge
    sliceAxis = orientation.sliceAxis(of: plane)
    horizontalAxis = (0..<3).first { orientation[$0].worldAxis == right.worldAxis }!
    verticalAxis = (0..<3).first { orientation[$0].worldAxis == lower.worldAxis }!
    horizontalSign = orientation[horizontalAxis] == right ? 1 : -1
    verticalSign = orientation[verticalAxis] == lower ? 1 : -1
    sliceSign = orientation[sliceAxis].isPositive ? 1 : -1
    sliceCount = grid.size[sliceAxis]
    horizontalCount = grid.size[horizontalAxis]
    verticalCount = grid.size[verticalAxis]
    horizontalSpacing = grid.spacing[horizontalAxis]
    verticalSpacing = grid.spacing[verticalAxis]
  }
}

/// The mapping between the pixels of a pane and the voxels of a plane's slices.
package struct PaneProjection: Equatable, Sendable {
  package let geometry: PlaneGeometry
  /// Pixels of the pane.
  package let width, height: Int
  /// Millimetres that one pixel covers.
  package let millimetresPerColumn, millimetresPerRow: Double
  /// Continuous voxel indices in the pane's middle.
  private let middleHorizontal, middleVertical: Double

  /// A projection that shows the whole slice at zoom 1.
  /// - Parameters:
  ///   - pixelAspect: Height of a pixel divided by its width.
  ///   - millimetresPerColumn: What a column covers at zoom 1; nil for as little as shows the whole slice.
  package init(
    _ geometry: PlaneGeometry, width: Int, height: Int, pixelAspect: Double, zoom: Double,
    centre: SIMD3<Double>, millimetresPerColumn: Double? = nil
  ) {
    self.geometry = geometry
    self.width = max(0, width)
    self.height = max(0, height)
    let across = Double(geometry.horizontalCount) * geometry.horizontalSpacing / Double(max(1, width))
    let down =
      Double(geometry.verticalCount) * geometry.verticalSpacing / (Double(max(1, height)) * pixelAspect)
    self.millimetresPerColumn = (millimetresPerColumn ?? max(across, down)) / zoom
    millimetresPerRow = self.millimetresPerColumn * pixelAspect
    middleHorizontal = centre[geometry.horizontalAxis]
    middleVertical = centre[geometry.verticalAxis]
  }

  /// Voxels per pixel along the rows, signed.
  private var horizontalStep: Double {
    Double(geometry.horizontalSign) * millimetresPerColumn / geometry.horizontalSpacing
  }

  private var verticalStep: Double {
    Double(geometry.verticalSign) * millimetresPerRow / geometry.verticalSpacing
  }

  /// Continuous voxel index along the horizontal axis at a distance from the pane's left edge, in pixels.
  package func horizontalIndex(atPixel x: Double) -> Double {
    middleHorizontal + (x - Double(width) / 2) * horizontalStep
  }

  /// Continuous voxel index along the vertical axis at a distance from the pane's upper edge, in pixels.
  package func verticalIndex(atPixel y: Double) -> Double {
    middleVertical + (y - Double(height) / 2) * verticalStep
  }

  /// The pixel that shows a voxel's centre; it may lie outside the pane.
  package func pixel(of index: VoxelIndex) -> (x: Int, y: Int) {
    let x = (Double(index[geometry.horizontalAxis]) - middleHorizontal) / horizontalStep + Double(width) / 2
    let y = (Double(index[geometry.verticalAxis]) - middleVertical) / verticalStep + Double(height) / 2
    return (PaneProjection.whole(x), PaneProjection.whole(y))
  }

  private static func whole(_ value: Double) -> Int {
    Int(saturating: min(max(value.rounded(.down), -1_000_000), 1_000_000))
  }

  /// The voxels along the horizontal axis that each pixel column shows; empty beyond the slice.
  package var columns: [Range<Int>] {
    (0..<width).map { x in
      PaneProjection.voxels(
        horizontalIndex(atPixel: Double(x)), horizontalIndex(atPixel: Double(x + 1)), geometry.horizontalCount
      )
    }
  }

  /// The voxels along the vertical axis that each pixel row shows; empty beyond the slice.
  package var rows: [Range<Int>] {
    (0..<height).map { y in
      PaneProjection.voxels(
        verticalIndex(atPixel: Double(y)), verticalIndex(atPixel: Double(y + 1)), geometry.verticalCount)
    }
  }

  /// Voxels whose centres lie between two continuous indices, at least the nearest one; none outside 0..<count.
  private static func voxels(_ one: Double, _ other: Double, _ count: Int) -> Range<Int> {
    let (low, high) = (min(one, other), max(one, other))
    let middle = (low + high) / 2
    guard middle >= -0.5, middle < Double(count) - 0.5 else { return 0..<0 }
    // A centre on the border belongs to the pixel with the greater index.
    let first = max(0, Int(saturating: low.rounded(.up)))
    let end = min(count, Int(saturating: high.rounded(.up)))
    if first < end { return first..<end }
    let nearest = min(max(0, Int(saturating: (middle + 0.5).rounded(.down))), count - 1)
    return nearest..<nearest + 1
  }
}
