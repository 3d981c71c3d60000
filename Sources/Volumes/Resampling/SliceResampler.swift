import Work

/// Resamples slice by slice between two grids whose axes run the same ways: separable, three passes per slice.
package struct SliceResampler: Sendable {
  /// The grids before and after resampling.
  package let source, target: VolumeGrid
  private let alongI, alongJ, alongK: AxisWeights

  /// Weights between two grids, whose axes must be parallel and have the same directions (see ``ReorientedGrid``).
  package init(from source: VolumeGrid, to target: VolumeGrid) {
    let maps = SliceResampler.axisMaps(from: source, to: target)
    self.source = source
    self.target = target
    let weights = (0..<3).map { axis in
      AxisWeights(
        oldCount: source.size[axis], newCount: target.size[axis], start: maps[axis].start,
        step: maps[axis].step)
    }
    (alongI, alongJ, alongK) = (weights[0], weights[1], weights[2])
  }

  /// Per axis, the continuous source index of target voxel n: start + step * n.
  static func axisMaps(
    from source: VolumeGrid, to target: VolumeGrid
  ) -> [(start: Double, step: Double)] {
    let start = source.affine.continuousIndex(target.affine.origin)
    return (0..<3).map { axis in
      var index = VoxelIndex(0, 0, 0)
      index[axis] = 1
      let step = source.affine.continuousIndex(target.affine.world(index)) - start
      for other in 0..<3 where other != axis {
        // A tenth of a voxel over the whole length, the tolerance of a mask on its image.
        let drift = abs(step[other]) * Double(target.size[axis])
        precondition(drift <= GridFit.toleranceVoxels, "grids that are not parallel: drift \(drift) voxels")
      }
      precondition(step[axis] > 0, "grids whose axes run against each other")
      return (start[axis], step[axis])
    }
  }

  /// Floats of scratch memory that one call of ``fillSlice(_:source:scratch:output:)`` uses.
  var scratchCount: Int { source.size.i * source.size.j + source.size.i }

  /// Writes slice k of the target grid, `target.size.i * target.size.j` values.
  func fillSlice(
    _ k: Int, source voxels: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    let planeCount = source.size.i * source.size.j
    let plane = SliceResampler.weightedSum(
      alongK, k, voxels, stride: planeCount, count: planeCount, into: scratch)
    let rowBuffer = scratch + planeCount
    for j in 0..<target.size.j {
      let row = SliceResampler.weightedSum(
        alongJ, j, plane, stride: source.size.i, count: source.size.i, into: rowBuffer)
      fillRow(row, output + j * target.size.i)
    }
  }

  /// The sum of lines `stride` apart that makes new sample n; the line itself where it is a copy of one.
  private static func weightedSum(
    _ axis: AxisWeights, _ n: Int, _ lines: UnsafePointer<Float>, stride: Int, count: Int,
    into sum: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let first = lines + axis.first[n] * stride
    let taps = axis.tapCount
    if taps == 1 { return first }
    let w0 = axis.weights[n * taps]
    let w1 = axis.weights[n * taps + 1]
    if taps == 2, w1 == 0 { return first }
    let second = first + stride
    for x in 0..<count { sum[x] = first[x] * w0 + second[x] * w1 }
    for tap in 2..<max(taps, 2) {
      let weight = axis.weights[n * taps + tap]
      if weight == 0 { continue }
      let line = first + tap * stride
      for x in 0..<count { sum[x] += line[x] * weight }
    }
    return UnsafePointer(sum)
  }

  /// The pass along i.
  private func fillRow(_ row: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>) {
    let taps = alongI.tapCount
    alongI.first.withUnsafeBufferPointer { first in
      alongI.weights.withUnsafeBufferPointer { weights in
        switch taps {
        case 1:
          for i in 0..<first.count { output[i] = row[first[i]] }
        case 2:
          for i in 0..<first.count {
            let from = row + first[i]
            output[i] = from[0] * weights[2 * i] + from[1] * weights[2 * i + 1]
          }
        default:
          for i in 0..<first.count {
            let from = row + first[i]
            var sum: Float = 0
            for tap in 0..<taps { sum += from[tap] * weights[i * taps + tap] }
            output[i] = sum
          }
        }
      }
    }
  }
}

extension ScalarVolume {
  /// This volume on another grid whose axes run the same ways.
  ///
  /// Trilinear to finer spacings; the average over each new voxel to coarser ones, per axis. Linear functions
  /// of position are reproduced where the new voxel lies inside the old field of view; beyond it the nearest
  /// voxels are repeated. An image of integers is first converted as a whole, because each voxel is read for several
  /// slices.
  /// - Throws: `Cancelled`.
  package func resampled(to target: VolumeGrid, work: WorkContext) throws(Cancelled) -> ScalarVolume {
    if target == grid { return self }
    let resampler = SliceResampler(from: grid, to: target)
    let values = try voxels.floats(work: work.withoutProgress)
    let output = try [Float](count: target.size.voxelCount) { output throws(Cancelled) in
      try values.withUnsafeBufferPointer { voxels throws(Cancelled) in
        let voxels = SharedBuffer(voxels)
        let planeCount = target.size.i * target.size.j
        try work.forEachWithScratch(count: target.size.k, scratchCount: resampler.scratchCount) {
          k, scratch in
          resampler.fillSlice(
            k, source: voxels.start, scratch: scratch, output: output.start + k * planeCount)
        }
      }
    }
    return ScalarVolume(grid: target, voxels: output)
  }
}

extension LabelVolume {
  /// This mask on another grid whose axes run the same ways.
  ///
  /// Each voxel takes the label of the nearest one, or the one with the lower index where two are equally near. Voxels
  /// outside the old field of view become background.
  /// - Throws: `Cancelled`.
  package func resampled(to target: VolumeGrid, work: WorkContext) throws(Cancelled) -> LabelVolume {
    if target == grid { return self }
    let maps = SliceResampler.axisMaps(from: grid, to: target)
    let nearest = (0..<3).map { axis in
      (0..<target.size[axis]).map { n -> Int in
        let position = (maps[axis].start + maps[axis].step * Double(n) - 0.5 - 1e-7).rounded(.up)
        return position < 0 || position >= Double(grid.size[axis]) ? -1 : Int(saturating: position)
      }
    }
    let (rowI, rowJ, rowK) = (nearest[0], nearest[1], nearest[2])
    let size = grid.size
    var output = try [UInt16](checkedRepeating: 0, count: target.size.voxelCount)
    try output.withUnsafeMutableBufferPointer { output throws(Cancelled) in
      let output = DisjointBuffer(output)
      try voxels.withUnsafeBufferPointer { voxels throws(Cancelled) in
        let voxels = SharedBuffer(voxels)
        try work.forEach(count: target.size.k) { k, _ in
          guard rowK[k] >= 0 else { return }
          for j in 0..<target.size.j where rowJ[j] >= 0 {
            let from = voxels.start + (rowK[k] * size.j + rowJ[j]) * size.i
            let to = output.start + (k * target.size.j + j) * target.size.i
            for i in 0..<target.size.i where rowI[i] >= 0 { to[i] = from[rowI[i]] }
          }
        }
      }
    }
    return LabelVolume(grid: target, voxels: output, coding: coding)
  }
}
