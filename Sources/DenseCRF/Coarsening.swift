import Volumes
import Work

// Crops of a CRF, for previews, and coarser CRFs, for hyperparameter searches.

extension DenseCRF {
  /// A box whose lower corner is a multiple of this along every axis has the same blocks as the whole volume.
  package static var blockAlignment: Int { GaussianAxis.maximumStep }

  /// The CRF of a box of the images, with the intensity ranges of the whole images.
  ///
  /// Voxels beyond the box send no messages, so that results differ from those of the whole within some kernel widths
  /// of the box's faces; further inside they agree to 1e-5 where the box begins at a multiple of ``blockAlignment``.
  package func cropped(to box: VoxelBounds) -> DenseCRF {
    DenseCRF(
      images.map {
        ComparedImage(voxels: $0.voxels.cropped(to: box, size: size), range: $0.range, isWhole: $0.isWhole)
      }, size: box.size, spacing: spacing, level: level, accuracy: accuracy)
  }

  /// The same CRF with a kernel cache of its own, for workers that use different kernels at the same time.
  package var withOwnKernels: DenseCRF {
    DenseCRF(images, size: size, spacing: spacing, level: level, accuracy: accuracy)
  }

  /// The CRF at half the resolution.
  ///
  /// Voxel (i, j, k) is the mean of those from (2i, 2j, 2k) to (2i+1, 2j+1, 2k+1); axes of one voxel are not
  /// halved. Kernel widths in millimetres are unchanged; kernel errors are two percent instead of half a percent.
  package func halved(work: WorkContext = WorkContext()) throws(Cancelled) -> DenseCRF {
    let halving = Halving(size)
    let coarse = try images.map { image throws(Cancelled) in
      ComparedImage(
        voxels: try halving.means(work) {
          min(max(image.voxels[$0], image.range.lowerBound), image.range.upperBound)
        },
        range: image.range, isWhole: false)
    }
    return DenseCRF(
      coarse, size: halving.halved, spacing: halving.spacing(spacing), level: level, accuracy: .reduced)
  }
}

extension Unary {
  /// The unary of a box.
  /// - Throws: `Cancelled` where memory does not hold it.
  package func cropped(to box: VoxelBounds) throws(Cancelled) -> Unary {
    let count = box.size.voxelCount
    if let kinds {
      let part = try AlignedStorage<UInt8>(count: count)
      copyRows(of: box, from: kinds.start, to: part.start)
      return Unary(
        size: box.size, classCount: classCount, stride: stride, logits: logits, kinds: part,
        kindCount: rowCount)
    }
    let stride = count.roundedUp(toMultipleOf: 16)
    let part = try AlignedStorage<Float>(count: stride * (classCount - 1))
    for channel in 0..<classCount - 1 {
      copyRows(of: box, from: logits.start + channel * self.stride, to: part.start + channel * stride)
    }
    return Unary(size: box.size, classCount: classCount, stride: stride, logits: part)
  }

  /// Copies the rows of a box of this unary's volume.
  private func copyRows<Value>(
    of box: VoxelBounds, from values: UnsafePointer<Value>, to target: UnsafeMutablePointer<Value>
  ) {
    var target = target
    for k in box.lower.k...box.upper.k {
      for j in box.lower.j...box.upper.j {
        target.update(from: values + (k * size.j + j) * size.i + box.lower.i, count: box.size.i)
        target += box.size.i
      }
    }
  }

  /// The unary at half the resolution, from the mean probabilities of each block of voxels.
  package func halved(work: WorkContext = WorkContext()) throws -> Unary {
    let halving = Halving(size)
    let (classCount, stride, logits) = (self.classCount, self.stride, self.logits)
    let probabilities = try (0..<classCount).flatMap { label throws(Cancelled) in
      try halving.means(work) { [self] voxel in
        let voxel = position(voxel)
        var sum = 1.0
        for channel in 0..<classCount - 1 {
          sum += exponential(Double(logits.start[channel * stride + voxel]))
        }
        return Float((label == 0 ? 1 : exponential(Double(logits.start[(label - 1) * stride + voxel]))) / sum)
      }
    }
    return try Unary(
      probabilities: probabilities, classCount: classCount, size: halving.halved, work: work.withoutProgress)
  }
}

/// Blocks of up to 2 x 2 x 2 voxels.
private struct Halving: Sendable {
  let size: GridSize
  var halved: GridSize { GridSize((size.i + 1) / 2, (size.j + 1) / 2, (size.k + 1) / 2) }

  init(_ size: GridSize) { self.size = size }

  func spacing(_ fine: Spacing) -> Spacing {
    Spacing(
      size.i > 1 ? 2 * fine.i : fine.i, size.j > 1 ? 2 * fine.j : fine.j, size.k > 1 ? 2 * fine.k : fine.k)
  }

  /// The mean of `value` over each block.
  func means(_ work: WorkContext, _ value: @Sendable (_ voxel: Int) -> Float) throws(Cancelled) -> [Float] {
    let coarse = halved
    var means = try [Float](checkedRepeating: 0, count: coarse.voxelCount)
    try means.withUnsafeMutableBufferPointer { means throws(Cancelled) in
      let means = DisjointBuffer(means)
      try work.forEach(count: coarse.j * coarse.k) { row, _ in
        let (j, k) = (row % coarse.j, row / coarse.j)
        for i in 0..<coarse.i {
          var sum: Float = 0
          var count: Float = 0
          for z in 2 * k..<min(2 * k + 2, size.k) {
            for y in 2 * j..<min(2 * j + 2, size.j) {
              for x in 2 * i..<min(2 * i + 2, size.i) {
                sum += value((z * size.j + y) * size.i + x)
                count += 1
              }
            }
          }
          means[row * coarse.i + i] = sum / count
        }
      }
    }
    return means
  }
}
