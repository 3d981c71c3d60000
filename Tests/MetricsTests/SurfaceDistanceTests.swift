import Metrics
import Testing
import Volumes
import Work

/// A mask of the voxels that `isInside` picks.
private func mask(_ size: GridSize, _ spacing: Spacing, _ isInside: (VoxelIndex) -> Bool) -> LabelVolume {
  LabelVolume(
    grid: VolumeGrid(size: size, affine: Affine(spacing: spacing)),
    voxels: (0..<size.voxelCount).map { isInside(size.index(offset: $0)) ? 1 : 0 })
}

private func box(_ index: VoxelIndex, _ lower: [Int], _ upper: [Int]) -> Bool {
  (0..<3).allSatisfy { index[$0] >= lower[$0] && index[$0] <= upper[$0] }
}

private func compare(
  _ reference: LabelVolume, _ other: LabelVolume, tolerance: Double = 1, threads: Int = 2
) throws -> StructureComparison {
  try StructureComparison(
    MatchedStructure(name: "label 1", referenceValues: [1], otherValues: [1]), reference: reference,
    other: other,
    toleranceMillimetres: tolerance, work: WorkContext(threadCount: threads))
}

/// The distances by definition: every border voxel against every other.
private func bruteForceDistances(_ from: LabelVolume, _ to: LabelVolume) -> [Double] {
  func border(_ mask: LabelVolume) -> [VoxelIndex] {
    let size = mask.grid.size
    return (0..<size.voxelCount).map(size.index(offset:)).filter { index in
      guard mask.voxels[size.offset(index)] != 0 else { return false }
      for k in -1...1 {
        for j in -1...1 {
          for i in -1...1 {
            let neighbour = VoxelIndex(index.i + i, index.j + j, index.k + k)
            if !size.contains(neighbour) || mask.voxels[size.offset(neighbour)] == 0 { return true }
          }
        }
      }
      return false
    }
  }
  let spacing = from.grid.spacing
  let targets = border(to)
  return border(from).map { one in
    targets.map { two in
      let steps = (0..<3).map { Double(one[$0] - two[$0]) * spacing[$0] }
      return steps.map { $0 * $0 }.reduce(0, +)
    }.min()!.squareRoot()
  }
}

@Test("a mask compared with itself agrees in everything")
func identicalMasks() throws {
  let cube = mask(GridSize(9, 9, 9), Spacing(1, 1, 2)) { box($0, [2, 2, 2], [6, 6, 6]) }
  let comparison = try compare(cube, cube)
  #expect(comparison.overlap.dice == 1)
  #expect(comparison.referenceMillilitres == 0.25)
  #expect(comparison.distances?.maximumMillimetres == 0)
  #expect(comparison.distances?.surfaceDice == 1)
  #expect(comparison.sliver07Score == 100)
  #expect(comparison.hvsmrTerm == 0.5)
}

@Test("a plate shifted along an anisotropic axis lies the shift in millimetres away")
func shiftedPlates() throws {
  let size = GridSize(8, 7, 6)
  for axis in 0..<3 {
    let spacing = Spacing(0.7, 1.5, 3)
    func plate(_ position: Int) -> LabelVolume { mask(size, spacing) { $0[axis] == position } }
    let distances = try #require(try compare(plate(1), plate(4), tolerance: 3 * spacing[axis]).distances)
    let expected = 3 * spacing[axis]
    for measured in [
      distances.averageMillimetres, distances.rootMeanSquareMillimetres, distances.maximumMillimetres,
      distances.percentile95Millimetres,
    ] {
      #expect(abs(measured - expected) < 1e-6)
    }
    #expect(distances.surfaceDice == 1)
    #expect(try compare(plate(1), plate(4), tolerance: 0.999 * expected).distances?.surfaceDice == 0)
  }
}

@Test(
  "concentric spheres of 17 and 13 mm have the distances that numpy finds between all pairs of border voxels")
func concentricSpheres() throws {
  func sphere(_ radius: Double) -> LabelVolume {
    mask(GridSize(41, 41, 21), Spacing(1, 1, 2)) { index in
      let (x, y, z) = (Double(index.i - 20), Double(index.j - 20), 2 * Double(index.k - 10))
      return x * x + y * y + z * z <= radius * radius
    }
  }
  let comparison = try compare(sphere(17), sphere(13))
  let distances = try #require(comparison.distances)
  #expect(abs(distances.averageMillimetres - 3.2965125585584754) < 1e-6)
  #expect(abs(distances.rootMeanSquareMillimetres - 3.3576991083449816) < 1e-6)
  #expect(abs(distances.maximumMillimetres - 4.58257569495584) < 1e-6)
  #expect(abs(distances.percentile95Millimetres - 4.123105625617661) < 1e-6)
  #expect(abs(comparison.referenceMillilitres - 4.0 / 3 * .pi * 17 * 17 * 17 / 1000) < 0.3)
}

