import Tensors
import Work

/// The losses of one training iteration.
package struct TrainingIteration: Hashable, Sendable {
  /// Iterations completed, this one included.
  package let iteration: Int
  /// The minimised loss, without weight decay.
  package let loss: Double
  /// Loss of each head before its weight; 0 for heads of weight 0.
  package let headLosses: [Double]
  /// Euclidean norm of the gradient before clipping.
  package let gradientNorm: Double
  /// The learning rate of the iteration.
  package let learningRate: Double
}

/// A network in training: its weights, the optimiser's state and the iterations done.
///
/// Equal initial weights, options and batches give equal weights bit for bit on any number of threads, also when the
/// run was stored and read as a ``Checkpoint`` in between.
package struct Trainer: Sendable {
  /// The checked graph.
  package let graph: ResolvedGraph
  /// Optimiser, schedule and loss; they may be changed between iterations.
  package var options: TrainingOptions
  /// The weights and running statistics.
  package internal(set) var parameters: Parameters
  /// The exponential moving average (EMA) of ``parameters``, where the options ask for one.
  ///
  /// As a rule it does better on new cases than the newest weights.
  package internal(set) var emaParameters: Parameters?
  package internal(set) var optimiserState = OptimiserState()
  /// Iterations completed.
  package internal(set) var iteration = 0
  /// The generator for crops and augmentation, which a checkpoint stores.
  package var generator: SplitMix64

  /// Bytes per parameter: the weight, its gradient, two optimiser moments, the best weights, the EMA, and a temporary.
  private static let bytesPerParameter = 7 * MemoryLayout<Float>.stride

  /// A training run that starts with `parameters`, or with initial ones drawn from `seed`.
  /// - Throws: ``InputError`` when the graph is invalid or the weights do not fit in memory.
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

  /// One iteration: loss and gradients of `batch`, gradient clipping, the optimiser's update, running statistics, EMA.
  ///
  /// When it throws, the trainer is unchanged.
  /// - Throws: ``InputError`` when the batch does not fit the network, or the loss is no longer finite;
  ///   ``Cancelled``.
  package mutating func step(_ batch: TrainingBatch, work: WorkContext) throws -> TrainingIteration {
    let configuration = LossConfiguration(
      headWeights: options.headWeights(of: graph.graph, at: iteration), loss: options.loss,
      classWeights: options.classWeights, ignoredLabel: options.ignoredLabel,
      frozenLayers: options.frozenLayers)
    let result = try graph.lossGradients(
      batch, parameters: parameters, configuration: configuration, generator: generator.forked(iteration),
      work: work)
    let slots = graph.parameterSlots.filter(\.role.isTrained)
    var squares = 0.0
    for slot in slots {
      guard let gradient = result.gradients[slot.name] else { continue }
      squares += try squaredNorm(of: gradient, work: work.withoutProgress)
    }
    let norm = squares.squareRoot()
    guard result.loss.isFinite, norm.isFinite else {
      throw InputError(
        "training", "the loss or its gradient is no longer finite at iteration \(iteration + 1)",
        found: "loss \(result.loss), gradient norm \(norm)", expected: "a smaller learning rate")
    }
    let rate = options.schedule.rate(at: iteration)
    let clipping = options.gradientNormClip.map { norm > $0 ? $0 / norm : 1 } ?? 1
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
    optimiserState.countStep()
    updateRunningStatistics(result.statistics)
    iteration += 1
    updateEMA()
    return TrainingIteration(
      iteration: iteration, loss: result.loss, headLosses: result.headLosses, gradientNorm: norm,
      learningRate: rate)
  }

  /// The weights for evaluation and for the model file: the EMA where there is one, else the newest weights.
  package var evaluationParameters: Parameters { emaParameters ?? parameters }

  /// A model of the newest weights and the given texts.
  package func model(metadata: [String: String] = [:]) -> ModelFile {
    ModelFile(graph: graph.graph, parameters: parameters, metadata: metadata)
  }

  /// Updates the EMA by the newest weights.
  ///
  /// The decay grows with the iterations, so that the initial weights are forgotten.
  private mutating func updateEMA() {
    guard let decay = options.emaDecay else { return }
    guard emaParameters != nil else { return emaParameters = parameters }
    let weight = Float(1 - min(decay, Double(1 + iteration) / Double(10 + iteration)))
    for (name, newest) in parameters.tensors {
      emaParameters!.update(name) { values in
        newest.elements.withUnsafeBufferPointer { newest in
          for index in values.indices { values[index] += weight * (newest[index] - values[index]) }
        }
      }
    }
  }

  /// Updates the running statistics by the batch's mean and unbiased variance, as PyTorch does.
  private mutating func updateRunningStatistics(_ statistics: [String: BatchStatistics]) {
    let momentum = Float(options.statisticsMomentum)
    for (layer, batch) in statistics {
      for (role, newest) in [
        (ParameterSlot.Role.runningMean, batch.mean), (.runningVariance, batch.unbiasedVariance),
      ] {
        parameters.update("\(layer).\(role.rawValue)") { values in
          for index in values.indices { values[index] += momentum * (newest[index] - values[index]) }
        }
      }
    }
  }
}

extension ResolvedGraph {
  /// Names of the tensors that weight decay applies to: weights of convolutions, not biases, batch normalisations and slopes.
  fileprivate var decayingTensors: Set<String> {
    Set(
      parameterSlots.compactMap { slot in
        switch slot.start {
        case .random, .linearInterpolation: slot.name
        case .zeros, .ones, .constant: nil
        }
      })
  }
}
