import Metrics
import Testing
import Volumes
import Work

/// A comparison of the first `reference` and the last `other` voxels of a row of ten, each 1 x 2 x 2 mm.
private func comparison(reference: Int, other: Int) throws -> StructureComparison {
  let grid = VolumeGrid(size: GridSize(10, 1, 1), affine: Affine(spacing: Spacing(1, 2, 2)))
  return try StructureComparison(
    MatchedStructure(name: "a", referenceValues: [1], otherValues: [1]),
    reference: LabelVolume(grid: grid, voxels: (0..<10).map { $0 < reference ? 1 : 0 }),
    other: LabelVolume(grid: grid, voxels: (0..<10).map { $0 >= 10 - other ? 1 : 0 }), work: WorkContext())
}

@Test("a structure that both masks have counts with its own measures")
func countedAsMeasured() throws {
  let compared = try comparison(reference: 6, other: 6)
  let counted = try #require(CountedMeasures(compared))
  let distances = try #require(compared.distances)
  #expect(compared.foundIn == .both && !compared.isMissed)
  #expect(counted.dice == compared.overlap.dice)
  #expect(counted.volumetricOverlapErrorPercent == compared.overlap.volumetricOverlapErrorPercent)
  #expect(counted.relativeVolumeDifferencePercent == 0)
  #expect(counted.averageMillimetres == distances.averageMillimetres)
  #expect(counted.rootMeanSquareMillimetres == distances.rootMeanSquareMillimetres)
  #expect(counted.maximumMillimetres == distances.maximumMillimetres)
  #expect(counted.percentile95Millimetres == distances.percentile95Millimetres)
  #expect(counted.sliver07 == compared.sliver07)
  #expect(counted.hvsmrTerm == compared.hvsmrTerm)
}

@Test(
  "a structure that only one mask has counts as Dice 0, errors of 100 %, score 0 and the image's diagonal",
  arguments: [(3, 0, StructureComparison.Presence.reference), (0, 3, .other)])
func countedAsMissed(reference: Int, other: Int, presence: StructureComparison.Presence) throws {
  let compared = try comparison(reference: reference, other: other)
  #expect(compared.foundIn == presence && compared.isMissed)
  #expect(compared.distances == nil && compared.sliver07 == nil && compared.hvsmrTerm == nil)
  let counted = try #require(CountedMeasures(compared))
  let diagonal = 108.0.squareRoot()
  #expect(counted.dice == 0)
  #expect(counted.volumetricOverlapErrorPercent == 100)
  #expect(counted.relativeVolumeDifferencePercent == (reference > 0 ? -100 : 100))
  #expect(
    [
      counted.averageMillimetres, counted.rootMeanSquareMillimetres, counted.maximumMillimetres,
      counted.percentile95Millimetres,
    ].allSatisfy { abs($0 - diagonal) < 1e-12 })
  #expect(counted.sliver07.total == 0)
  #expect(abs(counted.hvsmrTerm + diagonal / 4 + diagonal / 30) < 1e-12)
  #expect(HVSMRScore.overall([compared]) == nil)
  #expect(
    HVSMRScore.counted([compared, try comparison(reference: 10, other: 10)]) == counted.hvsmrTerm + 0.5)
}

@Test("a structure that neither mask has counts in no mean")
func countedNowhere() throws {
  let compared = try comparison(reference: 0, other: 0)
  #expect(compared.foundIn == .neither && !compared.isMissed)
  #expect(CountedMeasures(compared) == nil)
  #expect(HVSMRScore.counted([compared]) == nil)
}

@Test("losing a structure never looks better than keeping a bad version of it")
func losingIsWorst() throws {
  let bad = try #require(CountedMeasures(comparison(reference: 1, other: 1)))
  let lost = try #require(CountedMeasures(comparison(reference: 1, other: 0)))
  #expect(lost.dice <= bad.dice && lost.sliver07.total <= bad.sliver07.total)
  #expect(
    lost.averageMillimetres > bad.averageMillimetres && lost.maximumMillimetres > bad.maximumMillimetres)
}

@Test("the worked case of docs/algorithms/metrics.md has the measures that are written there")
func workedCase() throws {
  let grid = VolumeGrid(size: GridSize(41, 41, 21), affine: Affine(spacing: Spacing(1, 1, 2)))
  func volume(_ isInside: (Int, Int, Int, Int) -> Bool) -> LabelVolume {
    LabelVolume(
      grid: grid,
      voxels: (0..<grid.size.voxelCount).map {
        let index = grid.size.index(offset: $0)
        return isInside(index.i - 20, index.j - 20, 2 * (index.k - 10), index.i) ? 1 : 0
      })
  }
  let compared = try StructureComparison(
    MatchedStructure(name: "a", referenceValues: [1], otherValues: [1]),
    reference: volume { x, y, z, _ in x * x + y * y + z * z <= 100 },
    other: volume { x, y, z, i in
      (x - 2) * (x - 2) + y * y + z * z <= 81 || (y == 0 && z == 0 && (34..<37).contains(i))
    }, work: WorkContext())
  #expect(
    compared.overlap
      == OverlapMeasures(referenceVoxelCount: 2047, otherVoxelCount: 1568, intersectionVoxelCount: 1474))
  let distances = try #require(compared.distances)
  let found = [
    compared.overlap.dice, compared.overlap.volumetricOverlapErrorPercent,
    compared.overlap.relativeVolumeDifferencePercent ?? 0, distances.averageMillimetres,
    distances.rootMeanSquareMillimetres, distances.maximumMillimetres, distances.percentile95Millimetres,
    distances.surfaceDice, compared.sliver07Score ?? 0, compared.hvsmrTerm ?? 0,
  ]
  let written = [
    0.815491009681881, 31.153666510976173, -23.40009770395701, 0.8130248342487368, 1.217250020633434, 6,
    2.8284271247461903, 0.8880636604774536, 50.97467840302017, 0.004489296278756327,
  ]
  for (one, other) in zip(found, written) { #expect(abs(one - other) < 1e-5) }
}
