import Metrics
import TestSupport
import Testing
import Volumes
import Work

/// A grid whose axes meet at other than right angles.
private struct ShearedGrid: Sendable, CustomTestStringConvertible {
  let name: String
  let affine: Affine
  var testDescription: String { name }

  init(_ name: String, _ columns: [[Double]]) {
    self.name = name
    func point(_ numbers: [Double]) -> WorldPoint { WorldPoint(numbers[0], numbers[1], numbers[2]) }
    affine = Affine(
      stepI: point(columns[0]), stepJ: point(columns[1]), stepK: point(columns[2]),
      origin: WorldPoint(3, -40, 900))
  }
}

private let shearedGrids = [
  ShearedGrid("a gantry tilted by 22 degrees", [[1, 0, 0], [0, 1, 0], [0, 1.2, 3]]),
  ShearedGrid("a gantry tilted the other way, thick slices", [[-0.7, 0, 0], [0, -0.7, 0], [0, 1.4, 5]]),
  ShearedGrid("axes i and j at 60 degrees", [[1, 0, 0], [0.5, 0.8660254, 0], [0, 0, 2]]),
  ShearedGrid("no two axes perpendicular", [[0.9, 0.1, -0.2], [0.3, 1.1, 0.25], [-0.8, 0.6, 1.7]]),
  ShearedGrid("a shear beyond one voxel", [[0.5, 0, 0], [0, 0.5, 0], [1.3, 0, 0.6]]),
  ShearedGrid("a shear of a hundredth of a degree", [[1, 0, 0], [0, 1, 0], [0, 0.0002, 1]]),
]

/// The border voxels of label 1, in world millimetres.
private func border(_ mask: LabelVolume) -> [WorldPoint] {
  borderVoxels(of: mask).map { mask.grid.affine.world($0) }
}

/// The distance of each border voxel to the nearest of the other border: all pairs.
private func distances(_ from: LabelVolume, _ to: LabelVolume) -> [Double] {
  let targets = border(to)
  return border(from).map { one in
    targets.map { two in (0..<3).reduce(0) { $0 + (one[$1] - two[$1]) * (one[$1] - two[$1]) } }.min()!
      .squareRoot()
  }
}

private func percentile95(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let rank = 0.95 * Double(sorted.count - 1)
  let above = sorted[min(Int(rank) + 1, sorted.count - 1)]
  return sorted[Int(rank)] + (rank - rank.rounded(.down)) * (above - sorted[Int(rank)])
}

/// No distance between voxels of the grids below, so that rounding decides nothing.
private let tolerance = 2.03

private func compare(_ one: LabelVolume, _ two: LabelVolume, threads: Int = 2) throws -> StructureComparison {
  try StructureComparison(
    MatchedStructure(name: "a", referenceValues: [1], otherValues: [1]), reference: one, other: two,
    toleranceMillimetres: tolerance, work: WorkContext(threadCount: threads))
}

private func mask(_ size: GridSize, _ affine: Affine, _ isInside: (VoxelIndex) -> Bool) -> LabelVolume {
  LabelVolume(
    grid: VolumeGrid(size: size, affine: affine),
    voxels: (0..<size.voxelCount).map { isInside(size.index(offset: $0)) ? 1 : 0 })
}

/// A ball around a point whose radius counts steps of the grid.
private func ball(_ index: VoxelIndex, _ centre: [Double], _ radius: Double) -> Bool {
  (0..<3).reduce(0.0) { $0 + (Double(index[$1]) - centre[$1]) * (Double(index[$1]) - centre[$1]) } <= radius
    * radius
}

@Test(
  "in sheared grids distances are those in space between all pairs of border voxels", arguments: shearedGrids)
