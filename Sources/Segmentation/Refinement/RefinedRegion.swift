import DenseCRF
import Volumes
import Work

/// The refinement of a part of an image, for live previews.
package struct RefinedRegion: Sendable {
  /// The part's voxels in the image.
  package var box: VoxelBounds
  /// Its labels on the box's own grid, without post-processing.
  package var labels: LabelVolume
  /// The fraction of its border voxels (those next to another label before refinement) that messages could change; nil
  /// without border voxels, or where messages are unbounded.
  package var movableFraction: Double?
}

extension Refinement {
  /// The refined labels of a region, without the border that misses messages from beyond the region.
  ///
  /// At faces of `region` inside the image, a border of one and a half kernel widths is cropped, at most an eighth of
  /// the region's side. The prepared CRF is cached for the next call.
  /// - Throws: ``InputError`` for invalid settings; ``Cancelled``.
  package func region(
    _ region: VoxelBounds, settings: RefinementSettings, work: WorkContext
  ) throws -> RefinedRegion {
    var outer = region
    var inner = region
    for axis in 0..<3 {
      // Aligns the CRF's blocks as in the whole image.
      outer.lower[axis] -= region.lower[axis] % DenseCRF.blockAlignment
      let distance = 1.5 * max(settings.thetaAlphaMillimetres[axis], settings.thetaGammaMillimetres[axis])
      let border = min(Int(saturating: distance / image.grid.spacing[axis]), region.size[axis] / 8)
      if outer.lower[axis] > 0 { inner.lower[axis] = max(region.lower[axis], outer.lower[axis] + border) }
      if outer.upper[axis] < image.grid.size[axis] - 1 { inner.upper[axis] -= border }
    }
    let labels = try labels(in: outer, settings: settings, work: work.part(0...0.9))
    let innerBox = inner.relative(to: outer)
    var grid = image.grid
    grid.affine.origin = grid.affine.world(inner.lower)
    grid.size = inner.size
    return RefinedRegion(
      box: inner,
      labels: LabelVolume(
        grid: grid, voxels: labels.voxels.cropped(to: innerBox, size: outer.size), coding: labels.coding),
      movableFraction: try movableFraction(in: outer, settings, work: work))
  }

  /// The fraction of border voxels whose log-odds margin is at most the largest message.
  private func movableFraction(
    in box: VoxelBounds, _ settings: RefinementSettings, work: WorkContext
  ) throws -> Double? {
    guard [.symmetric, .after].contains(settings.normalisation) else { return nil }
    let maximumInfluence = Float(settings.appearanceWeight + settings.smoothnessWeight)
    let margins = try preparation(for: box, settings, isWhole: false, work: work).unary
      .borderMargins(work: work.withoutProgress)
    guard !margins.isEmpty else { return nil }
    return Double(margins.count { $0 <= maximumInfluence }) / Double(margins.count)
  }
}

extension Refinement.Prepared {
  /// The CRF of a box that lies inside the box of this one.
  func cropped(to box: VoxelBounds) throws(Cancelled) -> Refinement.Prepared {
    let relative = box.relative(to: self.box)
    return Refinement.Prepared(
      box: box, auxiliaryHeadWeights: auxiliaryHeadWeights, crf: crf.cropped(to: relative),
      unary: try unary.cropped(to: relative), labelValues: labelValues, intensityMargin: intensityMargin)
  }
}
