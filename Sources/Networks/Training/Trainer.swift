import Tensors
import Work

/// What one step of training did.
package struct TrainingStep: Hashable, Sendable {
  /// Iterations completed, this one included.
  package let iteration: Int
  /// The loss that was minimised, weight decay left out.
  package let loss: Double
  /// Loss of each head before its weight; 0 for heads without weight.
  package let headLosses: [Double]
  /// Euclidean norm of the gradient before clipping.
  package let gradientNorm: Double
  /// The rate used.
  package let learningRate: Double
}

/// A network in training: its weights, what the optimiser remembers, how far it is.
///
/// Equal starts, options and batches give equal weights bit for bit, whatever the number of threads; so does a run
/// that went through a ``Checkpoint`` in between.
package struct Trainer: Sendable {
  /// The layers.
  package let graph: ResolvedGraph
  /// How weights move; may be changed between steps.
  package var options: TrainingOptions
  /// The weights and running statistics.
  package internal(set) var parameters: Parameters
  /// The running average of ``parameters``, where the options ask for one: smoother, and as a rule better on cases
  /// not trained on, than the newest weights.
  package internal(set) var average: Parameters?
  /// What the optimiser remembers.
  package internal(set) var optimiserState = OptimiserState()
  /// Iterations completed.
  package internal(set) var iteration = 0
  /// Where the data's crops and flips draw from, so that a checkpoint resumes them too.
  package var generator: SplitMix64

  /// A weight, its gradient, what an optimiser remembers, the best and the average so far, and one more while tensors are
  /// made.
  private static let bytesPerParameter = 7 * MemoryLayout<Float>.stride

  /// A training that starts with `parameters`, or with fresh ones made from the seed.
  /// - Throws: ``InputError`` when the graph makes no sense, or its weights do not fit in memory.
  package init(
    graph: NetworkGraph, parameters: Parameters? = nil, initialisation: Initialisation = .he,
    options: TrainingOptions, seed: UInt64
  ) throws(InputError) {
    let resolved = try graph.resolved()
    let count = resolved.parameterSlots.reduce(0) { $0 + $1.shape.reduce(1, *) }
    try AvailableMemory.require(
      checkedProduct(count, Self.bytesPerParameter), subject: "network", "training its \(count) weights")
    self.graph = resolved
    self.options = options
    self.parameters = parameters ?? Parameters(initialising: resolved, initialisation, seed: seed)
    generator = SplitMix64(seed: seed).forked(-1)
  }

  /// One iteration: loss and gradients of `batch`, clipping, the optimiser's update, running statistics.
  ///
  /// A step that throws leaves the trainer as it was.
  /// - Throws: ``InputError`` when the batch does not fit the network, or the loss is no longer finite;
  ///   ``Cancelled``.
  package mutating func step(_ batch: TrainingBatch, work: WorkContext) throws -> TrainingStep {
    let rule = LossRule(
      headWeights: options.headWeights(of: graph.graph, at: iteration), classWeights: options.classWeights,
      ignoredLabel: options.ignoredLabel, overlapWeight: options.overlapWeight ?? 0)
    let result = try graph.lossGradients(batch, parameters: parameters, rule: rule, work: work)
    let slots = graph.parameterSlots.filter(\.role.isTrained)
    var squares = 0.0
    for slot in slots {
      guard let gradient = result.gradients[slot.name] else { continue }
      squares += try squaredNorm(of: gradient, work: work.silent)
    }
    let norm = squares.squareRoot()
    guard result.loss.isFinite, norm.isFinite else {
      throw InputError(
        "training", "the loss or its gradient is no longer finite at iteration \(iteration + 1)",
        found: "loss \(result.loss), gradient norm \(norm)", expected: "a smaller learning rate")
    }
    let rate = options.schedule.rate(at: iteration)
    let clipping = options.longestGradient.map { norm > $0 ? $0 / norm : 1 } ?? 1
    let decaying = graph.decayingTensors
    for slot in slots {
      guard let gradient = result.gradients[slot.name] else { continue }
      let step = Optimiser.Step(
        rate: rate * (options.rateMultipliers[slot.name] ?? 1),
        decay: decaying.contains(slot.name) ? options.weightDecay : 0, gradientFactor: clipping)
      parameters.update(slot.name) { values in
        options.optimiser.update(
          &values, name: slot.name, gradient: gradient.elements, step: step, state: &optimiserState,
          work: work)
      }
    }
    optimiserState.stepCount += 1
    follow(result.statistics)
    iteration += 1
    takeAverage()
    return TrainingStep(
      iteration: iteration, loss: result.loss, headLosses: result.headLosses, gradientNorm: norm,
      learningRate: rate)
  }

  /// What a model is made of: the running average where there is one, else the newest weights.
  package var bestGuess: Parameters { average ?? parameters }

  /// The model as it is now, with texts about it.
  package func model(metadata: [String: String] = [:]) -> ModelFile {
    ModelFile(graph: graph.graph, parameters: parameters, metadata: metadata)
  }

  /// The average takes in the newest weights; at first it follows quickly, so that it forgets the random start.
  private mutating func takeAverage() {
    guard let decay = options.averageDecay else { return }
    guard average != nil else { return average = parameters }
    let share = Float(1 - min(decay, Double(1 + iteration) / Double(10 + iteration)))
    for (name, newest) in parameters.tensors {
      average!.update(name) { values in
        newest.elements.withUnsafeBufferPointer { newest in
          for index in values.indices { values[index] += share * (newest[index] - values[index]) }
        }
      }
    }
  }

  /// Running statistics take in the batch's mean and unbiased variance, as PyTorch's do.
  private mutating func follow(_ statistics: [String: BatchStatistics]) {
    let share = Float(options.statisticsMomentum)
    for (layer, batch) in statistics {
      for (role, newest) in [
        (ParameterSlot.Role.runningMean, batch.mean), (.runningVariance, batch.unbiasedVariance),
      ] {
        parameters.update("\(layer).\(role.rawValue)") { values in
          for index in values.indices { values[index] += share * (newest[index] - values[index]) }
        }
      }
    }
  }
}

extension ResolvedGraph {
  /// Names of the weights that sum up products, as those of convolutions do: what weight decay shrinks.
  fileprivate var decayingTensors: Set<String> {
    Set(
      parameterSlots.compactMap { slot in
        if case .random = slot.start { slot.name } else { nil }
      })
  }
}
