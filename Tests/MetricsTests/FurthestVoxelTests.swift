import Metrics
import Testing
import Volumes
import Work

private func mask(_ size: GridSize, _ affine: Affine, _ isInside: (VoxelIndex) -> Bool) -> LabelVolume {
  LabelVolume(
    grid: VolumeGrid(size: size, affine: affine),
    voxels: (0..<size.voxelCount).map { isInside(size.index(offset: $0)) ? 1 : 0 })
}

private func compared(_ reference: LabelVolume, _ other: LabelVolume) throws -> StructureComparison {
  try StructureComparison(
    MatchedStructure(name: "label 1", referenceValues: [1], otherValues: [1]), reference: reference,
    other: other, work: WorkContext(threadCount: 2))
}

/// All border voxels of both masks with their distances to the other border, by all pairs.
private func allDistances(_ reference: LabelVolume, _ other: LabelVolume) -> [BorderVoxel] {
  let borders = [borderVoxels(of: reference), borderVoxels(of: other)]
  return [0, 1].flatMap { own in
    let targets = borders[1 - own].map { reference.grid.affine.world($0) }
    return borders[own].map { index in
      let point = reference.grid.affine.world(index)
      let square = targets.map { target in
        (0..<3).reduce(0) { $0 + (point[$1] - target[$1]) * (point[$1] - target[$1]) }
      }.min()!
      return BorderVoxel(index: index, isOfReference: own == 0, distanceMillimetres: square.squareRoot())
    }
  }
}

private let straight = Affine(spacing: Spacing(0.7, 1.1, 2.5))
private let sheared = Affine(
  stepI: WorldPoint(0.9, 0.1, -0.2), stepJ: WorldPoint(0.3, 1.1, 0.25), stepK: WorldPoint(-0.8, 0.6, 1.7),
  origin: WorldPoint(3, -40, 900))

@Suite struct FurthestVoxelTests {
  @Test(
    "the furthest border voxel is one that all pairs of border voxels give, on straight and sheared grids",
    arguments: [straight, sheared])
  func allPairs(affine: Affine) throws {
    var random = SplitMix64(seed: 11)
    let size = GridSize(13, 11, 9)
    for density in [0.02, 0.5, 0.95] {
      for _ in 0..<4 {
        func noise() -> LabelVolume {
          var made = mask(size, affine) { _ in random.uniform() < density }
          made.voxels[size.voxelCount / 2] = 1
          return made
        }
        let (one, two) = (noise(), noise())
        let expected = allDistances(one, two)
        let greatest = expected.map(\.distanceMillimetres).max()!
        let found = try #require(try compared(one, two).furthest)
        #expect(abs(found.distanceMillimetres - greatest) < 1e-5)
        #expect(
          expected.contains {
            $0.index == found.index && $0.isOfReference == found.isOfReference
              && abs($0.distanceMillimetres - greatest) < 1e-5
          })
      }
    }
  }

  @Test("the tip of a spike is furthest, in whichever mask it is; of equally far voxels the first counts")
  func spike() throws {
    let size = GridSize(20, 9, 9)
    func cube(_ tip: Int) -> LabelVolume {
      mask(size, straight) { index in
        (2..<6).contains(index.i) && (2..<6).contains(index.j) && (2..<6).contains(index.k)
          || index.j == 4 && index.k == 4 && (6..<6 + tip).contains(index.i)
      }
    }
    let tip = VoxelIndex(14, 4, 4)
    let outwards = try #require(try compared(cube(9), cube(0)).furthest)
    #expect(outwards.index == tip && outwards.isOfReference)
    #expect(abs(outwards.distanceMillimetres - 9 * 0.7) < 1e-6)
    let inwards = try #require(try compared(cube(0), cube(9)).furthest)
    #expect(inwards.index == tip && !inwards.isOfReference)
    let same = try #require(try compared(cube(3), cube(3)).furthest)
    #expect(same == BorderVoxel(index: VoxelIndex(2, 2, 2), isOfReference: true, distanceMillimetres: 0))
  }

  @Test("few voxels far apart, which are measured as points, have their position in the whole grid")
  func scattered() throws {
    for affine in [straight, sheared] {
      let size = GridSize(60, 50, 40)
      let (near, far) = (VoxelIndex(3, 4, 5), VoxelIndex(55, 45, 33))
      let one = mask(size, affine) { $0 == near || $0 == far }
      let two = mask(size, affine) { $0 == near || $0 == VoxelIndex(4, 4, 5) }
      let found = try #require(try compared(one, two).furthest)
      #expect(found.index == far && found.isOfReference)
      #expect(try compared(two, one).furthest?.isOfReference == false)
    }
  }

  @Test("without a border in both masks there is no furthest voxel")
  func missing() throws {
    let size = GridSize(4, 4, 4)
    let (full, empty) = (mask(size, straight) { $0.i == 1 }, mask(size, straight) { _ in false })
    #expect(try compared(full, empty).furthest == nil)
    #expect(try compared(empty, empty).furthest == nil)
  }
}
