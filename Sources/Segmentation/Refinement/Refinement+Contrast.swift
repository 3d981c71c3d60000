import Volumes
import Work

extension Refinement {
  /// The contrast of each image, the first image first, with the structures before refinement.
  ///
  /// - Parameter auxiliaryHeadWeights: τ_d of the mix of heads that gives the structures.
  /// - Returns: One element per image, nil where it cannot be estimated; empty without foreground.
  /// - Throws: ``InputError`` for invalid weights; ``Cancelled``.
  package func contrasts(auxiliaryHeadWeights: [Double] = [], work: WorkContext) throws -> [ImageContrast?] {
    guard
      let box = try foregroundBox(auxiliaryHeadWeights, work: work.part(0...0.4))?
        .grown(by: [8, 8, 8], within: image.grid.size)
    else { return [] }
    let classes = try source.classes(
      in: box, labelValues: labelValues, auxiliaryHeadWeights: auxiliaryHeadWeights,
      work: work.part(0.4...0.8))
    return try zip([image] + furtherImages, intensityRanges).map { image, range in
      let voxels = try image.voxels.cropped(to: box, size: image.grid.size, work: work.withoutProgress)
      let own = range ?? (voxels.min() ?? 0)...(voxels.max() ?? 0)
      return ImageContrast(voxels: voxels, labels: classes, size: box.size, range: own)
    }
  }
}

extension VoxelBounds {
  /// The box grown by `margin` voxels on both sides of each axis, clamped to `size`.
  func grown(by margin: [Int], within size: GridSize) -> VoxelBounds {
    var box = self
    for axis in 0..<3 {
      box.lower[axis] = max(0, lower[axis] - margin[axis])
      box.upper[axis] = min(size[axis] - 1, upper[axis] + margin[axis])
    }
    return box
  }
}
