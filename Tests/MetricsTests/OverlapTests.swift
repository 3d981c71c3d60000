import Metrics
import Testing
import Volumes
import Work

@Test("overlap measures follow their definitions")
func overlapDefinitions() {
  let overlap = OverlapMeasures(referenceVoxelCount: 100, otherVoxelCount: 80, intersectionVoxelCount: 60)
  #expect(overlap.dice == 120.0 / 180)
  #expect(overlap.volumetricOverlapErrorPercent == 50)
  #expect(overlap.relativeVolumeDifferencePercent == -20)
}

@Test("HVSMR's terms add up to the published scores")
func publishedHVSMR() {
  func score(_ rows: [(Double, Double, Double)]) -> Double {
    rows.map { HVSMRScore.term(dice: $0.0, averageMillimetres: $0.1, maximumMillimetres: $0.2) }.reduce(0, +)
  }
  #expect(abs(score([(0.821, 0.964, 7.294), (0.931, 0.938, 9.533)]) - -0.161) < 0.001)
  #expect(abs(score([(0.802, 0.957, 6.126), (0.926, 0.885, 7.069)]) - -0.036) < 0.001)
}

@Test("SLIVER07 gives 75 to the second reader's errors and never less than 0 to a measure")
func sliver07() throws {
  // Planes of one voxel: volumes agree, nothing overlaps, every distance is 1 mm.
  let grid = VolumeGrid(size: GridSize(4, 4, 4), affine: Affine(spacing: Spacing(1)))
  func plane(_ k: Int) -> LabelVolume {
    LabelVolume(grid: grid, voxels: (0..<64).map { $0 / 16 == k ? 1 : 0 })
  }
  let structure = MatchedStructure(name: "liver", referenceValues: [1], otherValues: [1])
  let comparison = try StructureComparison(
    structure, reference: plane(1), other: plane(2), work: WorkContext())
  let scores = try #require(comparison.sliver07)
  let parts = [0, 100, 75, 100 - 25 / 1.8, 100 - 25.0 / 19]
  let found = [
    scores.overlapError, scores.volumeDifference, scores.averageDistance, scores.rootMeanSquareDistance,
    scores.maximumDistance,
  ]
  #expect(zip(found, parts).allSatisfy { abs($0 - $1) < 1e-9 })
  #expect(abs((comparison.sliver07Score ?? 0) - parts.reduce(0, +) / 5) < 1e-9)
  let reader = SLIVER07Scores(
    overlapErrorPercent: 6.4, volumeDifferencePercent: -4.7, averageMillimetres: 1,
    rootMeanSquareMillimetres: 1.8, maximumMillimetres: 19)
  #expect(reader.total == 75)
}

@Test("the published mean errors of Lu et al. 2016 score 77.8 in SLIVER07")
func publishedSLIVER07() {
  let scores = SLIVER07Scores(
    overlapErrorPercent: 5.9, volumeDifferencePercent: 2.7, averageMillimetres: 0.91,
    rootMeanSquareMillimetres: 1.88, maximumMillimetres: 18.94)
  #expect(abs(scores.total - 77.8) < 0.05)
}

@Test("HVSMR's score of a case is the sum over its structures, and missing when one has no distances")
func hvsmrOfACase() throws {
  let grid = VolumeGrid(size: GridSize(4, 4, 4), affine: Affine(spacing: Spacing(1)))
  // Value k + 1 on plane k; the other mask is the same without its value 4.
  let reference = LabelVolume(grid: grid, voxels: (0..<64).map { UInt16($0 / 16 + 1) })
  let other = LabelVolume(grid: grid, voxels: reference.voxels.map { $0 == 4 ? 0 : $0 })
  func comparison(_ value: UInt16, _ found: UInt16) throws -> StructureComparison {
    try StructureComparison(
      MatchedStructure(name: "a", referenceValues: [value], otherValues: [found]), reference: reference,
      other: other, work: WorkContext())
  }
  // The same plane: 0.5. Planes 1 mm apart: Dice 0, distances 1 mm.
  let (same, shifted) = (try comparison(1, 1), try comparison(2, 3))
  #expect(HVSMRScore.overall([same, same]) == 1)
  #expect(abs((HVSMRScore.overall([same, shifted]) ?? 9) - (0.5 - 0.25 - 1.0 / 30)) < 1e-9)
  #expect(HVSMRScore.overall([same, try comparison(4, 4)]) == nil)
  #expect(HVSMRScore.overall([]) == nil)
}

@Test("structures are matched by name where both masks name them, else by value")
func matching() {
  let grey = RGBColour(1, 1, 1)
  func table(_ names: [UInt16: String]) -> LabelTable {
    LabelTable(names.map { Label(value: $0, name: $1, colour: grey) })
  }
  #expect(
    MatchedStructure.matches(
      reference: [0, 6, 1], referenceNames: table([6: "liver", 1: "spleen"]), other: [0, 1],
      otherNames: table([1: "liver"])) == [
        MatchedStructure(name: "spleen", referenceValues: [1], otherValues: []),
        MatchedStructure(name: "liver", referenceValues: [6], otherValues: [1]),
      ])
  #expect(
    MatchedStructure.matches(
      reference: [6], referenceNames: table([6: "liver"]), other: [6, 7], otherNames: nil)
      == [
        MatchedStructure(name: "liver", referenceValues: [6], otherValues: [6]),
        MatchedStructure(name: "label 7", referenceValues: [], otherValues: [7]),
      ])
}

@Test("a structure of several values counts all of them")
func unitedValues() throws {
  let grid = VolumeGrid(size: GridSize(4, 1, 1), affine: Affine(spacing: Spacing(1)))
  let selection = try LabelSelection("1,2=liver")
  let comparison = try StructureComparison(
    MatchedStructure(selection, referenceNames: nil, otherNames: nil),
    reference: LabelVolume(grid: grid, voxels: [1, 2, 3, 0]),
    other: LabelVolume(grid: grid, voxels: [2, 2, 2, 0]), work: WorkContext())
  #expect(
    comparison.overlap
      == OverlapMeasures(referenceVoxelCount: 2, otherVoxelCount: 3, intersectionVoxelCount: 2))
}

@Test("a selected structure is found by name in a mask that names its labels, else by value")
func selectionByName() throws {
  let names = LabelTable([Label(value: 1, name: "Liver", colour: RGBColour(1, 2, 3))])
  let selection = try LabelSelection("6=liver")
  #expect(
    MatchedStructure(selection, referenceNames: nil, otherNames: names)
      == MatchedStructure(name: "liver", referenceValues: [6], otherValues: [1]))
  let others = LabelTable([Label(value: 1, name: "spleen", colour: RGBColour(1, 2, 3))])
  #expect(
    MatchedStructure(selection, referenceNames: others, otherNames: nil)
      == MatchedStructure(name: "liver", referenceValues: [6], otherValues: [6]))
  let tumours = LabelTable([
    Label(value: 1, name: "liver", colour: RGBColour(1, 2, 3)),
    Label(value: 2, name: "tumour", colour: RGBColour(3, 2, 1)),
  ])
  #expect(
    MatchedStructure(try LabelSelection("1,2=liver"), referenceNames: tumours, otherNames: names)
      == MatchedStructure(name: "liver", referenceValues: [1, 2], otherValues: [1, 2]))
}
