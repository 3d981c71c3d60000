import Work

/// The ranges of numbers from files, options and settings in which all computations stay finite.
///
/// The ends are far beyond real images, and small enough that cubes of lengths, sums over volumes and 32-bit floats do
/// not overflow.
package enum UsableRange {
  /// Millimetres between voxels, from an electron microscope's to a satellite's, and kernel widths.
  package static let millimetres = 1e-6...1e6
  /// World coordinates of a grid's origin in millimetres; a 32-bit float beyond is less precise than a body's extent.
  package static let originMillimetres = -1e9...1e9
  /// Millimetres along one axis of a whole image.
  package static let extentMillimetres = 0...1e9
  /// Intensities and the ends of windows: their differences fit 32-bit floats.
  package static let intensity = -1e38...1e38
  /// θβ: maps of diffusion in m²/s need 1e-11, raw counts 1e9.
  package static let thetaBeta = 1e-30...1e30
  /// Weights of kernels, losses and decays.
  package static let weight = 0...1e6
  /// Volumes of components in millilitres.
  package static let millilitres = 0...1e9
  /// Mean-field iterations; about ten suffice for convergence.
  package static let iterations = 0...1000
}

extension VolumeGrid {
  /// The maximum distance of a voxel from the world's origin, in units of the smallest spacing.
  ///
  /// Beyond it, the inverse affine in double precision cannot distinguish neighbouring voxels.
  private static let maximumOriginDistanceVoxels = 1e8

  /// This grid, if its numbers are in range.
  /// - Throws: ``InputError`` about `subject` for voxel sizes or an origin beyond ``UsableRange``, axes in one plane,
  ///   or voxels so small compared with their distance from the origin that their positions cannot be distinguished.
  package func validated(subject: String) throws(InputError) -> VolumeGrid {
    func words(_ range: ClosedRange<Double>) -> String { "\(range.lowerBound) to \(range.upperBound) mm" }
    let spacing = spacing
    var farthest = 0.0
    for axis in 0..<3 {
      guard UsableRange.millimetres.contains(spacing[axis]) else {
        throw InputError(
          subject, "voxel size along axis \(axis) is unusable", found: "\(spacing[axis]) mm",
          expected: words(UsableRange.millimetres))
      }
      guard UsableRange.originMillimetres.contains(affine.origin[axis]) else {
        throw InputError(
          subject, "position of the first voxel is unusable", found: "\(affine.origin[axis]) mm",
          expected: words(UsableRange.originMillimetres))
      }
      farthest += abs(affine.origin[axis]) + Double(size[axis]) * spacing[axis]
    }
    let flatness = abs(affine.determinant) / (spacing.i * spacing.j * spacing.k)
    let smallest = min(spacing.i, spacing.j, spacing.k) * flatness
    guard smallest > 0, farthest / smallest <= Self.maximumOriginDistanceVoxels else {
      throw InputError(
        subject, "voxels cannot be told apart by their positions",
        found: "\(spacing.i) x \(spacing.j) x \(spacing.k) mm up to \(farthest) mm away",
        expected: "at most \(Self.maximumOriginDistanceVoxels) voxels from the origin")
    }
    return self
  }
}

extension RefinementSettings {
  /// These settings, which a CRF can compute with.
  /// - Parameter subject: The file that states them; nil names the number itself.
  /// - Throws: ``InputError`` with the first number beyond ``UsableRange``.
  @discardableResult
  package func validated(subject: String? = nil) throws(InputError) -> RefinementSettings {
    func require(_ name: String, _ value: Double, _ range: ClosedRange<Double>, _ unit: String = "")
      throws(InputError)
    {
      guard range.contains(value) else {
        throw InputError(
          subject ?? name, subject == nil ? "is unusable" : "\(name) is unusable", found: "\(value)\(unit)",
          expected: "\(range.lowerBound) to \(range.upperBound)\(unit)")
      }
    }
    try require("appearance weight", appearanceWeight, UsableRange.weight)
    try require("smoothness weight", smoothnessWeight, UsableRange.weight)
    for value in thetaBetas { try require("theta beta", value, UsableRange.thetaBeta) }
    for axis in 0..<3 {
      try require("theta alpha", thetaAlphaMillimetres[axis], UsableRange.millimetres, " mm")
      try require("theta gamma", thetaGammaMillimetres[axis], UsableRange.millimetres, " mm")
    }
    guard UsableRange.iterations.contains(iterations) else {
      throw InputError(
        subject ?? "iterations", subject == nil ? "are unusable" : "iterations are unusable",
        found: "\(iterations)",
        expected: "\(UsableRange.iterations.lowerBound) to \(UsableRange.iterations.upperBound)")
    }
    for value in auxiliaryHeadWeights { try require("tau", value, 0...1) }
    return self
  }
}
