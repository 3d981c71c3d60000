import Metrics
import Testing
import Volumes
import Work

private func volume(_ voxels: [UInt16]) -> LabelVolume {
  LabelVolume(
    grid: VolumeGrid(size: GridSize(voxels.count, 1, 1), affine: Affine(spacing: Spacing(1))), voxels: voxels)
}

private func table(_ names: [UInt16: String], values: [UInt16]) -> LabelTable {
  LabelTable(names.map { Label(value: $0, name: $1, colour: RGBColour(1, 2, 3)) }).completed(for: values)
}

@Test("overlaps are the Dice of every pair of labels that overlap, in descending order")
func overlapsAreCounted() throws {
  let overlaps = try LabelOverlaps(
    reference: volume([0, 1, 1, 1, 2, 2, 0, 3]), other: volume([5, 5, 5, 7, 7, 7, 0, 0]), work: WorkContext())
  #expect(overlaps.referenceVoxelCounts == [1: 3, 2: 2, 3: 1])
  #expect(overlaps.otherVoxelCounts == [5: 3, 7: 3])
  #expect(
    overlaps.pairs == [
      LabelOverlap(reference: 2, other: 7, commonVoxelCount: 2, dice: 0.8),
      LabelOverlap(reference: 1, other: 5, commonVoxelCount: 2, dice: 4.0 / 6),
      LabelOverlap(reference: 1, other: 7, commonVoxelCount: 1, dice: 2.0 / 6),
    ])
}

@Test("names decide where overlaps do not contradict them, and overlaps where a name is missing")
func labelsAreMatched() throws {
  let reference = volume([1, 1, 1, 1, 6, 6, 6, 6])
  func matching(_ other: [UInt16], _ names: [UInt16: String], declared: [UInt16: UInt16]) throws
    -> LabelMatching
  {
    LabelMatching(
      reference: table([1: "spleen", 6: "liver"], values: []),
      other: table(names, values: other.filter { $0 > 0 }),
      declared: declared,
      overlaps: try LabelOverlaps(reference: reference, other: volume(other), work: WorkContext()))
  }
  let unnamed = try matching([0, 0, 0, 0, 1, 1, 1, 1], [:], declared: [:])
  #expect(unnamed.proposed == [6: 1])
  #expect(unnamed.isDoubtful)
  let named = try matching([2, 2, 2, 2, 1, 1, 1, 1], [1: "liver", 2: "spleen"], declared: [6: 1, 1: 2])
  #expect(named.proposed == [6: 1, 1: 2])
  #expect(!named.isDoubtful)
  // A poor result under the right name is no contradiction.
  let poor = try matching([0, 0, 0, 0, 0, 0, 0, 1], [1: "liver"], declared: [6: 1])
  #expect(poor.proposed == [6: 1])
  #expect(!poor.isDoubtful)
  // Nor is nothing at all.
  let missed = try matching([1, 0, 0, 0, 0, 0, 0, 0], [1: "liver"], declared: [6: 1])
  #expect(missed.proposed == [6: 1])
  #expect(!missed.isDoubtful)
  let swapped = try matching([6, 6, 6, 6, 1, 1, 1, 1], [1: "spleen", 6: "liver"], declared: [1: 1, 6: 6])
  #expect(swapped.proposed == [1: 6, 6: 1])
  #expect(swapped.isDoubtful)
}

@Test("pairs fit where overlaps neither contradict them nor pair labels that they leave out")
func pairsFitOverlaps() throws {
  func fits(_ other: [UInt16], _ declared: [UInt16: UInt16]) throws -> Bool {
    let reference = volume([1, 1, 1, 0, 2, 2, 2, 0])
    return LabelMatching(
      reference: table([1: "liver", 2: "spleen"], values: []), other: table([:], values: [1, 2]),
      declared: declared,
      overlaps: try LabelOverlaps(reference: reference, other: volume(other), work: WorkContext())
    ).fitsOverlaps
  }
  let (same, missed): ([UInt16], [UInt16]) = ([1, 1, 1, 0, 2, 2, 2, 0], [1, 1, 1, 0, 0, 0, 0, 2])
  #expect(try fits(same, [1: 1, 2: 2]))
  #expect(try !fits(same, [1: 1]))
  #expect(try !fits(same, [1: 2, 2: 1]))
  #expect(try fits(missed, [1: 1]))
  #expect(try fits(missed, [1: 1, 2: 2]))
}

@Test("structures of two masks are one by the same rule of names, and are called as the reference calls them")
func structuresAreMatchedByName() {
  let (upper, lower) = (
    table([6: "Left_Kidney", 1: "Liver"], values: []), table([1: "left kidney", 2: "liver "], values: [])
  )
  #expect(
    MatchedStructure.matches(reference: [1, 6], referenceNames: upper, other: [1, 2], otherNames: lower) == [
      MatchedStructure(name: "Liver", referenceValues: [1], otherValues: [2]),
      MatchedStructure(name: "Left_Kidney", referenceValues: [6], otherValues: [1]),
    ])
  #expect(
    MatchedStructure.matches(
      reference: [0, 1, 6], referenceNames: upper, other: [0, 1, 2, 3], otherNames: nil,
      partners: [1: 3, 6: 1])
      == [
        MatchedStructure(name: "Liver", referenceValues: [1], otherValues: [3]),
        MatchedStructure(name: "label 2", referenceValues: [], otherValues: [2]),
        MatchedStructure(name: "Left_Kidney", referenceValues: [6], otherValues: [1]),
      ])
  #expect(
    MatchedStructure(
      LabelSelection(values: [6], name: "left-kidney"), referenceNames: upper, otherNames: lower)
      == MatchedStructure(name: "left-kidney", referenceValues: [6], otherValues: [1]))
}
