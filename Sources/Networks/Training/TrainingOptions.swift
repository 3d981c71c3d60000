import Tensors
import Work

/// Everything that decides how weights move, apart from the data.
package struct TrainingOptions: Hashable, Sendable, Codable {
  /// How gradients change weights.
  package var optimiser: Optimiser
  /// The learning rate over time.
  package var schedule: LearningRateSchedule
  /// Lambda: what is added to the gradient of a weight per unit of that weight.
  ///
  /// Biases and batch-norm parameters do not decay.
  package var weightDecay: Double
  /// Weight of each class in the cross-entropy; nil for equal weights.
  package var classWeights: [Float]?
  /// A label whose voxels do not count.
  package var ignoredLabel: UInt8?
  /// Every so many iterations the auxiliary heads' loss weights are multiplied by ``auxiliaryFactor``; 0 for never.
  package var auxiliaryInterval: Int
  /// What they are multiplied by (0.95 every ten epochs in the paper).
  package var auxiliaryFactor: Double
  /// Longest gradient, as the Euclidean norm over all tensors; longer ones are shortened to it; nil for no limit.
  package var longestGradient: Double?
  /// Multiplies the learning rate of the tensors named; 1 for the others.
  package var rateMultipliers: [String: Double]
  /// Share of the newest batch in batch normalisation's running statistics.
  package var statisticsMomentum: Double
  /// Weight of the soft Dice loss beside each head's cross-entropy; nil for none, as in the paper.
  package var overlapWeight: Double?
  /// Share that the weights' running average keeps at each step; nil for no average.
  package var averageDecay: Double?

  /// Options; the defaults are the paper's objective with momentum 0.9, without its schedules.
  package init(
    optimiser: Optimiser = .momentum(), schedule: LearningRateSchedule, weightDecay: Double = 5e-4,
    classWeights: [Float]? = nil, ignoredLabel: UInt8? = nil, auxiliaryInterval: Int = 0,
    auxiliaryFactor: Double = 0.95, longestGradient: Double? = nil, rateMultipliers: [String: Double] = [:],
    statisticsMomentum: Double = 0.1, overlapWeight: Double? = nil, averageDecay: Double? = nil
  ) {
    self.optimiser = optimiser
    self.schedule = schedule
    self.weightDecay = weightDecay
    self.classWeights = classWeights
    self.ignoredLabel = ignoredLabel
    self.auxiliaryInterval = auxiliaryInterval
    self.auxiliaryFactor = auxiliaryFactor
    self.longestGradient = longestGradient
    self.rateMultipliers = rateMultipliers
    self.statisticsMomentum = statisticsMomentum
    self.overlapWeight = overlapWeight
    self.averageDecay = averageDecay
  }

  /// Learning rates at most, and weights of losses and decays.
  private static let most = 1e6
  /// Longest intervals and schedules, in steps.
  private static let mostSteps = 1_000_000_000

  /// Refuses numbers that cannot train.
  /// - Throws: ``InputError`` naming the option, what was found and what is expected.
  package func validated() throws(InputError) {
    func require(_ holds: Bool, _ option: String, _ found: Any, _ expected: String) throws(InputError) {
      if !holds { throw InputError(option, "cannot train", found: "\(found)", expected: expected) }
    }
    try schedule.validated(mostSteps: Self.mostSteps)
    let rate = schedule.rate(at: 0)
    try require(rate > 0 && rate <= Self.most, "--learning-rate", rate, "more than 0, at most \(Self.most)")
    try require((0...Self.most).contains(weightDecay), "--weight-decay", weightDecay, "0 to \(Self.most)")
    let overlapWeight = overlapWeight ?? 0
    try require((0...Self.most).contains(overlapWeight), "--dice-weight", overlapWeight, "0 to \(Self.most)")
    let decay = averageDecay ?? 0
    try require((0..<1).contains(decay), "--average-decay", decay, "0 to below 1")
    let limit = longestGradient ?? 1
    try require(limit > 0 && limit <= 1e30, "--gradient-limit", limit, "0 to 1e30")
    if let classWeights {
      let isUsable =
        classWeights.allSatisfy { $0 >= 0 && $0 <= Float(Self.most) } && classWeights.contains { $0 > 0 }
      try require(
        isUsable, "--class-weights", classWeights.map { "\($0)" }.joined(separator: ","),
        "0 to \(Self.most), one of them above 0")
    }
    try require(
      (0...Self.mostSteps).contains(auxiliaryInterval), "auxiliary interval", auxiliaryInterval, "0 or more")
    try require((0...1).contains(auxiliaryFactor), "auxiliary factor", auxiliaryFactor, "0 to 1")
    try require((0...1).contains(statisticsMomentum), "statistics momentum", statisticsMomentum, "0 to 1")
    try require(
      rateMultipliers.values.allSatisfy { (0...Self.most).contains($0) }, "rate multipliers",
      rateMultipliers.values.max() ?? 0, "0 to \(Self.most)")
  }

  /// Weights of the heads' losses at an iteration: the main head's stays, the auxiliary ones' decay.
  package func headWeights(of graph: NetworkGraph, at iteration: Int) -> [Double] {
    var factor = 1.0
    if auxiliaryInterval > 0 {
      for _ in 0..<(iteration / auxiliaryInterval) where factor > 1e-12 { factor *= auxiliaryFactor }
    }
    return graph.heads.enumerated().map {
      $0.offset == 0 ? $0.element.lossWeight : factor * $0.element.lossWeight
    }
  }

  /// The multipliers of the heart network's release: biases of its convolutions learn at twice the rate, weights
  /// of transposed convolutions without bias (those of the auxiliary heads) at a tenth.
  package static func releasedRateMultipliers(for graph: NetworkGraph) -> [String: Double] {
    var multipliers: [String: Double] = [:]
    for layer in graph.layers {
      if let convolution = layer.operation as? ConvolutionOperation, convolution.hasBias {
        multipliers[layer.name + ".bias"] = 2
      }
      if let upsampling = layer.operation as? TransposedConvolutionOperation, !upsampling.hasBias {
        multipliers[layer.name + ".weight"] = 0.1
      }
    }
    return multipliers
  }
}
