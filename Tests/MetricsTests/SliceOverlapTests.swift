import Metrics
import TestSupport
import Testing
import Volumes
import Work

private func mask(_ size: GridSize, _ label: (VoxelIndex) -> UInt16) -> ChunkedLabels {
  let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
  let voxels = (0..<size.voxelCount).map { label(size.index(offset: $0)) }
  return ChunkedLabels(LabelVolume(grid: grid, voxels: voxels))
}

/// Labels 1 and 2 of the one mask are structures 1 and 2, labels 5 and 6 those of the other; 9 is a third of the one
/// alone.
private func structures(_ size: GridSize) -> SliceOverlaps.Structures {
  var one = [Int32](repeating: 0, count: 65536)
  var other = one
  (one[1], one[2], one[9]) = (1, 2, 3)
  (other[5], other[6]) = (1, 2)
  return SliceOverlaps.Structures(
    ofOne: one, ofOther: other, boxes: [VoxelBounds(size), VoxelBounds(size), VoxelBounds(size)],
    isInTotal: [true, true, false])
}

@Test("voxels of structures are counted slice by slice across each axis, as one by one")
func slicesAreCounted() throws {
  for size in [GridSize(70, 40, 35), GridSize(33, 7, 1)] {
    let one = mask(size) { $0.i < 34 ? ($0.j < 20 ? 1 : 2) : $0.k == 0 && $0.j == 3 ? 9 : 0 }
    let other = mask(size) { $0.i > 2 && $0.i < 60 ? ($0.k < 9 ? 5 : 6) : 0 }
    let found = try SliceOverlaps(one, other, of: structures(size), work: WorkContext())
    let alone = try SliceOverlaps(one, nil, of: structures(size), work: WorkContext())
    for axis in 0..<3 {
      var expected = [Int: [SliceOverlaps.Counts]]()
      for structure in 0...3 {
        expected[structure] = [SliceOverlaps.Counts](repeating: .init(), count: size[axis])
      }
      for offset in 0..<size.voxelCount {
        let index = size.index(offset: offset)
        let (label, partner) = (one[index], other[index])
        let first = label == 9 ? 3 : Int(label)
        let second = partner == 0 ? 0 : Int(partner) - 4
        let slice = index[axis]
        if first != 0 { expected[first]![slice].one += 1 }
        if second != 0 { expected[second]![slice].other += 1 }
        if first != 0, first == second { expected[first]![slice].common += 1 }
        if first == 1 || first == 2 { expected[0]![slice].one += 1 }
        if second != 0 { expected[0]![slice].other += 1 }
        if first != 0, first == second { expected[0]![slice].common += 1 }
      }
      for structure in 0...3 {
        let slices = (0..<size[axis]).map { found.counts(of: structure, axis: axis, slice: $0) }
        #expect(slices == expected[structure]!, "\(size) axis \(axis), structure \(structure)")
        let own = (0..<size[axis]).map { alone.counts(of: structure, axis: axis, slice: $0) }
        #expect(own.map(\.one) == expected[structure]!.map(\.one) && own.allSatisfy { $0.other == 0 })
      }
    }
  }
}

@Test("Dice of slices that are empty in both masks is not known; slices beyond a structure's box are empty")
func emptySlices() throws {
  let size = GridSize(4, 4, 4)
  let box = VoxelBounds(lower: VoxelIndex(1, 1, 1), upper: VoxelIndex(2, 2, 2))
  let labels = mask(size) {
    (1...2).contains($0.i) && (1...2).contains($0.j) && (1...2).contains($0.k) ? 1 : 0
  }
  var table = [Int32](repeating: 0, count: 65536)
  table[1] = 1
  let found = try SliceOverlaps(
    labels, labels,
    of: SliceOverlaps.Structures(ofOne: table, ofOther: table, boxes: [box, nil], isInTotal: [true, true]),
    work: WorkContext())
  #expect((0..<4).map { found.counts(of: 1, axis: 2, slice: $0).dice } == [nil, 1, 1, nil])
  #expect([1, 2, 3].map { found.isCounted($0) } == [true, false, false])
}

@Test("counting slices stops at each poll")
func sliceCountsStop() throws {
  let size = GridSize(100, 100, 100)
  let labels = mask(size) { UInt16($0.i % 3) }
  try expectStops(atEachOf: 4) { work in _ = try SliceOverlaps(labels, nil, of: structures(size), work: work)
  }
}
