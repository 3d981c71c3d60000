import CKernels
import Volumes
import Work

/// A checked image with the properties that the range kernel needs.
struct ComparedImage: Sendable {
  let voxels: [Float]
  /// Intensities are clipped to this range.
  let range: ClosedRange<Float>
  /// Whether every intensity and both ends of the range are whole numbers.
  let isWhole: Bool

  init(voxels: [Float], range: ClosedRange<Float>, isWhole: Bool) {
    self.voxels = voxels
    self.range = range
    self.isWhole = isWhole
  }

  /// Checks `image`.
  /// - Throws: ``InputError`` for another number of voxels, a range or a voxel that is not finite; ``Cancelled``.
  init(
    _ image: DenseCRF.Image, name: String, _ size: GridSize, _ level: kernels_level, _ work: WorkContext
  ) throws {
    guard size.i > 0, size.j > 0, size.k > 0, image.voxels.count == size.voxelCount else {
      throw InputError(name, "does not fit its size \(size)", found: "\(image.voxels.count) voxels")
    }
    if let range = image.intensityRange, !(range.lowerBound.isFinite && range.upperBound.isFinite) {
      throw InputError("intensity range", "is not finite", found: "\(range.lowerBound)...\(range.upperBound)")
    }
    let statistics = try IntensityStatistics(image.voxels, level: level, work: work.withoutProgress)
    if let voxel = statistics.firstNonFinite {
      throw InputError(
        name, "has no intensity at voxel \(Unary.name(voxel, size))", found: "\(image.voxels[voxel])",
        expected: "a finite number")
    }
    voxels = image.voxels
    let stated = image.intensityRange ?? statistics.robustRange(image.voxels)
    // Differences of intensities must not overflow a 32-bit float.
    let usable = UsableRange.intensity
    let range = stated.clamped(to: Float(usable.lowerBound)...Float(usable.upperBound))
    self.range = range
    isWhole =
      statistics.isWhole && range.lowerBound == range.lowerBound.rounded()
      && range.upperBound == range.upperBound.rounded()
  }
}
