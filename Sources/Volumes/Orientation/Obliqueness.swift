import Foundation

extension VolumeGrid {
  /// The largest angle, in degrees, between a voxel axis and the anatomical axis nearest to it: 0 for a grid along the
  /// patient's axes, at most about 55.
  package var obliqueDegrees: Double {
    let orientation = orientation
    return (0..<3).map { axis in
      let step = affine[axis]
      let along = abs(step[orientation[axis].worldAxis]) / spacing[axis]
      return acos(min(1, along)) * 180 / .pi
    }.max() ?? 0
  }

  /// The largest deviation from 90 degrees of the angle between two voxel axes, in degrees; 0 unless the grid is
  /// sheared.
  package var shearDegrees: Double {
    [(0, 1), (0, 2), (1, 2)].map { one, other in
      let product = (0..<3).reduce(0) { $0 + affine[one][$1] * affine[other][$1] }
      return asin(min(1, abs(product) / (spacing[one] * spacing[other]))) * 180 / .pi
    }.max() ?? 0
  }
}
