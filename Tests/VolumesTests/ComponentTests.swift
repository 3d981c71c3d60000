import Foundation
import TestSupport
import Testing
import Volumes
import Work

private func mask(_ size: GridSize, _ voxels: [UInt16]) -> LabelVolume {
  LabelVolume(grid: VolumeGrid(size: size, affine: Affine(spacing: Spacing(10))), voxels: voxels)
}

/// The component of each voxel plus 1 by flooding, numbered by first voxel.
private func flooded(_ mask: LabelVolume, _ neighbourhood: VoxelNeighbourhood) -> [Int32] {
  let size = mask.grid.size
  var map = [Int32](repeating: 0, count: mask.voxels.count)
  var count: Int32 = 0
  for seed in mask.voxels.indices where mask.voxels[seed] != 0 && map[seed] == 0 {
    count += 1
    map[seed] = count
    var open = [seed]
    while let offset = open.popLast() {
      let centre = size.index(offset: offset)
      for step in 0..<27 {
        let (di, dj, dk) = (step % 3 - 1, step / 3 % 3 - 1, step / 9 - 1)
        if neighbourhood == .faces, abs(di) + abs(dj) + abs(dk) != 1 { continue }
        let index = VoxelIndex(centre.i + di, centre.j + dj, centre.k + dk)
        guard size.contains(index) else { continue }
        let next = size.offset(index)
        if map[next] == 0, mask.voxels[next] == mask.voxels[seed] {
          map[next] = count
          open.append(next)
        }
      }
    }
  }
  return map
}

@Test("components agree with flooding on random masks of many densities, sizes and label counts")
func componentsAgreeWithFlooding() throws {
  var seed: UInt64 = 0
  for size in [GridSize(1, 1, 1), GridSize(9, 1, 7), GridSize(12, 11, 10), GridSize(33, 8, 3)] {
    for (background, highest) in [(0.3, UInt16(1)), (0.7, 1), (0.85, 1), (0.2, 3), (0.0, 2)] {
      for neighbourhood in VoxelNeighbourhood.allCases {
        seed += 1
        let labels = SeededFloats.labels(
          size.voxelCount, background: background, highest: highest, seed: seed)
        let mask = mask(size, labels)
        let found = try ConnectedComponents(
          mask, neighbourhood: neighbourhood, work: WorkContext(threadCount: 2))
        #expect(found.map() == flooded(mask, neighbourhood), "\(size) \(background) \(neighbourhood)")
        #expect(found.components.reduce(0) { $0 + $1.voxelCount } == labels.count { $0 != 0 })
      }
    }
  }
}

@Test("the table of components holds label, voxels and box, in the order of first voxels")
func componentTable() throws {
  let mask = mask(GridSize(5, 3, 1), [2, 2, 0, 1, 0, 0, 0, 2, 0, 1, 0, 1, 0, 0, 1])
  func box(_ i0: Int, _ j0: Int, _ i1: Int, _ j1: Int) -> VoxelBounds {
    VoxelBounds(lower: VoxelIndex(i0, j0, 0), upper: VoxelIndex(i1, j1, 0))
  }
  let found = try ConnectedComponents(mask, neighbourhood: .corners, work: WorkContext())
  #expect(
    found.components == [
      Component(label: 2, voxelCount: 3, bounds: box(0, 0, 2, 1)),
      Component(label: 1, voxelCount: 3, bounds: box(3, 0, 4, 2)),
      Component(label: 1, voxelCount: 1, bounds: box(1, 2, 1, 2)),
    ])
  #expect([1, 2, 3].map { found.largest(of: $0) } == [1, 0, nil])
  let onlyOnes = try ConnectedComponents(mask, labels: [1], neighbourhood: .faces, work: WorkContext())
  #expect(onlyOnes.components.map(\.voxelCount) == [1, 2, 1])
}

/// A 7x7x7 cube of label 1 with a hole of one voxel, a hole that holds label 2, a tunnel, and an island.
private func holedCube() -> LabelVolume {
  let size = GridSize(11, 9, 9)
  var cube = mask(size, [UInt16](repeating: 0, count: size.voxelCount))
  for k in 1...7 {
    for j in 1...7 { for i in 1...7 { cube.voxels[size.offset(VoxelIndex(i, j, k))] = 1 } }
  }
  cube.voxels[size.offset(VoxelIndex(2, 2, 2))] = 0
  cube.voxels[size.offset(VoxelIndex(4, 4, 4))] = 2
  cube.voxels[size.offset(VoxelIndex(5, 4, 4))] = 0
  for i in 1...4 { cube.voxels[size.offset(VoxelIndex(i, 6, 6))] = 0 }
  cube.voxels[size.offset(VoxelIndex(10, 8, 8))] = 1
  return cube
}

