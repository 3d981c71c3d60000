import Metrics
import Volumes
import Work

extension NetworkPrediction {
  /// Values of the interpolated probabilities that are in memory at once: 16 MiB.
  private static let slabValueCount = 1 << 22

  /// The mean entropy of the mixed probabilities, interpolated on the image's own grid, in each of its slices.
  /// - Throws: As ``mixed(auxiliaryHeadWeights:)``; `Cancelled`.
  /// - Complexity: O(voxels of the image · classes); a few slices are in memory at once.
  package func sliceEntropies(auxiliaryHeadWeights: [Double], work: WorkContext) throws -> SliceEntropies {
    let size = axes.grid.size
    let planeCount = size.i * size.j
    var sums = SliceEntropySums(size)
    try forEachSlab(auxiliaryHeadWeights, classes: nil, work: work) { slab, slices, classCount in
      for slice in slices {
        var entropies = try VoxelEntropies(count: planeCount, classCount: classCount)
        for index in 0..<classCount {
          let start = (index * slices.count + slice - slices.lowerBound) * planeCount
          entropies.add(UnsafeBufferPointer(rebasing: slab[start..<start + planeCount]), from: 0)
        }
        entropies.fractions().withUnsafeBufferPointer { sums.add(plane: slice, $0) }
      }
    }
    return sums.means.restored(from: axes)
  }

  /// The mean entropies of the mixed probabilities where each class is the most probable one, on the network's own grid.
  /// - Throws: As ``mixed(auxiliaryHeadWeights:)``; `Cancelled`.
  /// - Complexity: O(voxels of the network's grid · classes), 10 bytes for each voxel.
  package func classEntropies(
    auxiliaryHeadWeights: [Double], work: WorkContext
  ) throws -> [Int: ClassEntropy] {
    let probabilities = try mixed(auxiliaryHeadWeights: auxiliaryHeadWeights)
    let count = probabilities.grid.size.voxelCount
    var entropies = try VoxelEntropies(count: count, classCount: probabilities.classCount)
    var classes = try MostProbableClasses(count: count)
    for index in 0..<probabilities.classCount {
      try work.checkCancellation()
      probabilities.values.withUnsafeBufferPointer { values in
        let own = UnsafeBufferPointer(rebasing: values[index * count..<(index + 1) * count])
        entropies.add(own, from: 0)
        classes.add(own, class: index, from: 0)
      }
    }
    return try ClassEntropy.means(
      classes: classes.classes, entropies: entropies.fractions(), on: probabilities.grid, work: work)
  }

  /// The mixed probability of one class, 0 for background, in each voxel of the image's own grid.
  /// - Throws: As ``mixed(auxiliaryHeadWeights:)``; `Cancelled`.
  /// - Complexity: O(voxels of the image), 8 bytes for each.
  package func probability(
    ofClass index: Int, auxiliaryHeadWeights: [Double], work: WorkContext
  ) throws -> ScalarVolume {
    var values = try [Float](checkedRepeating: 0, count: axes.grid.size.voxelCount)
    let planeCount = axes.grid.size.i * axes.grid.size.j
    try forEachSlab(auxiliaryHeadWeights, classes: index..<index + 1, work: work) { slab, slices, _ in
      let first = slices.lowerBound * planeCount
      for offset in 0..<slices.count * planeCount { values[first + offset] = slab[offset] }
    }
    return try axes.restored(ScalarVolume(grid: axes.grid, voxels: values), work: work.withoutProgress)
  }

  /// Gives `body` the interpolated probabilities of consecutive slices of ``axes``' grid, class slowest, and the number of
  /// classes.
  private func forEachSlab(
    _ auxiliaryHeadWeights: [Double], classes: Range<Int>?, work: WorkContext,
    _ body: (UnsafeBufferPointer<Float>, _ slices: Range<Int>, _ classCount: Int) throws -> Void
  ) throws {
    let probabilities = try mixed(auxiliaryHeadWeights: auxiliaryHeadWeights)
    let interpolation = ProbabilityInterpolation(from: probabilities.grid, to: axes.grid)
    let classes = classes ?? 0..<probabilities.classCount
    let size = axes.grid.size
    let valuesOfSlice = classes.count * size.i * size.j
    let step = min(size.k, max(1, Self.slabValueCount / max(1, valuesOfSlice)))
    var slab = try [Float](checkedRepeating: 0, count: step * valuesOfSlice)
    for start in stride(from: 0, to: size.k, by: step) {
      let slices = start..<min(start + step, size.k)
      try interpolation.fill(
        &slab, slices: slices, classes: classes, of: probabilities, work: work.withoutProgress)
      try slab.withUnsafeBufferPointer { try body($0, slices, classes.count) }
      try work.checkCancellation()
      work.report(Double(slices.upperBound) / Double(size.k))
    }
  }
}
