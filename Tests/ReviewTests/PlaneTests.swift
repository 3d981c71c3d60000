import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

/// The 48 orientations of a grid.
private let orientations: [Orientation] = AnatomicalDirection.allCases.flatMap { i in
  AnatomicalDirection.allCases.flatMap { j in
    AnatomicalDirection.allCases.compactMap { k in
      Set([i, j, k].map(\.worldAxis)).count == 3 ? Orientation(i, j, k) : nil
    }
  }
}

/// A black image with one white voxel near the patient's right, front and head; extents follow the anatomy.
private func markedCase(_ orientation: Orientation) -> (content: ReviewCase, marked: VoxelIndex) {
  let anatomicalExtents = [20, 24, 16]
  var size = GridSize(1, 1, 1)
  var marked = VoxelIndex(0, 0, 0)
  for axis in 0..<3 {
    let direction = orientation[axis]
    size[axis] = anatomicalExtents[direction.worldAxis]
    // Three voxels from the right, front and upper faces.
    marked[axis] = direction.isPositive ? size[axis] - 4 : 3
  }
  let grid = grid(size, orientation)
  var voxels = [Float](repeating: 0, count: size.voxelCount)
  voxels[size.offset(marked)] = 1000
  let image = ScalarVolume(grid: grid, voxels: voxels)
  return (ReviewCase(name: "m", imagePath: "/m.nii", image: image, exportPath: "/m_seg.nii.gz"), marked)
}

/// The half of a pane with the white voxel: left or right half, upper or lower half.
private func half(of plane: AnatomicalPlane, in state: ReviewState) -> (isLeft: Bool, isUpper: Bool)? {
  guard let pane = state.layout.panes.first(where: { $0.plane == plane }),
    let image = render(state).pictures.first(where: { $0.area == pane.picture })?.image,
    let brightest = image.pixels.indices.max(by: { image.pixels[$0].red < image.pixels[$1].red }),
    image.pixels[brightest].red > 0
  else { return nil }
  return (brightest % image.width < image.width / 2, brightest / image.width < image.height / 2)
}

@Test("the patient's right, front and head are on their sides of every pane for all 48 orientations")
func orientationsAreShownRight() throws {
  #expect(orientations.count == 48)
  for orientation in orientations {
    let (content, marked) = markedCase(orientation)
    var state = try openedState(content, screen: ScreenSize(rows: 40, columns: 130))
    state.type("xX:window 500 1000")
    state.press(.enter)
    state.view.crosshair = marked
    let radiological = AnatomicalPlane.allCases.map { half(of: $0, in: state) }
    #expect(radiological.map { $0?.isUpper } == [true, true, true], "\(orientation)")
    #expect(radiological.map { $0?.isLeft } == [true, true, true], "\(orientation)")
    state.type("O")
    let neurological = AnatomicalPlane.allCases.map { half(of: $0, in: state) }
    #expect(neurological.map { $0?.isLeft } == [false, false, true], "\(orientation)")
    #expect(neurological.map { $0?.isUpper } == [true, true, true], "\(orientation)")
  }
}

@Test("letters name the edges of each pane in both conventions")
func lettersNameEdges() {
  let lps = grid(GridSize(4, 5, 6), .lps)
  func edges(_ convention: DisplayConvention) -> [String] {
    AnatomicalPlane.allCases.map { plane in
      let geometry = PlaneGeometry(plane, of: lps, convention: convention)
      let edges = [
        geometry.rightEdge.opposite, geometry.rightEdge, geometry.lowerEdge.opposite, geometry.lowerEdge,
      ]
      return edges.map(\.rawValue).joined()
    }
  }
  #expect(edges(.radiological) == ["RLAP", "RLSI", "APSI"])
  #expect(edges(.neurological) == ["LRAP", "LRSI", "APSI"])
}

@Test("a pixel's voxels and a voxel's pixel agree, whatever the zoom and the spacing")
func projectionsAgree() {
  var anisotropic = grid(GridSize(31, 17, 9), Orientation(.left, .superior, .posterior))
  anisotropic.affine.stepK = WorldPoint(0, -4.5, 0)
  for zoom in [1.0, 1.7, 8] {
    for plane in AnatomicalPlane.allCases {
      let geometry = PlaneGeometry(plane, of: anisotropic, convention: .radiological)
      let projection = PaneProjection(
        geometry, width: 41, height: 30, pixelAspect: 1.1, zoom: zoom, centre: SIMD3(15, 8, 4))
      for (x, range) in projection.columns.enumerated() {
        for voxel in range where range.count > 1 {
          var index = VoxelIndex(15, 8, 4)
          index[geometry.horizontalAxis] = voxel
          #expect(projection.pixel(of: index).x == x)
        }
      }
      // Every voxel of the slice is shown when the whole image is.
      if zoom == 1 {
        #expect(Set(projection.columns.joined()).count == geometry.horizontalCount)
        #expect(Set(projection.rows.joined()).count == geometry.verticalCount)
      }
    }
  }
}

@Test("a click shows the clicked voxel under the crosshair")
func clicksHit() throws {
  var state = try openedState(screen: ScreenSize(rows: 40, columns: 130))
  for pane in state.layout.panes {
    let cell = ScreenCell(
      row: pane.picture.row + pane.picture.rows / 2, column: pane.picture.column + pane.picture.columns / 3)
    _ = reduce(&state, .terminal(.mouse(MouseEvent(action: .press, button: 1, cell: cell))))
    let pixel = state.projection(pane).pixel(of: state.view.crosshair)
    let size = state.projection(pane).millimetresPerColumn
    #expect(abs(Double(pixel.x - (cell.column - pane.picture.column))) <= 1 / size + 1)
    #expect(abs(Double(pixel.y - 2 * (cell.row - pane.picture.row))) <= 1 / size + 2)
    #expect(state.view.activePlane == pane.plane)
  }
}
