import TestSupport
import Testing
import Volumes
import Work

private let own: [UInt16] = (0...65535).map { UInt16($0) }
private let none = [UInt16](repeating: 0, count: 65536)

/// A grid of 2 x 1 x 4 mm voxels whose axes are turned by 30 degrees.
private func oblique(_ size: GridSize) -> VolumeGrid {
  let (cosine, sine) = (0.75.squareRoot(), 0.5)
  return VolumeGrid(
    size: size,
    affine: Affine(
      stepI: WorldPoint(2 * cosine, 2 * sine, 0), stepJ: WorldPoint(-sine, cosine, 0),
      stepK: WorldPoint(0, 0, 4), origin: WorldPoint(3, 2, 1)))
}

private func random(_ size: GridSize, highest: UInt16, seed: UInt64) -> LabelVolume {
  LabelVolume(
    grid: oblique(size),
    voxels: SeededFloats.labels(size.voxelCount, background: 0.8, highest: highest, seed: seed))
}

private func list(
  _ one: LabelVolume, _ other: LabelVolume?, limit: Int = 100_000, work: WorkContext = WorkContext()
) throws -> ComponentList {
  try ComponentList(
    ChunkedLabels(one), other.map { ChunkedLabels($0) }, classes: (own, other == nil ? none : own),
    limit: limit, keepsVoxels: true, subject: "a test", work: work)
}

/// A component as the list has it.
private struct Found: Hashable {
  var one, other: UInt16
  var voxelCount: Int
  var bounds: VoxelBounds
}

@Suite struct ComponentListTests {
  @Test("components of a difference are those of its pairs of labels, the largest first")
  func agreesWithWholeVolumes() throws {
    for (seed, size) in [GridSize(1, 1, 1), GridSize(40, 35, 1), GridSize(33, 8, 70), GridSize(70, 33, 31)]
      .enumerated()
    {
      let one = random(size, highest: 2, seed: UInt64(seed))
      var other = random(size, highest: 2, seed: UInt64(seed + 100))
      // Chunks that are equal, uniform, and neither.
      for offset in other.voxels.indices where size.index(offset: offset).i >= 32 {
        other.voxels[offset] = one.voxels[offset]
      }
      let pairs = zip(one.voxels, other.voxels).map { $0 == $1 ? UInt16(0) : 1 + $0 * 3 + $1 }
      let expected = try ConnectedComponents(
        LabelVolume(grid: one.grid, voxels: pairs), work: WorkContext())
      let found = try list(one, other, work: WorkContext(threadCount: 3))
      #expect(found.count == expected.components.count)
      let entries = found.entries.map {
        Found(one: $0.classInOne, other: $0.classInOther, voxelCount: $0.voxelCount, bounds: $0.bounds)
      }
      let components = expected.components.map {
        Found(
          one: ($0.label - 1) / 3, other: ($0.label - 1) % 3, voxelCount: $0.voxelCount, bounds: $0.bounds)
      }
      // Sorting is stable: of equals the first in memory comes first.
      #expect(entries == components.sorted { $0.voxelCount > $1.voxelCount })
      #expect(try list(one, other, work: WorkContext(threadCount: 1)) == found)
      #expect(try list(one, one).entries.isEmpty)
    }
  }

