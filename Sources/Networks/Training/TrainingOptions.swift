import Tensors
import Work

/// The optimiser, its schedule and the loss of a training run.
package struct TrainingOptions: Hashable, Sendable, Codable {
  /// The rule that updates weights.
  package var optimiser: Optimiser
  /// The learning rate by iteration.
  package var schedule: LearningRateSchedule
  /// Weight decay λ: λ · weight is added to the gradient.
  ///
  /// It does not apply to biases and batch normalisations.
  package var weightDecay: Double
  /// The loss of each head.
  package var loss: Loss
  /// Weight of each class in the cross-entropy and the focal loss; nil for equal weights.
  package var classWeights: [Float]?
  /// A label whose voxels are excluded from the loss, as PyTorch's `ignore_index`.
  package var ignoredLabel: UInt8?
  /// Iterations after which the auxiliary heads' loss weights are multiplied by ``auxiliaryFactor``; 0 for never.
  package var auxiliaryInterval: Int
  /// The decay of the auxiliary heads' loss weights (0.95 every ten epochs in the paper).
  package var auxiliaryFactor: Double
  /// Gradient clipping: the Euclidean norm over all tensors that larger gradients are scaled down to; nil for no
  /// clipping.
  package var gradientNormClip: Double?
  /// Factors of the learning rate by tensor name; 1 for the others.
  package var rateMultipliers: [String: Double]
  /// Names of layers that are not trained: no update, no weight decay, and batch normalisations among them use their
  /// running statistics, which stay.
  package var frozenLayers: Set<String>
  /// Weight of the newest batch in the running statistics of batch normalisations, as PyTorch's `momentum`.
  package var statisticsMomentum: Double
  /// Decay of the exponential moving average (EMA) of the weights per iteration; nil for no average.
  package var emaDecay: Double?

  /// Options; the defaults are the paper's loss and momentum 0.9, without its schedules.
  package init(
    optimiser: Optimiser = .momentum(), schedule: LearningRateSchedule, weightDecay: Double = 5e-4,
    loss: Loss = .crossEntropy, classWeights: [Float]? = nil, ignoredLabel: UInt8? = nil,
    auxiliaryInterval: Int = 0,
    auxiliaryFactor: Double = 0.95, gradientNormClip: Double? = nil, rateMultipliers: [String: Double] = [:],
    frozenLayers: Set<String> = [], statisticsMomentum: Double = 0.1, emaDecay: Double? = nil
  ) {
    self.optimiser = optimiser
    self.schedule = schedule
    self.weightDecay = weightDecay
    self.loss = loss
    self.classWeights = classWeights
    self.ignoredLabel = ignoredLabel
    self.auxiliaryInterval = auxiliaryInterval
    self.auxiliaryFactor = auxiliaryFactor
    self.gradientNormClip = gradientNormClip
    self.rateMultipliers = rateMultipliers
    self.frozenLayers = frozenLayers
    self.statisticsMomentum = statisticsMomentum
    self.emaDecay = emaDecay
  }

  /// The largest learning rate, loss weight and weight decay.
  private static let maximumValue = 1e6
  /// The smallest nonzero learning rate, loss weight, weight decay and gradient norm, so that 32-bit floats hold it and
  /// its products.
  private static let minimumValue = 1e-30
  /// The maximum length of intervals and schedules in iterations.
  private static let maximumIterations = 1_000_000_000

  /// Checks that all numbers are in range.
  /// - Throws: ``InputError`` naming the option, what was found and what is expected.
  package func validated() throws(InputError) {
    func require(_ holds: Bool, _ option: String, _ found: Any, _ expected: String) throws(InputError) {
      if !holds { throw InputError(option, "cannot train", found: "\(found)", expected: expected) }
    }
    func isWeight(_ value: Double) -> Bool {
      value == 0 || (Self.minimumValue...Self.maximumValue).contains(value)
    }
    let weights = "0, or \(Self.minimumValue) to \(Self.maximumValue)"
    try schedule.validated(maximumIterations: Self.maximumIterations)
    let rate = schedule.rate(at: 0)
    try require(
      isWeight(rate) && rate != 0, "--learning-rate", rate, "\(Self.minimumValue) to \(Self.maximumValue)")
    try require(isWeight(weightDecay), "--weight-decay", weightDecay, weights)
    try require(optimiser.problem == nil, "--optimiser", optimiser.setting, optimiser.problem ?? "")
    for term in loss.terms {
      try require(isWeight(term.weight) && term.weight != 0, "--loss", loss, "weights above 0")
      try require(term.function.problem == nil, "--loss", loss, term.function.problem ?? "")
    }
    let decay = emaDecay ?? 0
    try require((0..<1).contains(decay), "--average-decay", decay, "0 to below 1")
    let limit = gradientNormClip ?? 1
    try require(
      limit >= Self.minimumValue && limit <= 1e30, "--gradient-limit", limit,
      "0, or \(Self.minimumValue) to 1e30")
    if let classWeights {
      let isUsable = classWeights.allSatisfy { isWeight(Double($0)) } && classWeights.contains { $0 > 0 }
      try require(
        isUsable, "--class-weights", classWeights.map { "\($0)" }.joined(separator: ","),
        "\(weights), one of them above 0")
    }
    try require(
      (0...Self.maximumIterations).contains(auxiliaryInterval), "auxiliary interval", auxiliaryInterval,
      "0 or more")
    try require((0...1).contains(auxiliaryFactor), "auxiliary factor", auxiliaryFactor, "0 to 1")
    try require((0...1).contains(statisticsMomentum), "statistics momentum", statisticsMomentum, "0 to 1")
    try require(
      rateMultipliers.values.allSatisfy { (0...Self.maximumValue).contains($0) }, "rate multipliers",
      rateMultipliers.values.max() ?? 0, "0 to \(Self.maximumValue)")
  }

  /// Loss weights of the heads at an iteration: the main head's is constant, those of the auxiliary heads decay.
  /// - Complexity: O(heads + iteration / auxiliary interval).
  package func headWeights(of graph: NetworkGraph, at iteration: Int) -> [Double] {
    var factor = 1.0
    if auxiliaryInterval > 0 {
      for _ in 0..<(iteration / auxiliaryInterval) where factor > 1e-12 { factor *= auxiliaryFactor }
    }
    return graph.heads.enumerated().map {
      $0.offset == 0 ? $0.element.lossWeight : factor * $0.element.lossWeight
    }
  }

  /// The learning-rate factors that the authors of the heart network published: 2 for biases of convolutions, 0.1 for
  /// weights of transposed convolutions without bias (those of the auxiliary heads).
  package static func publishedRateMultipliers(for graph: NetworkGraph) -> [String: Double] {
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

extension TrainingOptions {
  /// The names in checkpoints, which are older than some of the properties'.
  private enum CodingKeys: String, CodingKey {
    case optimiser, schedule, weightDecay, loss, classWeights, ignoredLabel, auxiliaryInterval,
      auxiliaryFactor
    case gradientNormClip = "longestGradient"
    case rateMultipliers, frozenLayers, statisticsMomentum
    /// The weight of soft Dice beside the cross-entropy in earlier releases, which had no other loss.
    case overlapWeight
    case emaDecay = "averageDecay"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    var earlierLoss = Loss.crossEntropy
    earlierLoss.diceWeight = try values.decodeIfPresent(Double.self, forKey: .overlapWeight) ?? 0
    self.init(
      optimiser: try values.decode(Optimiser.self, forKey: .optimiser),
      schedule: try values.decode(LearningRateSchedule.self, forKey: .schedule),
      weightDecay: try values.decode(Double.self, forKey: .weightDecay),
      loss: try values.decodeIfPresent(Loss.self, forKey: .loss) ?? earlierLoss,
      classWeights: try values.decodeIfPresent([Float].self, forKey: .classWeights),
      ignoredLabel: try values.decodeIfPresent(UInt8.self, forKey: .ignoredLabel),
      auxiliaryInterval: try values.decode(Int.self, forKey: .auxiliaryInterval),
      auxiliaryFactor: try values.decode(Double.self, forKey: .auxiliaryFactor),
      gradientNormClip: try values.decodeIfPresent(Double.self, forKey: .gradientNormClip),
      rateMultipliers: try values.decode([String: Double].self, forKey: .rateMultipliers),
      frozenLayers: try values.decodeIfPresent(Set<String>.self, forKey: .frozenLayers) ?? [],
      statisticsMomentum: try values.decode(Double.self, forKey: .statisticsMomentum),
      emaDecay: try values.decodeIfPresent(Double.self, forKey: .emaDecay))
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(optimiser, forKey: .optimiser)
    try values.encode(schedule, forKey: .schedule)
    try values.encode(weightDecay, forKey: .weightDecay)
    try values.encode(loss, forKey: .loss)
    try values.encodeIfPresent(classWeights, forKey: .classWeights)
    try values.encodeIfPresent(ignoredLabel, forKey: .ignoredLabel)
    try values.encode(auxiliaryInterval, forKey: .auxiliaryInterval)
    try values.encode(auxiliaryFactor, forKey: .auxiliaryFactor)
    try values.encodeIfPresent(gradientNormClip, forKey: .gradientNormClip)
    try values.encode(rateMultipliers, forKey: .rateMultipliers)
    if !frozenLayers.isEmpty { try values.encode(frozenLayers.sorted(), forKey: .frozenLayers) }
    try values.encode(statisticsMomentum, forKey: .statisticsMomentum)
    try values.encodeIfPresent(emaDecay, forKey: .emaDecay)
  }
}
