import Volumes
import Work

extension DenseCRF {
  /// Checks `settings`, by themselves and for these images.
  /// - Throws: ``InputError`` that names the wrong setting.
  func check(_ settings: RefinementSettings) throws(InputError) {
    try settings.validated()
    guard settings.thetaBetas.count == images.count else {
      throw InputError(
        "theta beta", "needs one value per image", found: "\(settings.thetaBetas.count)",
        expected: "\(images.count)")
    }
    guard settings.appearanceWeight > 0 else { return }
    for (axis, standardDeviation) in voxels(settings.thetaAlphaMillimetres).enumerated() {
      guard Double(size[axis]) / standardDeviation <= LatticeKernel.maximumRange else {
        throw InputError(
          "theta alpha", "is too small for \(size[axis]) voxels along axis \(axis)",
          found: "\(settings.thetaAlphaMillimetres[axis]) mm",
          expected: "\(Double(size[axis]) / LatticeKernel.maximumRange * spacing[axis]) mm or more")
      }
    }
    for (image, thetaBeta) in zip(images, settings.thetaBetas) {
      let extent = Double(image.range.upperBound) - Double(image.range.lowerBound)
      guard extent / thetaBeta <= LatticeKernel.maximumRange else {
        throw InputError(
          "theta beta",
          "is too small for intensities from \(image.range.lowerBound) to \(image.range.upperBound)",
          found: "\(thetaBeta)", expected: "\(extent / LatticeKernel.maximumRange) or more")
      }
    }
  }
}