  @Test(
    "voxels that touch at a corner are one component; its centre lies on it, in its largest slice of each axis"
  )
  func diagonalContact() throws {
    let size = GridSize(40, 9, 6)
    var mask = LabelVolume(grid: oblique(size), voxels: [UInt16](repeating: 0, count: size.voxelCount))
    func set(_ i: Int, _ j: Int, _ k: Int, _ label: UInt16 = 7) {
      mask.voxels[size.offset(VoxelIndex(i, j, k))] = label
    }
    // A ring of eight voxels across a chunk's face, one at its corner in the next slice, and another label beside it.
    for (i, j) in [(30, 2), (31, 2), (32, 2), (30, 3), (32, 3), (30, 4), (31, 4), (32, 4)] { set(i, j, 2) }
    set(33, 5, 3)
    set(34, 5, 3, 8)
    set(0, 0, 0)
    let found = try list(mask, nil)
    #expect(found.entries.map(\.voxelCount) == [9, 1, 1] && found.entries.map(\.classInOne) == [7, 7, 8])
    #expect(
      found.entries[0].bounds == VoxelBounds(lower: VoxelIndex(30, 2, 2), upper: VoxelIndex(33, 5, 3)))
    // The middle of the ring is not a voxel of it; along j voxels are nearest.
    #expect(found.entries[0].centre(across: 2) == VoxelIndex(31, 2, 2))
    #expect(found.entries[0].centre(across: 0) == VoxelIndex(30, 3, 2))
    #expect(found.entries[0].centre(across: 1) == VoxelIndex(31, 2, 2))
    #expect(found.entries[1].centre(across: 1) == VoxelIndex(0, 0, 0))
  }

  @Test("setting a component changes its voxels and no others")
  func settingComponents() throws {
    let mask = random(GridSize(70, 33, 31), highest: 3, seed: 5)
    let labels = ChunkedLabels(mask)
    let found = try list(mask, nil)
    let map = try ConnectedComponents(mask, work: WorkContext())
    let numbers = map.map()
    for rank in [0, found.entries.count / 2, found.entries.count - 1] {
      let removed = found.setting([rank], to: 0, in: labels)
      let changed = zip(labels.voxels, removed.voxels).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
      #expect(changed.count == found.entries[rank].voxelCount)
      #expect(Set(changed.map { numbers[$0] }).count == 1)
      #expect(removed.voxels[mask.grid.size.offset(found.entries[rank].centre(across: 1))] == 0)
    }
    #expect(found.setting(found.entries.indices, to: 0, in: labels).values() == [0])
    #expect(
      try found.counts(in: labels, work: WorkContext()) { $0 != 0 } == found.entries.map(\.voxelCount))
  }

  @Test("of 2 500 components as many are listed as were asked for, and all are counted")
  func manyComponents() throws {
    let size = GridSize(100, 100, 2)
    let voxels = (0..<size.voxelCount).map { offset -> UInt16 in
      let index = size.index(offset: offset)
      return index.i % 2 == 0 && index.j % 2 == 0 && index.k == 0 || index == VoxelIndex(0, 0, 1)
        || index.i % 2 == 0 && index.j % 2 == 1 && index.k == 1 && index.j == 99 ? 1 : 0
    }
    let mask = LabelVolume(grid: oblique(size), voxels: voxels)
    let found = try list(mask, nil, limit: 10)
    #expect(found.count == 2500 && found.entries.count == 10)
    #expect(found.entries[0].voxelCount == 2)
  }

  @Test("the search stops at each poll")
  func stops() throws {
    let (one, other) = (
      random(GridSize(70, 33, 90), highest: 2, seed: 1), random(GridSize(70, 33, 90), highest: 2, seed: 2)
    )
    let labels = (ChunkedLabels(one), ChunkedLabels(other))
    try expectStops(atEachOf: 90) { work in
      _ = try ComponentList(
        labels.0, labels.1, classes: (own, own), limit: 100_000, keepsVoxels: true, subject: "a test",
        work: work)
    }
  }

  @Test("a label's middle in a slice lies on a voxel of it")
  func centreInSlice() throws {
    let size = GridSize(40, 5, 3)
    var mask = LabelVolume(grid: oblique(size), voxels: [UInt16](repeating: 0, count: size.voxelCount))
    for i in [10, 11, 12, 39] { mask.voxels[size.offset(VoxelIndex(i, 4, 1))] = 2 }
    let labels = ChunkedLabels(mask)
    func slice(_ k: Int) -> VoxelBounds {
      VoxelBounds(lower: VoxelIndex(0, 0, k), upper: VoxelIndex(39, 4, k))
    }
    #expect(labels.centre(of: 2, in: slice(1), across: 2) == VoxelIndex(12, 4, 1))
    #expect(labels.centre(of: 2, in: slice(2), across: 2) == nil)
  }
}
