import Foundation
import Metrics
import Testing
import Volumes
import Work

@Suite("Entropies of slices")
struct SliceEntropyTests {
  /// Random probabilities of three classes, class slowest, some of them certain.
  private func probabilities(_ size: GridSize) -> [[Float]] {
    var generator = SplitMix64(seed: 3)
    var classes = [[Float]](repeating: [], count: 3)
    for _ in 0..<size.voxelCount {
      let isCertain = Double.random(in: 0...1, using: &generator) < 0.2
      let raw = (0..<3).map { isCertain ? ($0 == 1 ? 1 : 0) : Float.random(in: 0.01...1, using: &generator) }
      let sum = raw.reduce(0, +)
      for index in 0..<3 { classes[index].append(raw[index] / sum) }
    }
    return classes
  }

  @Test("the mean of every slice across every axis is that of its voxels, summed in double precision")
  func means() throws {
    let size = GridSize(5, 4, 3)
    let classes = probabilities(size)
    var entropies = try VoxelEntropies(count: size.voxelCount, classCount: 3)
    for (index, values) in classes.enumerated() {
      // In two pieces, as files are read.
      values[..<7].withUnsafeBufferPointer { entropies.add($0, from: 0) }
      values[7...].withUnsafeBufferPointer { entropies.add($0, from: 7) }
      #expect((entropies.firstInvalidVoxel == nil) == (index == 2))
    }
    let found = SliceEntropies(entropies.fractions(), on: size)
    for axis in 0..<3 {
      for slice in 0..<size[axis] {
        let inside = (0..<size.voxelCount).filter { size.index(offset: $0)[axis] == slice }
        let sum = inside.reduce(0.0) { sum, voxel in
          sum - classes.reduce(0.0) { $0 + ($1[voxel] > 0 ? Double($1[voxel]) * log(Double($1[voxel])) : 0) }
        }
        #expect(abs(found.means[axis][slice] - sum / log(3) / Double(inside.count)) < 1e-6)
      }
    }
  }

  @Test("certain voxels have entropy 0, and equally probable classes 1", arguments: [2, 3, 14])
  func ends(classCount: Int) throws {
    var entropies = try VoxelEntropies(count: 2, classCount: classCount)
    for index in 0..<classCount {
      [index == 0 ? 1 : 0, 1 / Float(classCount)].withUnsafeBufferPointer { entropies.add($0, from: 0) }
    }
    let found = entropies.fractions()
    #expect(found[0] == 0)
    #expect(abs(found[1] - 1) < 1e-6)
  }

  @Test(
    "the first voxel whose values are no probabilities is found",
    arguments: [
      ([1, 0.5], [0, 0.5], nil), ([1, 0.5], [0, 0.4], 1), ([0.5, .nan], [0.5, 0.5], 1),
      ([-0.5, 1], [1.5, 0], 0), ([0.5, 2], [0.5, -1], 1),
    ] as [([Float], [Float], Int?)])
  func invalid(first: [Float], second: [Float], voxel: Int?) throws {
    var entropies = try VoxelEntropies(count: 2, classCount: 2)
    for values in [first, second] { values.withUnsafeBufferPointer { entropies.add($0, from: 0) } }
    #expect(entropies.firstInvalidVoxel == voxel)
  }

  @Test(
    "peaks are slices that no neighbour exceeds, the most uncertain first, of a plateau the first slice",
    arguments: [
      ([0, 1, 0, 3, 0, 2], [3, 5, 1]), ([2, 1, 1, 2], [0, 3]), ([0, 2, 2, 0], [1]), ([1, 2, 2, 3], [3]),
      ([5], [0]), ([0, 0, 0], []), ([1, 1, 1], [0]), ([], []),
    ] as [([Double], [Int])])
  func peaks(means: [Double], peaks: [Int]) {
    #expect(SliceEntropies(means: [means, [], []]).peaks(across: 0) == peaks)
  }

  @Test("means along other axes are those of the original grid")
  func restored() {
    let original = VolumeGrid(size: GridSize(2, 3, 4), affine: Affine(spacing: Spacing(1)))
    for reorientation in Reorientation.all {
      let orientation = reorientation.grid(original).orientation
      let grid = ReorientedGrid(original, orientation: orientation)
      let values = (0..<24).map { Float($0) }
      let there = SliceEntropies(
        reorientation.isIdentity
          ? values
          : (0..<24).map { offset in
            values[original.size.offset(grid.original(grid.grid.size.index(offset: offset)))]
          }, on: grid.grid.size)
      #expect(there.restored(from: grid) == SliceEntropies(values, on: original.size))
    }
  }
}
