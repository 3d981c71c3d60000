/// How closely kernels are followed by their approximations.
enum Accuracy: Sendable {
  /// Kernels within half a percent of their peak.
  case full
  /// Within two percent, at a third of the cost or less: for searches at half the resolution.
  case draft

  /// Voxels of standard deviation per voxel of a cell, at least.
  var widthPerStep: Double { self == .full ? 1.25 : 0.875 }
  /// Largest error of the range kernel of one image.
  var rangeTolerance: Double { self == .full ? 2.5e-4 : 5e-3 }
  /// The same of several images, for the sampled voxel that is represented worst.
  var jointRangeTolerance: Double { self == .full ? 1e-2 : 3e-2 }
}
