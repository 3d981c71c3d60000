/// The accuracy of the kernels' approximations.
enum Accuracy: Sendable {
  /// Errors within half a percent of a kernel's peak.
  case full
  /// Errors within two percent at a third of the cost or less, for searches at half the resolution.
  case reduced

  /// The minimum standard deviation in cells.
  var widthPerStep: Double { self == .full ? 1.25 : 0.875 }
  /// The maximum error of the range kernel of one image.
  var rangeTolerance: Double { self == .full ? 2.5e-4 : 5e-3 }
  /// Largest error of the joint range kernel of several images over the sampled voxels.
  var jointRangeTolerance: Double { self == .full ? 1e-2 : 3e-2 }
}
