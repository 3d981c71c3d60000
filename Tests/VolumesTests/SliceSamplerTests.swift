import Testing
import Volumes
import Work

/// A pane of a plane, and the slice through a voxel of it.
private struct ShownSlice: CustomStringConvertible {
  var orientation: String
  var plane: AnatomicalPlane
  var width, height: Int
  var zoom, pixelAspect: Double

  var description: String { "\(orientation) \(plane) \(width)x\(height) zoom \(zoom) aspect \(pixelAspect)" }

  /// Panes of odd sizes, from strong reduction to strong enlargement, in grids whose axes run in different ways.
  static let all: [ShownSlice] = {
    let panes: [(width: Int, height: Int, zoom: Double, pixelAspect: Double)] = [
      (7, 5, 1, 1), (40, 61, 1, 1), (41, 29, 0.1, 1), (57, 64, 2.3, 1.17), (31, 20, 20, 0.5), (1, 1, 1, 1),
      (83, 90, 1, 1), (90, 33, 5, 1.9), (0, 4, 1, 1),
    ]
    return ["RAS", "LPS", "SRA", "PIL"].flatMap { orientation in
      AnatomicalPlane.allCases.flatMap { plane in
        panes.map { pane in
          ShownSlice(
            orientation: orientation, plane: plane, width: pane.width, height: pane.height, zoom: pane.zoom,
            pixelAspect: pane.pixelAspect)
        }
      }
    }
  }()

  let size = GridSize(37, 41, 70)
  let slice = VoxelIndex(17, 9, 33)

  var grid: VolumeGrid {
    let axes = Orientation(code: orientation)!
    var affine = Affine(spacing: Spacing(1))
    let spacings = [0.7, 1.3, 2.1]
    var steps = [WorldPoint(0, 0, 0), WorldPoint(0, 0, 0), WorldPoint(0, 0, 0)]
    for axis in 0..<3 {
      var step = [0.0, 0, 0]
      step[axes[axis].worldAxis] = axes[axis].isPositive ? spacings[axis] : -spacings[axis]
      steps[axis] = WorldPoint(step[0], step[1], step[2])
    }
    (affine.stepI, affine.stepJ, affine.stepK) = (steps[0], steps[1], steps[2])
    return VolumeGrid(size: size, affine: affine)
  }

  var projection: PaneProjection {
    PaneProjection(
      PlaneGeometry(plane, of: grid, convention: .radiological), width: width, height: height,
      pixelAspect: pixelAspect, zoom: zoom, centre: SIMD3(18.2, 20, 33.9))
  }

  var sampler: SliceSampler { SliceSampler(projection, size: size, slice: slice) }

  /// The voxel of the slice at a position in its plane.
  func voxel(_ u: Int, _ v: Int) -> VoxelIndex {
    var voxel = slice
    voxel[projection.geometry.horizontalAxis] = u
    voxel[projection.geometry.verticalAxis] = v
    return voxel
  }

  /// The fraction of the box of a pixel that each voxel along an axis fills; none where the pixel shows nothing.
  private func parts(_ one: Double, _ other: Double, _ count: Int) -> [(voxel: Int, part: Double)] {
    let centre = (one + other) / 2
    guard centre >= -0.5, centre < Double(count) - 0.5 else { return [] }
    let reach = max(1, abs(other - one)) / 2
    let parts = (0..<count).map { voxel in
      let lower = max(centre - reach, Double(voxel) - 0.5)
      return (voxel, max(0, min(centre + reach, Double(voxel) + 0.5) - lower))
    }
    let sum = parts.reduce(0) { $0 + $1.1 }
    return parts.filter { $0.1 > 0 }.map { ($0.0, $0.1 / sum) }
  }

  /// The mean intensity of each pixel in double precision; nil outside the image.
  func means(_ value: (VoxelIndex) -> Double) -> [Double?] {
    let (projection, geometry) = (projection, projection.geometry)
    return (0..<height).flatMap { y in
      let rows = parts(
        projection.verticalIndex(atPixel: Double(y)), projection.verticalIndex(atPixel: Double(y + 1)),
        geometry.verticalCount)
      return (0..<width).map { x -> Double? in
        let columns = parts(
          projection.horizontalIndex(atPixel: Double(x)), projection.horizontalIndex(atPixel: Double(x + 1)),
          geometry.horizontalCount)
        guard !rows.isEmpty, !columns.isEmpty else { return nil }
        return rows.reduce(0) { sum, row in
          columns.reduce(sum) { $0 + value(voxel($1.voxel, row.voxel)) * $1.part * row.part }
        }
      }
    }
  }

  /// The greatest class among the voxels of each pixel; 0 outside the image.
  func classes(_ value: (VoxelIndex) -> UInt16) -> [UInt16] {
    let (columns, rows) = (projection.columns, projection.rows)
    return rows.flatMap { row in
      columns.map { column in
        row.reduce(0) { best, v in column.reduce(best) { max($0, value(voxel($1, v))) } }
      }
    }
  }
}

@Suite("Pixels of slices")
struct SliceSamplerTests {
  @Test("are means over the area of a pixel, and linear interpolations between large voxels")
  func greys() {
    let window = IntensityWindow(lower: -0.8, upper: 0.7)
    for shown in ShownSlice.all {
      let grid = shown.grid
      let values = SeededFloats.make(grid.size.voxelCount, seed: 3)
      let found = shown.sampler.greys(of: ScalarVolume(grid: grid, voxels: values), window: window)
      let expected = shown.means { Double(values[grid.size.offset($0)]) }
      #expect(found.count == expected.count)
      var different = 0
      for (grey, mean) in zip(found, expected) {
        let exact = mean.map { min(max(($0 + 0.8) * 255 / 1.5, 0), 255) } ?? 0
        if abs(Double(grey) - exact) > 0.5 + 1e-3 { different += 1 }
      }
      #expect(different == 0, "\(shown)")
    }
  }

