import Foundation
import Metrics
import Segmentation
import TestSupport
import Testing
import Volumes
import Work

@Suite("Entropies of a network's prediction")
struct PredictionEntropyTests {
  /// A prediction of three classes on a coarse grid along other axes than the image's.
  private func prediction() -> NetworkPrediction {
    let image = VolumeGrid(
      size: GridSize(14, 9, 11), affine: Affine(spacing: Spacing(2), origin: WorldPoint(5, 6, 7)))
    let axes = ReorientedGrid(image, orientation: .lps)
    var coarse = axes.grid
    coarse.size = GridSize(7, 5, 6)
    for axis in 0..<3 {
      let step = axes.grid.affine[axis]
      coarse.affine[axis] = WorldPoint(2 * step.x, 2 * step.y, 2 * step.z)
    }
    var generator = SplitMix64(seed: 8)
    let count = coarse.size.voxelCount
    var values = [Float](repeating: 0, count: 3 * count)
    for voxel in 0..<count {
      let raw = (0..<3).map { _ in Float.random(in: 0.01...1, using: &generator) }
      for index in 0..<3 { values[index * count + voxel] = raw[index] / raw.reduce(0, +) }
    }
    return NetworkPrediction(
      axes: axes, heads: [ProbabilityVolume(grid: coarse, classCount: 3, values: values)])
  }

  @Test("entropies of slices are those of the probabilities on the image's own grid")
  func slices() throws {
    let prediction = prediction()
    let whole = try prediction.probabilities(auxiliaryHeadWeights: [], work: WorkContext())
    let size = whole.grid.size
    let found = try prediction.sliceEntropies(auxiliaryHeadWeights: [], work: WorkContext())
    var sums = (0..<3).map { [Double](repeating: 0, count: size[$0]) }
    for voxel in 0..<size.voxelCount {
      let entropy = (0..<3).reduce(0.0) { sum, index in
        let probability = Double(whole.values[index * size.voxelCount + voxel])
        return sum - probability * log(probability) / log(3)
      }
      for axis in 0..<3 { sums[axis][size.index(offset: voxel)[axis]] += entropy }
    }
    for axis in 0..<3 {
      for slice in 0..<size[axis] {
        let mean = sums[axis][slice] * Double(size[axis]) / Double(size.voxelCount)
        #expect(abs(found.means[axis][slice] - mean) < 1e-5, "axis \(axis), slice \(slice)")
      }
    }
  }

  @Test("the probability of a class is that of the whole prediction", arguments: 0..<3)
  func oneClass(index: Int) throws {
    let prediction = prediction()
    let whole = try prediction.probabilities(auxiliaryHeadWeights: [], work: WorkContext())
    let count = whole.grid.size.voxelCount
    let found = try prediction.probability(ofClass: index, auxiliaryHeadWeights: [], work: WorkContext())
    #expect(found.grid == whole.grid)
    #expect(Array(found.voxels) == Array(whole.values[index * count..<(index + 1) * count]))
  }

  @Test(
    "entropies of classes are those of the voxels where they are the most probable, on the network's grid")
  func classes() throws {
    let prediction = prediction()
    let probabilities = prediction.heads[0]
    let count = probabilities.grid.size.voxelCount
    var classes = [UInt16](repeating: 0, count: count)
    var entropies = [Float](repeating: 0, count: count)
    for voxel in 0..<count {
      let own = (0..<3).map { probabilities.values[$0 * count + voxel] }
      classes[voxel] = UInt16(own.firstIndex(of: own.max() ?? 0) ?? 0)
      entropies[voxel] = -own.reduce(0) { $0 + $1 * log($1) } / log(3)
    }
    let expected = try ClassEntropy.means(
      classes: classes, entropies: entropies, on: probabilities.grid, work: WorkContext())
    let found = try prediction.classEntropies(auxiliaryHeadWeights: [], work: WorkContext())
    #expect(found.keys.sorted() == [1, 2])
    for (index, own) in found {
      #expect(abs((own.nearBorder ?? -1) - (expected[index]?.nearBorder ?? -1)) < 1e-5)
      #expect(abs((own.inside ?? -1) - (expected[index]?.inside ?? -1)) < 1e-5)
    }
  }

  @Test("all stop at their polls")
  func stops() throws {
    let prediction = prediction()
    try expectStops(atEachOf: 1) { _ = try prediction.sliceEntropies(auxiliaryHeadWeights: [], work: $0) }
    try expectStops(atEachOf: 1) {
      _ = try prediction.probability(ofClass: 1, auxiliaryHeadWeights: [], work: $0)
    }
    try expectStops(atEachOf: 3) { _ = try prediction.classEntropies(auxiliaryHeadWeights: [], work: $0) }
  }
}