@Test("distances equal those of the definition on random masks, whatever the number of threads")
func bruteForce() throws {
  var generator = SplitMix64(seed: 3)
  for (size, spacing) in [
    (GridSize(7, 6, 5), Spacing(1, 1, 1)), (GridSize(17, 5, 4), Spacing(0.7, 0.8, 2.5)),
    (GridSize(1, 9, 8), Spacing(2, 1, 0.5)), (GridSize(20, 18, 1), Spacing(1, 3, 1)),
  ] {
    for density in [0.03, 0.5, 0.97] {
      func random() -> LabelVolume {
        var made = mask(size, spacing) { _ in generator.uniform() < density }
        made.voxels[size.voxelCount / 2] = 1
        return made
      }
      let (one, two) = (random(), random())
      let expected = [bruteForceDistances(one, two), bruteForceDistances(two, one)]
      let pooled = expected[0] + expected[1]
      let distances = try #require(try compare(one, two).distances)
      let count = Double(pooled.count)
      #expect(abs(distances.averageMillimetres - pooled.reduce(0, +) / count) < 1e-6)
      let meanSquare = pooled.map { $0 * $0 }.reduce(0, +) / count
      #expect(abs(distances.rootMeanSquareMillimetres - meanSquare.squareRoot()) < 1e-6)
      #expect(abs(distances.maximumMillimetres - pooled.max()!) < 1e-6)
      let percentiles = expected.map { directed in
        let sorted = directed.sorted()
        let rank = 0.95 * Double(sorted.count - 1)
        let (below, above) = (sorted[Int(rank)], sorted[min(Int(rank) + 1, sorted.count - 1)])
        return below + (rank - rank.rounded(.down)) * (above - below)
      }
      #expect(abs(distances.percentile95Millimetres - percentiles.max()!) < 1e-6)
      let within = pooled.count { $0 <= 1 + 1e-9 }
      #expect(abs(distances.surfaceDice - Double(within) / count) < 1e-12)
      #expect(try compare(one, two, threads: 1) == compare(one, two, threads: 3))
    }
  }
}

@Test("the image's edge is a border: a mask that fills the image has its faces as border")
func fullImage() throws {
  let size = GridSize(5, 5, 5)
  let full = mask(size, Spacing(1)) { _ in true }
  let centre = mask(size, Spacing(1)) { $0 == VoxelIndex(2, 2, 2) }
  let distances = try #require(try compare(full, centre).distances)
  #expect(abs(distances.maximumMillimetres - 12.0.squareRoot()) < 1e-6)
}

@Test("empty masks: both give Dice 1, one gives Dice 0, neither gives distances or scores")
func emptyMasks() throws {
  let size = GridSize(4, 4, 4)
  let empty = mask(size, Spacing(1)) { _ in false }
  let cube = mask(size, Spacing(1)) { box($0, [1, 1, 1], [2, 2, 2]) }
  let both = try compare(empty, empty)
  #expect(both.overlap.dice == 1)
  #expect(both.overlap.volumetricOverlapErrorPercent == 0)
  #expect(both.overlap.relativeVolumeDifferencePercent == 0)
  #expect(both.distances == nil)
  let missed = try compare(cube, empty)
  #expect(missed.overlap.dice == 0)
  #expect(missed.overlap.relativeVolumeDifferencePercent == -100)
  #expect(missed.distances == nil)
  #expect(missed.sliver07Score == nil)
  #expect(missed.hvsmrTerm == nil)
  #expect(try compare(empty, cube).overlap.relativeVolumeDifferencePercent == nil)
}

@Test("a comparison stops when asked to")
func cancelledComparison() {
  let cube = mask(GridSize(4, 4, 4), Spacing(1)) { box($0, [1, 1, 1], [2, 2, 2]) }
  let work = WorkContext()
  work.cancellation.request()
  #expect(throws: Cancelled()) {
    try StructureComparison(
      MatchedStructure(name: "a", referenceValues: [1], otherValues: [1]), reference: cube, other: cube,
      work: work)
  }
}

@Test("labels that lie scattered over the image are measured by definition, thousands of them in one go")
func scatteredLabels() throws {
  let size = GridSize(48, 40, 36)
  let spacing = Spacing(1, 1.5, 2)
  var random = SplitMix64(seed: 7)
  // Two voxels of each label at random, and of label 1 two cubes in opposite corners, which have voxels inside.
  let labelCount = 15_000
  func scattered(shift: Int) -> LabelVolume {
    var voxels = [UInt16](repeating: 0, count: size.voxelCount)
    for label in 2..<labelCount {
      for _ in 0..<2 { voxels[Int(random.next() % UInt64(size.voxelCount))] = UInt16(label) }
    }
    for offset in voxels.indices {
      let index = size.index(offset: offset)
      if box(index, [shift, 0, 0], [shift + 3, 3, 3]) || box(index, [40, 34, 30], [44, 38, 34]) {
        voxels[offset] = 1
      }
    }
    return LabelVolume(grid: VolumeGrid(size: size, affine: Affine(spacing: spacing)), voxels: voxels)
  }
  let (reference, other) = (scattered(shift: 0), scattered(shift: 2))
  let extents = try LabelExtents(reference: reference, other: other, work: WorkContext())
  for label in 1..<UInt16(labelCount) {
    let comparison = try StructureComparison(
      MatchedStructure(name: "\(label)", referenceValues: [label], otherValues: [label]),
      reference: reference, other: other, extents: extents, work: WorkContext(threadCount: 1))
    guard label == 1 || label % 1500 == 0, let distances = comparison.distances else { continue }
    func alone(_ volume: LabelVolume) -> LabelVolume {
      LabelVolume(grid: volume.grid, voxels: volume.voxels.map { $0 == label ? 1 : 0 })
    }
    let all =
      bruteForceDistances(alone(reference), alone(other))
      + bruteForceDistances(alone(other), alone(reference))
    #expect(abs(distances.averageMillimetres - all.reduce(0, +) / Double(all.count)) < 1e-9)
    #expect(abs(distances.maximumMillimetres - all.max()!) < 1e-9)
  }
}
