import Work

extension VolumeGrid {
  /// Spacings whose relative difference is below this are taken as equal, so that a volume of the model's spacing is
  /// not resampled because of its header's rounding.
  package static let relativeSpacingTolerance = 0.005

  /// The maximum number of voxels along an axis of a resampled grid; the product of three fits an `Int`.
  package static let maximumVoxelsAlongAxis = 1 << 20

  /// A grid of about the given spacing over the same field of view, along the same axes.
  ///
  /// Both fields of view, edge to edge, have the same centre. Along each axis the new one has the least number of
  /// voxels that covers the old one, so that it extends beyond by less than half a voxel at either end. An axis whose
  /// spacing agrees within ``relativeSpacingTolerance`` is unchanged; on other axes the spacing is exactly `spacing`.
  /// - Throws: ``InputError`` about `subject` when a spacing is beyond ``UsableRange``, or the grid has more than
  ///   ``maximumVoxelsAlongAxis``.
  package func resampled(to spacing: Spacing, subject: String = "working grid") throws(InputError)
    -> VolumeGrid
  {
    var size = size
    var affine = affine
    var first = [0.0, 0.0, 0.0]
    for axis in 0..<3 {
      let old = self.spacing[axis]
      guard UsableRange.millimetres.contains(spacing[axis]), UsableRange.millimetres.contains(old) else {
        throw InputError(
          subject, "cannot be resampled along axis \(axis)", found: "\(old) to \(spacing[axis]) mm",
          expected: "\(UsableRange.millimetres.lowerBound) to \(UsableRange.millimetres.upperBound) mm")
      }
      let ratio = spacing[axis] / old
      if abs(ratio - 1) < VolumeGrid.relativeSpacingTolerance { continue }
      let extent = Double(self.size[axis])
      let count = max(1, (extent / ratio - 1e-6).rounded(.up))
      size[axis] = Int(saturating: count)
      first[axis] = (extent - 1) / 2 - (count - 1) / 2 * ratio
      let step = self.affine[axis]
      affine[axis] = WorldPoint(step.x * ratio, step.y * ratio, step.z * ratio)
    }
    guard (0..<3).allSatisfy({ size[$0] <= max(Self.maximumVoxelsAlongAxis, self.size[$0]) }) else {
      throw InputError(
        subject, "has too many voxels at a spacing of \(spacing.i) x \(spacing.j) x \(spacing.k) mm",
        found: "\(size)", expected: "at most \(Self.maximumVoxelsAlongAxis) along an axis")
    }
    affine.origin = self.affine.world(first[0], first[1], first[2])
    return VolumeGrid(size: size, affine: affine)
  }
}
