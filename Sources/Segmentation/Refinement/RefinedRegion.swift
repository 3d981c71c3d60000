import DenseCRF
import Volumes
import Work

/// Part of an image, refined while a knob turns.
package struct RefinedRegion: Sendable {
  /// Where it lies.
  package var box: VoxelBounds
  /// Its labels on the box's own grid, without post-processing.
  package var labels: LabelVolume
  /// Of its voxels that touch another label before refinement, the share that messages could change; nil where there
  /// is none, or no limit to what messages can do.
  package var movableShare: Double?
}

extension Refinement {
  /// The refined labels of a region, without the border that does not hear what lies beyond.
  ///
  /// Inside a face of `region` that is not one of the image's, a border of one and a half kernel widths is left out,
  /// at most an eighth of the region's side. What the image and the region say is kept for the next call.
  /// - Throws: ``InputError`` for settings that mean nothing; ``Cancelled``.
  package func region(
    _ region: VoxelBounds, settings: RefinementSettings, work: WorkContext
  ) throws -> RefinedRegion {
    var outer = region
    var inner = region
    for axis in 0..<3 {
      // Blocks of the CRF lie as they do in the whole image.
      outer.lower[axis] -= region.lower[axis] % DenseCRF.blockAlignment
      let reach = 1.5 * max(settings.thetaAlphaMillimetres[axis], settings.thetaGammaMillimetres[axis])
      let border = min(Int(saturating: reach / image.grid.spacing[axis]), region.size[axis] / 8)
      if outer.lower[axis] > 0 { inner.lower[axis] = max(region.lower[axis], outer.lower[axis] + border) }
      if outer.upper[axis] < image.grid.size[axis] - 1 { inner.upper[axis] -= border }
    }
    let labels = try labels(in: outer, settings: settings, work: work.part(0...0.9))
    let place = inner.relative(to: outer)
    var grid = image.grid
    grid.affine.origin = grid.affine.world(inner.lower)
    grid.size = inner.size
    return RefinedRegion(
      box: inner,
      labels: LabelVolume(
        grid: grid, voxels: labels.voxels.cropped(to: place, size: outer.size), coding: labels.coding),
      movableShare: try movableShare(in: outer, settings, work: work))
  }

  /// The share of border voxels whose probabilities leave messages of these weights something to change.
  private func movableShare(
    in box: VoxelBounds, _ settings: RefinementSettings, work: WorkContext
  ) throws -> Double? {
    guard [.symmetric, .after].contains(settings.normalisation) else { return nil }
    let pull = Float(settings.appearanceWeight + settings.smoothnessWeight)
    let margins = try preparation(for: box, settings, isWhole: false, work: work).unary
      .borderMargins(work: work.silent)
    guard !margins.isEmpty else { return nil }
    return Double(margins.count { $0 <= pull }) / Double(margins.count)
  }
}

extension Refinement.Prepared {
  /// The CRF of a box inside this one's.
  func cropped(to box: VoxelBounds) throws(Cancelled) -> Refinement.Prepared {
    let place = box.relative(to: self.box)
    return Refinement.Prepared(
      box: box, auxiliaryHeadWeights: auxiliaryHeadWeights, crf: crf.cropped(to: place),
      unary: try unary.cropped(to: place), labelValues: labelValues, intensityReach: intensityReach)
  }
}

extension VoxelBounds {
  /// Whether `other` lies inside.
  func contains(_ other: VoxelBounds) -> Bool { union(other) == self }

  /// The box in coordinates of one that holds it.
  func relative(to outer: VoxelBounds) -> VoxelBounds {
    var box = self
    for axis in 0..<3 {
      box.lower[axis] -= outer.lower[axis]
      box.upper[axis] -= outer.lower[axis]
    }
    return box
  }
}
