import Work

/// The data augmentation of random crops; part of the training settings.
package struct Augmentation: Hashable, Sendable, Codable {
  /// Largest rotation in space about each of the x, y, z axes of the working grid, in degrees.
  package var rotationDegrees: [Double] = [8, 8, 15]
  /// Range of the logarithm of the random scaling: sizes are multiplied by exp(±this), and each axis by exp(±a third of
  /// it).
  package var logScale = 0.18
  /// Axes (0, 1, 2) of random mirroring; empty where left and right differ.
  package var mirroredAxes: [Int] = []
  /// Whether crops are rotated by random multiples of 90 degrees about z, as in the paper.
  package var quarterTurns = false
  /// Standard deviation of the elastic displacement at its control points, in voxels of the finest axis.
  package var elasticVoxels = 1.2
  /// Range of the random gain: intensities (0...1 after windowing) are multiplied by 1 ± this.
  package var gain = 0.12
  /// Range of the random shift, which is added after the gain.
  package var shift = 0.06
  /// Range of the logarithm of the random gamma, which is applied before gain and shift.
  package var logGamma = 0.2
  /// Largest standard deviation of the added noise.
  package var noise = 0.08
  /// Probability that a crop is blurred along one axis, which simulates thick slices.
  package var blurProbability = 0.3
  /// Probability that a crop is centred on a foreground voxel.
  package var foregroundProbability = 0.67

  /// The default augmentation, for abdominal CT.
  package init() {}

  package static var none: Augmentation {
    var none = Augmentation()
    none.rotationDegrees = [0, 0, 0]
    none.logScale = 0
    none.elasticVoxels = 0
    none.gain = 0
    none.shift = 0
    none.logGamma = 0
    none.noise = 0
    none.blurProbability = 0
    return none
  }

  /// Checks that all numbers are in range; only damaged checkpoints have others.
  /// - Throws: ``InputError`` that names the first wrong number.
  package func validated() throws(InputError) {
    func require(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(InputError) {
      guard range.contains(value) else {
        throw InputError(
          "augmentation", "\(name) is unusable", found: "\(value)",
          expected: "\(range.lowerBound) to \(range.upperBound)")
      }
    }
    guard rotationDegrees.count == 3, mirroredAxes.allSatisfy({ (0...2).contains($0) }) else {
      throw InputError(
        "augmentation", "axes are unusable",
        found: "\(rotationDegrees.count) rotations, mirrors \(mirroredAxes)",
        expected: "3 rotations, mirrors of 0 to 2")
    }
    for angle in rotationDegrees { try require("rotation", angle, -360...360) }
    try require("scaling", logScale, 0...2)
    try require("bending", elasticVoxels, 0...1000)
    try require("gain", gain, 0...10)
    try require("shift", shift, 0...10)
    try require("gamma", logGamma, 0...5)
    try require("noise", noise, 0...10)
    try require("probability of a blur", blurProbability, 0...1)
    try require("probability of foreground", foregroundProbability, 0...1)
  }
}