private func shearedDistances(grid: ShearedGrid) throws {
  var generator = SplitMix64(seed: 5)
  let size = GridSize(13, 11, 9)
  func noise(_ density: Double) -> LabelVolume {
    mask(size, grid.affine) { _ in generator.uniform() < density }
  }
  let pairs = [
    (noise(0.05), noise(0.5)), (noise(0.9), noise(0.02)),
    (
      mask(size, grid.affine) { ball($0, [6, 5, 4], 4) }, mask(size, grid.affine) { ball($0, [7, 6, 6], 3) }
    ),
    // A shell around its own centre: everything is as far as everything else.
    (
      mask(size, grid.affine) { ball($0, [6, 5, 4], 4) && !ball($0, [6, 5, 4], 3) },
      mask(size, grid.affine) { ball($0, [6, 5, 4], 0.5) }
    ),
    (mask(size, grid.affine) { _ in true }, mask(size, grid.affine) { $0 == VoxelIndex(12, 0, 8) }),
    (mask(size, grid.affine) { $0.k == 1 }, mask(size, grid.affine) { $0.k == 6 }),
  ]
  for (one, two) in pairs {
    let directed = [distances(one, two), distances(two, one)]
    let pooled = directed[0] + directed[1]
    let count = Double(pooled.count)
    let found = try #require(try compare(one, two).distances)
    #expect(abs(found.averageMillimetres - pooled.reduce(0, +) / count) < 1e-9)
    #expect(
      abs(found.rootMeanSquareMillimetres - (pooled.reduce(0) { $0 + $1 * $1 } / count).squareRoot()) < 1e-9)
    #expect(abs(found.maximumMillimetres - pooled.max()!) < 1e-9)
    #expect(abs(found.percentile95Millimetres - directed.map(percentile95).max()!) < 1e-9)
    #expect(found.surfaceDice == Double(pooled.count { $0 <= tolerance }) / count)
    #expect(try compare(one, two, threads: 1) == compare(one, two, threads: 3))
  }
}

@Test("an oblique grid with perpendicular axes has the distances of the same grid along the axes")
func obliqueDistances() throws {
  // Columns of a rotation, rounded as a 32-bit header rounds them.
  let columns = [[0.36, 0.48, -0.8], [-0.8, 0.6, 0], [0.48, 0.64, 0.6]].map { $0.map { Double(Float($0)) } }
  let oblique = ShearedGrid("", columns).affine
  #expect(oblique.hasPerpendicularAxes)
  let size = GridSize(12, 12, 8)
  func compared(_ affine: Affine) throws -> SurfaceDistanceMeasures? {
    try compare(
      mask(size, affine) { ball($0, [5, 5, 4], 3) }, mask(size, affine) { ball($0, [7, 6, 4], 3) }
    ).distances
  }
  let (found, straight) = (
    try #require(try compared(oblique)), try #require(try compared(Affine(spacing: Spacing(1))))
  )
  #expect(abs(found.averageMillimetres - straight.averageMillimetres) < 1e-6)
  #expect(abs(found.maximumMillimetres - straight.maximumMillimetres) < 1e-6)
}

@Test("the comparison in a sheared grid stops wherever it is asked to")
func shearedCancellation() throws {
  let affine = shearedGrids[0].affine
  let size = GridSize(24, 22, 20)
  let (one, two) = (
    mask(size, affine) { ball($0, [12, 11, 10], 8) }, mask(size, affine) { ball($0, [13, 11, 10], 7) }
  )
  try expectStops(atEachOf: 40) { work in
    _ = try StructureComparison(
      MatchedStructure(name: "a", referenceValues: [1], otherValues: [1]), reference: one, other: two,
      work: work)
  }
}

@Test("the diagonal of a sheared grid is the longest of the four between opposite corners")
func diagonal() {
  let straight = VolumeGrid(size: GridSize(240, 240, 155), affine: Affine(spacing: Spacing(1)))
  #expect(abs(straight.diagonalMillimetres - 373.12866) < 1e-4)
  let sheared = VolumeGrid(
    size: GridSize(1, 10, 10),
    affine: ShearedGrid("", [[1, 0, 0], [0, 1, 0], [0, -3, 4]]).affine)
  // From (1, 0, 10) to (0, 10, 0): (1, 40, 40).
  #expect(abs(sheared.diagonalMillimetres - (1.0 + 1600 + 1600).squareRoot()) < 1e-9)
}
