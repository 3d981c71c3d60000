import TestSupport
import Testing
import Volumes
import Work

/// A mask of random blobs, and the same with some boxes of it changed.
private struct ChangedMask {
  let before, after: LabelVolume

  init(_ size: GridSize, changes: Int, side: Int, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1, 2, 3)))
    var voxels = [UInt16](repeating: 0, count: size.voxelCount)
    func fill(_ count: Int, _ side: Int) {
      for _ in 0..<count {
        let corner = (0..<3).map { Int.random(in: 0..<size[$0], using: &random) }
        let label = UInt16.random(in: 0...4, using: &random)
        for k in corner[2]..<min(size.k, corner[2] + side) {
          for j in corner[1]..<min(size.j, corner[1] + side) {
            for i in corner[0]..<min(size.i, corner[0] + side) {
              voxels[size.offset(VoxelIndex(i, j, k))] = label
            }
          }
        }
      }
    }
    fill(60, 12)
    before = LabelVolume(grid: grid, voxels: voxels)
    fill(changes, side)
    after = LabelVolume(grid: grid, voxels: voxels)
  }
}

@Suite("Differences of masks") struct LabelDifferenceTests {
  @Test(
    "differing voxels, what each label loses and the regions are those of all voxels",
    arguments: [(0, 1), (1, 1), (5, 3), (40, 9), (400, 2)])
  func difference(changes: Int, side: Int) throws {
    let mask = ChangedMask(GridSize(70, 45, 40), changes: changes, side: side, seed: 8)
    let found = try LabelDifference(
      from: ChunkedLabels(mask.before), to: ChunkedLabels(mask.after), work: WorkContext())
    let pairs = zip(mask.before.voxels, mask.after.voxels)
    #expect(found.voxelCount == pairs.count { $0 != $1 })
    var lost: [UInt16: Int] = [:]
    for (old, new) in pairs where old != new { lost[old, default: 0] += 1 }
    #expect(found.lost == lost)
    let differing = LabelVolume(grid: mask.before.grid, voxels: pairs.map { $0 == $1 ? 0 : 1 })
    let regions = try ConnectedComponents(differing, work: WorkContext()).components.count
    #expect(found.regionCount == regions)
  }

  @Test(
    "components found from those before are those of the labels alone, for few and for many changed chunks",
    arguments: [(0, 1), (1, 1), (3, 5), (300, 9)])
  func components(changes: Int, side: Int) throws {
    // Chunks have 32 voxels a side, so that one change touches few of 75.
    let mask = ChangedMask(GridSize(160, 150, 90), changes: changes, side: side, seed: 9)
    let (before, after) = (ChunkedLabels(mask.before), ChunkedLabels(mask.after))
    let old = try LabelComponents(before, work: WorkContext())
    let found = try LabelComponents(after, changedFrom: before, old, work: WorkContext())
    #expect(try found == LabelComponents(after, work: WorkContext()))
  }
}
