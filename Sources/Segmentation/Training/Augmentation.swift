import Work

/// How far random crops may differ from the cases they are cut from.
///
/// Part of the training settings.
package struct Augmentation: Hashable, Sendable, Codable {
  /// Largest rotation about each of the x, y, z axes of the working grid, in degrees.
  package var rotationDegrees: [Double] = [8, 8, 15]
  /// Sizes are multiplied by exp(±this), each axis on its own by a third of it.
  package var logScale = 0.18
  /// Axes (0, 1, 2) that may be mirrored; empty where left and right matter.
  package var mirroredAxes: [Int] = []
  /// Whether quarter turns about z are drawn, as the paper's training does.
  package var quarterTurns = false
  /// Standard deviation of the elastic displacement at its control points, in voxels.
  package var elasticVoxels = 1.2
  /// Intensities (0...1 after windowing) are multiplied by 1 ± this.
  package var gain = 0.12
  /// Then they are shifted by ± this.
  package var shift = 0.06
  /// Before both they are raised to a power exp(±this).
  package var logGamma = 0.2
  /// Noise is added with a standard deviation up to this.
  package var noise = 0.08
  /// Probability that a crop is blurred along one axis, as thick slices are.
  package var blurProbability = 0.3
  /// Probability that a crop is centred on a foreground voxel.
  package var foregroundProbability = 0.67

  /// The default, for abdominal CT.
  package init() {}

  /// No change at all: crops are cut as they are.
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

  /// Refuses numbers that no crop can be changed by, which only a damaged checkpoint holds.
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
