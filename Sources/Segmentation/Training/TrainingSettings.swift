import Networks
import Volumes
import Work

/// The settings of a training run; stored in checkpoints and model files.
package struct TrainingSettings: Hashable, Sendable, Codable {
  /// Voxels of a crop on the working grid, along i, j, k.
  package var cropSize = GridSize(96, 96, 64)
  /// Crops per iteration.
  package var batchSize = 2
  /// Iterations of the whole run.
  package var iterations = 2000
  /// Optimiser, learning rate, weight decay and loss.
  package var options = TrainingOptions(schedule: .polynomial(rate: 0.05, iterations: 2000))
  /// Fraction of crops sampled from generated cases, where there are any.
  package var generatedFraction = 0.25
  /// Iterations between validations.
  package var validationInterval = 100
  /// Early stopping: the run stops when this many validations brought no improvement; 0 for never.
  package var patience = 0
  /// The seed of all random numbers.
  package var seed: UInt64 = 1
  package var augmentation = Augmentation()

  private enum CodingKeys: String, CodingKey {
    case cropSize, batchSize, iterations, options
    case generatedFraction = "generatedShare"
    case validationInterval, patience, seed, augmentation
  }

  package init() {}

  /// Iterations of a run: ten million take a year.
  package static let iterationRange = 1...10_000_000
  /// Voxels of a crop at most.
  private static let maximumCropVoxels = 1 << 26

  /// Checks that all settings are in range.
  /// - Throws: ``InputError`` naming the option, what was found and what is expected.
  package func validated() throws(InputError) {
    func require(_ holds: Bool, _ option: String, _ found: Any, _ expected: String) throws(InputError) {
      if !holds { throw InputError(option, "cannot train", found: "\(found)", expected: expected) }
    }
    let cropVoxels = checkedProduct(cropSize.i, cropSize.j, cropSize.k) ?? .max
    try require(
      cropSize.i > 0 && cropSize.j > 0 && cropSize.k > 0 && cropVoxels <= Self.maximumCropVoxels, "--crop",
      cropSize,
      "1x1x1 to 67 million voxels")
    try require((1...64).contains(batchSize), "--batch", batchSize, "1 to 64")
    try require(
      Self.iterationRange.contains(iterations), "--iterations", iterations,
      "1 to \(Self.iterationRange.upperBound)")
    try options.validated()
    try require((0...1).contains(generatedFraction), "--generated-share", generatedFraction, "0 to 1")
    try require(
      Self.iterationRange.contains(validationInterval), "--validate-every", validationInterval,
      "1 to \(Self.iterationRange.upperBound)")
    try require(
      (0...Self.iterationRange.upperBound).contains(patience), "--patience", patience,
      "0 to \(Self.iterationRange.upperBound)")
    try augmentation.validated()
  }
}