@Test("holes in space are filled where they are background; tunnels and other labels stay")
func holesInSpace() throws {
  let cube = holedCube()
  var expected = cube
  let size = cube.grid.size
  for hole in [VoxelIndex(2, 2, 2), VoxelIndex(5, 4, 4)] { expected.voxels[size.offset(hole)] = 1 }
  #expect(try cube.filledHoles(of: 1, work: WorkContext()) == expected)
  #expect(try cube.filledHoles(of: 9, work: WorkContext()) == cube)
}

@Test("holes in slices need only be closed within their slice")
func holesInSlices() throws {
  let cube = holedCube()
  var expected = cube
  let size = cube.grid.size
  for hole in [VoxelIndex(2, 2, 2), VoxelIndex(5, 4, 4)] + (1...4).map({ VoxelIndex($0, 6, 6) }) {
    expected.voxels[size.offset(hole)] = 1
  }
  #expect(try cube.filledHoles(of: 1, sliceAxis: 0, work: WorkContext()) == expected)
}

@Test("a cavity that reaches the border of the volume is not a hole")
func borderCavity() throws {
  let open = mask(GridSize(3, 3, 1), [1, 1, 1, 1, 0, 1, 1, 1, 1])
  #expect(try open.filledHoles(of: 1, work: WorkContext()) == open)
  #expect(
    try open.filledHoles(of: 1, sliceAxis: 2, work: WorkContext()).voxels == [UInt16](repeating: 1, count: 9))
}

@Test("holes agree with flooding the background from the border")
func holesAgreeWithFlooding() throws {
  for seed in 0..<8 {
    let size = GridSize(12, 9, 8)
    let labels = SeededFloats.labels(size.voxelCount, background: 0.35, highest: 1, seed: UInt64(seed))
    let inverted = mask(size, labels.map { 1 - $0 })
    let map = flooded(inverted, .faces)
    var outside: Set<Int32> = []
    for offset in map.indices {
      let index = size.index(offset: offset)
      if (0..<3).contains(where: { index[$0] == 0 || index[$0] == size[$0] - 1 }) {
        outside.insert(map[offset])
      }
    }
    let expected = map.indices.map { map[$0] == 0 || !outside.contains(map[$0]) ? UInt16(1) : 0 }
    #expect(try mask(size, labels).filledHoles(of: 1, work: WorkContext()).voxels == expected)
  }
}

@Test("post-processing applies each label's own settings")
func postProcessingPerLabel() throws {
  let cube = holedCube()
  let size = cube.grid.size
  let island = size.offset(VoxelIndex(10, 8, 8))
  var largest = cube
  largest.voxels[island] = 0
  let keeps = PostProcessing(keepsLargestComponent: true)
  #expect(try cube.postProcessed(keeps, work: WorkContext()).labels == largest)
  #expect(try cube.postProcessed([2: keeps], work: WorkContext()).labels == cube)
  #expect(try cube.postProcessed([1: keeps], work: WorkContext()).labels == largest)
  #expect(
    try cube.postProcessed(PostProcessing(minimumComponentFraction: 0.01), work: WorkContext()).labels
      == largest)
  // A voxel has 1 mL: the island and label 2 have less than 1.5 mL.
  var large = largest
  large.voxels[size.offset(VoxelIndex(4, 4, 4))] = 0
  #expect(
    try cube.postProcessed(PostProcessing(minimumComponentMillilitres: 1.5), work: WorkContext()).labels
      == large)
  #expect(
    try cube.postProcessed([1: PostProcessing(fillsHoles: true)], others: keeps, work: WorkContext()).labels
      == cube.filledHoles(of: 1, work: WorkContext()))
}

@Test("post-processing settings read back, and absent fields are off")
func postProcessingIsCodable() throws {
  let settings = PostProcessing(
    keepsLargestComponent: true, minimumComponentFraction: 0.1, minimumComponentMillilitres: 2,
    fillsHoles: true)
  #expect(try JSONDecoder().decode(PostProcessing.self, from: JSONEncoder().encode(settings)) == settings)
  #expect(try JSONDecoder().decode(PostProcessing.self, from: Data("{}".utf8)) == .none)
}

private func statistics(of volume: LabelVolume) throws -> [LabelStatistics] {
  try LabelComponents(ChunkedLabels(volume), work: WorkContext()).statistics
}