  @Test("show a ramp as a ramp at any zoom, without steps of voxels")
  func ramp() {
    let grid = VolumeGrid(size: GridSize(50, 1, 50), affine: Affine(spacing: Spacing(1)))
    let image = ScalarVolume(grid: grid, voxels: (0..<2500).map { Float($0 % 50) })
    let geometry = PlaneGeometry(.coronal, of: grid, convention: .neurological)
    for zoom in [0.5, 1, 1.01, 3, 20] {
      let projection = PaneProjection(
        geometry, width: 50, height: 50, pixelAspect: 1, zoom: zoom, centre: SIMD3(24.5, 0, 24.5))
      let sampler = SliceSampler(projection, size: grid.size, slice: VoxelIndex(0, 0, 0))
      let greys = sampler.greys(of: image, window: IntensityWindow(lower: 0, upper: 51))
      for x in 0..<50 {
        let index = projection.horizontalIndex(atPixel: Double(x) + 0.5)
        // Pixels of the outermost voxels are cut off at the image's edge.
        guard index > 1.5, index < 47.5 else { continue }
        #expect(abs(Double(greys[25 * 50 + x]) - index * 5) < 0.51, "zoom \(zoom), pixel \(x)")
      }
    }
  }

  @Test("are black where the voxels are NaN, and limited where they are infinite; neighbours are unharmed")
  func extremes() {
    let grid = VolumeGrid(size: GridSize(5, 1, 1), affine: Affine(spacing: Spacing(1)))
    let image = ScalarVolume(grid: grid, voxels: [.nan, 1, .infinity, -.infinity, 1])
    func greys(_ width: Int) -> [UInt8] {
      let projection = PaneProjection(
        PlaneGeometry(.axial, of: grid, convention: .neurological), width: width, height: 1, pixelAspect: 1,
        zoom: 1, centre: SIMD3(2, 0, 0), millimetresPerColumn: 5 / Double(width))
      return SliceSampler(projection, size: grid.size, slice: VoxelIndex(0, 0, 0))
        .greys(of: image, window: IntensityWindow(lower: 0, upper: 2))
    }
    #expect(greys(5) == [0, 128, 255, 0, 128])
    // Halfway between the black of NaN and 1 is a quarter of white.
    #expect(greys(10)[0...3] == [0, 32, 96, 255])
  }

  @Test("have the highest class of all the voxels that they cover")
  func classes() {
    for shown in ShownSlice.all {
      let grid = shown.grid
      let voxels = SeededFloats.labels(grid.size.voxelCount, background: 0.9, highest: 6, seed: 4)
      let others = SeededFloats.labels(grid.size.voxelCount, background: 0.8, highest: 6, seed: 5)
      func labels(_ voxels: [UInt16]) -> ChunkedLabels {
        ChunkedLabels(LabelVolume(grid: grid, voxels: voxels))
      }
      var ranks = LabelRanks()
      for value in UInt16(1)...5 { ranks.give(8 - value, to: value, bounds: VoxelBounds(grid.size)) }
      let count = shown.width * shown.height
      var found = [UInt16](repeating: 0, count: count)
      shown.sampler.classify(labels(voxels), ranks, into: &found)
      #expect(found == shown.classes { ranks.ranks[Int(voxels[grid.size.offset($0)])] }, "\(shown)")
      var agreements = [UInt16](repeating: 0, count: count)
      shown.sampler.classify(
        labels(voxels), ranks, labels(others), ranks, into: &agreements, combine: MaskAgreement.of)
      let expected = shown.classes { voxel in
        let offset = grid.size.offset(voxel)
        return MaskAgreement.of(ranks.ranks[Int(voxels[offset])], ranks.ranks[Int(others[offset])])
      }
      #expect(agreements == expected, "\(shown)")
    }
  }

  @Test("of a part of a grid leave the pixels alone that show none of it")
  func part() {
    for shown in ShownSlice.all {
      let box = VoxelBounds(lower: VoxelIndex(10, 5, 20), upper: VoxelIndex(25, 22, 40))
      let part = ChunkedLabels(
        LabelVolume(
          grid: shown.grid.cropped(to: box),
          voxels: SeededFloats.labels(box.size.voxelCount, background: 0.5, highest: 3, seed: 6)))
      var ranks = LabelRanks()
      for value in UInt16(1)...3 { ranks.give(value, to: value, bounds: VoxelBounds(box.size)) }
      var found = [UInt16](repeating: 9, count: shown.width * shown.height)
      SliceSampler(shown.projection, size: box.size, slice: shown.slice, box: box)
        .classify(part, ranks, into: &found)
      // Voxels outside the box count as 0, and a pixel without any of the box has the class that it had.
      let expected = shown.classes { voxel in
        let isInside = (0..<3).allSatisfy { (box.lower[$0]...box.upper[$0]).contains(voxel[$0]) }
        return isInside ? ranks.ranks[Int(part[voxel - box.lower])] + 1 : 0
      }.map { $0 == 0 ? 9 : $0 - 1 }
      #expect(found == expected, "\(shown)")
    }
  }
}
