import Work

/// Class probabilities of a coarse grid seen on a finer one, slab by slab, so that the finer grid's
/// probabilities never exist as a whole.
package struct ProbabilityInterpolation: Sendable {
  private let resampler: SliceResampler

  /// Trilinear interpolation between two grids whose axes run the same ways; along an axis whose spacing
  /// grows, the average over each new voxel.
  package init(from source: VolumeGrid, to target: VolumeGrid) {
    resampler = SliceResampler(from: source, to: target)
  }

  /// Writes the probabilities of `classes` in the target's slices `slices` into `slab`, class slowest.
  ///
  /// - Parameter slab: at least `classes.count * slices.count * i * j` elements; the first ones are written.
  /// - Throws: `Cancelled`.
  package func fill(
    _ slab: inout [Float], slices: Range<Int>, classes: Range<Int>, of probabilities: ProbabilityVolume,
    work: WorkContext
  ) throws(Cancelled) {
    let resampler = self.resampler
    let planeCount = resampler.target.size.i * resampler.target.size.j
    let sourceCount = resampler.source.size.voxelCount
    precondition(probabilities.grid == resampler.source, "probabilities of another grid")
    precondition(
      slab.count >= classes.count * slices.count * planeCount,
      "\(slab.count) elements for \(classes.count) classes of \(slices.count) slices")
    let sliceCount = slices.count
    try slab.withUnsafeMutableBufferPointer { slab throws(Cancelled) in
      let slab = DisjointBuffer(slab)
      try probabilities.values.withUnsafeBufferPointer { values throws(Cancelled) in
        let values = SharedBuffer(values)
        try work.forEachWithScratch(
          count: classes.count * sliceCount, scratchCount: resampler.scratchCount
        ) { item, scratch in
          resampler.fillSlice(
            slices.lowerBound + item % sliceCount,
            source: values.start + (classes.lowerBound + item / sliceCount) * sourceCount, scratch: scratch,
            output: slab.start + item * planeCount)
        }
      }
    }
  }

  /// The class with the highest interpolated probability in each voxel of the target grid, written as
  /// `labelValues[class]`; the lower class where probabilities are equal.
  ///
  /// Memory beside the result: two slices of the target and one of the source per thread.
  /// - Throws: `Cancelled`.
  package func argMax(
    of probabilities: ProbabilityVolume, labelValues: [UInt16], work: WorkContext
  ) throws(Cancelled) -> LabelVolume {
    let resampler = self.resampler
    let target = resampler.target
    let planeCount = target.size.i * target.size.j
    let sourceCount = resampler.source.size.voxelCount
    let classCount = probabilities.classCount
    precondition(probabilities.grid == resampler.source, "probabilities of another grid")
    precondition(
      labelValues.count == classCount, "\(labelValues.count) label values for \(classCount) classes")
    let labels = try [UInt16](count: target.size.voxelCount) { labels throws(Cancelled) in
      try probabilities.values.withUnsafeBufferPointer { values throws(Cancelled) in
        let values = SharedBuffer(values)
        try work.forEachWithScratch(
          count: target.size.k, scratchCount: resampler.scratchCount + 2 * planeCount
        ) { k, scratch in
          let highest = scratch + resampler.scratchCount
          let candidate = highest + planeCount
          let output = labels.start + k * planeCount
          output.update(repeating: labelValues.first ?? 0, count: planeCount)
          resampler.fillSlice(k, source: values.start, scratch: scratch, output: highest)
          for index in 1..<max(classCount, 1) {
            resampler.fillSlice(
              k, source: values.start + index * sourceCount, scratch: scratch, output: candidate)
            let label = labelValues[index]
            for x in 0..<planeCount where candidate[x] > highest[x] {
              highest[x] = candidate[x]
              output[x] = label
            }
          }
        }
      }
    }
    return LabelVolume(grid: target, voxels: labels)
  }
}