@Test("statistics give voxels, volume, box, centroid, components, and a centre inside the label")
func labelStatistics() throws {
  let size = GridSize(4, 3, 3)
  var volume = mask(size, [UInt16](repeating: 0, count: 36))
  for index in [VoxelIndex(0, 0, 0), VoxelIndex(3, 0, 1), VoxelIndex(2, 1, 1), VoxelIndex(3, 1, 1)] {
    volume.voxels[size.offset(index)] = 4
  }
  volume.voxels[size.offset(VoxelIndex(0, 2, 2))] = 1
  let first = VoxelIndex(0, 2, 2)
  #expect(
    try statistics(of: volume) == [
      LabelStatistics(
        label: 1, voxelCount: 1, millilitres: 1, bounds: VoxelBounds(lower: first, upper: first),
        componentCount: 1, centroid: WorldPoint(0, 20, 20), centre: first),
      LabelStatistics(
        label: 4, voxelCount: 4, millilitres: 4,
        bounds: VoxelBounds(lower: VoxelIndex(0, 0, 0), upper: VoxelIndex(3, 1, 1)), componentCount: 2,
        centroid: WorldPoint(20, 5, 7.5), centre: VoxelIndex(3, 1, 1)),
    ])
  #expect(
    try statistics(of: mask(size, [UInt16](repeating: 0, count: 36))) == [])
}

@Test("the centre lies in the axial slice with the most voxels whatever axis that is")
func centreFollowsTheAxialAxis() throws {
  let size = GridSize(3, 4, 5)
  // i points to the head.
  let affine = Affine(
    stepI: WorldPoint(0, 0, 1), stepJ: WorldPoint(1, 0, 0), stepK: WorldPoint(0, 1, 0),
    origin: WorldPoint(0, 0, 0))
  var volume = LabelVolume(
    grid: VolumeGrid(size: size, affine: affine), voxels: [UInt16](repeating: 0, count: 60))
  for i in 0..<3 { volume.voxels[size.offset(VoxelIndex(i, 1, 2))] = 1 }
  for j in 1...3 { volume.voxels[size.offset(VoxelIndex(2, j, 2))] = 1 }
  let found = try statistics(of: volume)
  #expect(found.map(\.centre) == [VoxelIndex(2, 2, 2)])
}

@Test("percentiles are those of the sorted values, to the last bit")
func percentilesAgreeWithSorting() throws {
  let fractions = [0, 0.005, 0.25, 0.5, 0.77, 0.995, 1]
  for (seed, scale) in [(1, Float(1)), (2, 1e-20), (3, 3000)] {
    var values = SeededFloats.make(30 * 20 * 11, seed: UInt64(seed)).map { ($0 * $0 * $0) * scale }
    values[17] = 1e30
    values[18] = -1e30
    let volume = ScalarVolume(
      grid: VolumeGrid(size: GridSize(30, 20, 11), affine: Affine(spacing: Spacing(1))), voxels: values)
    let sorted = values.sorted()
    let expected = fractions.map { fraction -> Float in
      let position = fraction * Double(values.count - 1)
      let lower = Double(sorted[Int(position.rounded(.down))])
      let upper = Double(sorted[Int(position.rounded(.up))])
      return Float(lower + (upper - lower) * (position - position.rounded(.down)))
    }
    #expect(try volume.percentiles(fractions, work: WorkContext(threadCount: 3)) == expected)
  }
}

@Test(
  "percentiles of a constant image are the constant, NaN and infinity do not count, and nothing gives nil")
func percentilesOfSpecialImages() throws {
  let grid = VolumeGrid(size: GridSize(2, 2, 1), affine: Affine(spacing: Spacing(1)))
  func percentiles(_ voxels: [Float]) throws -> [Float]? {
    try ScalarVolume(grid: grid, voxels: voxels).percentiles([0, 0.5, 1], work: WorkContext())
  }
  #expect(try percentiles([-7, -7, -7, -7]) == [-7, -7, -7])
  #expect(try percentiles([.nan, 1, .infinity, 3]) == [1, 2, 3])
  #expect(try percentiles([.nan, .nan, .infinity, -.infinity]) == nil)
}

@Test("post-processing reports a large component that it removed, not small ones")
func removedComponents() throws {
  // Bars of label 3 along i: 8, 6 and 1 voxels of 1 mL; of label 5: 8 and 1.
  var bars = mask(GridSize(8, 9, 1), [UInt16](repeating: 0, count: 72))
  for (row, length, label) in [(0, 8, 3), (2, 6, 3), (4, 1, 3), (6, 8, 5), (8, 1, 5)] {
    for i in 0..<length { bars.voxels[row * 8 + i] = UInt16(label) }
  }
  let processed = try bars.postProcessed(PostProcessing(keepsLargestComponent: true), work: WorkContext())
  #expect(
    processed.removed.map { $0.note(LabelTable()) } == [
      "label 3: a part of 6 mL was removed beside the one of 8 mL; check that the right one was kept"
    ])
  #expect(
    RemovedComponent(label: 3, millilitres: 0.0421, keptMillilitres: 12.6).note(LabelTable())
      == "label 3: a part of 0.042 mL was removed beside the one of 13 mL; check that the right one was kept")
  #expect(processed.labels.voxels.filter { $0 == 3 }.count == 8)
  #expect(try bars.postProcessed(.none, work: WorkContext()).removed == [])
}
