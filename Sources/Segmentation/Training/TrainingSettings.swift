import Networks
import Volumes
import Work

/// Everything that decides what a training run does besides its cases; kept in checkpoints and model files.
package struct TrainingSettings: Hashable, Sendable, Codable {
  /// Voxels of a crop on the working grid, along i, j, k.
  package var cropSize = GridSize(96, 96, 64)
  /// Crops per step.
  package var batchSize = 2
  /// Steps of the whole run.
  package var iterations = 2000
  /// Optimiser, learning rate, decay of weights and of the auxiliary losses.
  package var options = TrainingOptions(schedule: .polynomial(rate: 0.05, iterations: 2000))
  /// Share of crops cut from generated cases, where such are given.
  package var generatedShare = 0.25
  /// Steps between validations.
  package var validationInterval = 100
  /// The run stops when validation has not improved for this many validations; 0 never.
  package var patience = 0
  /// Where randomness starts.
  package var seed: UInt64 = 1
  /// Random changes of crops.
  package var augmentation = Augmentation()

  /// The default settings.
  package init() {}

  /// Steps of a run: ten million take a year.
  package static let iterationRange = 1...10_000_000
  /// Voxels of a crop, and of all crops of a step, at most.
  private static let mostCropVoxels = 1 << 26

  /// Refuses settings that cannot train.
  /// - Throws: ``InputError`` naming the option, what was found and what is expected.
  package func validated() throws(InputError) {
    func require(_ holds: Bool, _ option: String, _ found: Any, _ expected: String) throws(InputError) {
      if !holds { throw InputError(option, "cannot train", found: "\(found)", expected: expected) }
    }
    let cropVoxels = checkedProduct(cropSize.i, cropSize.j, cropSize.k) ?? .max
    try require(
      cropSize.i > 0 && cropSize.j > 0 && cropSize.k > 0 && cropVoxels <= Self.mostCropVoxels, "--crop",
      cropSize,
      "1x1x1 to 67 million voxels")
    try require((1...64).contains(batchSize), "--batch", batchSize, "1 to 64")
    try require(
      Self.iterationRange.contains(iterations), "--iterations", iterations,
      "1 to \(Self.iterationRange.upperBound)")
    try options.validated()
    try require((0...1).contains(generatedShare), "--generated-share", generatedShare, "0 to 1")
    try require(
      Self.iterationRange.contains(validationInterval), "--validate-every", validationInterval,
      "1 to \(Self.iterationRange.upperBound)")
    try require(
      (0...Self.iterationRange.upperBound).contains(patience), "--patience", patience,
      "0 to \(Self.iterationRange.upperBound)")
    try augmentation.validated()
  }
}
