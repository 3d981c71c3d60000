import Foundation
import Networks
import Tensors
import Volumes
import Work

/// The cases of a training run.
package struct TrainingCases: Sendable {
  /// Crops are cut from these.
  package var training: [TrainingCase]
  /// For a share of the crops these serve instead: made by the project's own generator.
  package var generated: [TrainingCase]
  /// The network is run whole on these to see how good it has become.
  package var validation: [TrainingCase]

  /// The cases.
  package init(training: [TrainingCase], generated: [TrainingCase] = [], validation: [TrainingCase]) {
    self.training = training
    self.generated = generated
    self.validation = validation
  }
}

/// A training run from its first or its next step to its last: crops, steps, validation, records, checkpoints.
///
/// With the same cases, settings and start the weights come out the same bit for bit, on any number of threads and
/// however often the run was stopped and resumed.
package struct TrainingRun: Sendable {
  /// The network as it is now.
  package private(set) var trainer: Trainer
  /// What decides the run.
  package let settings: TrainingSettings
  /// The best validation so far: mean Dice over classes and cases, the step after which it was seen.
  package private(set) var best: (dice: Double, iteration: Int)?
  /// The weights at ``best``.
  package private(set) var bestParameters: Parameters?
  private let cases: TrainingCases
  private let sampler: CropSampler
  private let classCount: Int

  /// A run that starts from `trainer`, which may come from a checkpoint.
  /// - Throws: ``InputError`` when the settings cannot train or there is no training case.
  package init(trainer: Trainer, settings: TrainingSettings, cases: TrainingCases) throws(InputError) {
    try settings.validated()
    guard !cases.training.isEmpty || !cases.generated.isEmpty else {
      throw InputError(
        "training", "no training case", expected: "at least one beside those of the validation")
    }
    self.trainer = trainer
    self.settings = settings
    self.cases = cases
    sampler = CropSampler(size: settings.cropSize, augmentation: settings.augmentation)
    classCount = trainer.graph.classCount
  }

  /// What a run does beside training; called on the training thread.
  package struct Observer {
    /// A record is complete.
    package var record: (TrainingRecord) throws -> Void
    /// The run is at a point where it may be stored: after a validation; `isBest` when that was the best one.
    package var checkpoint: (TrainingRun, _ isBest: Bool) throws -> Void

    /// An observer.
    package init(
      record: @escaping (TrainingRecord) throws -> Void,
      checkpoint: @escaping (TrainingRun, Bool) throws -> Void
    ) {
      self.record = record
      self.checkpoint = checkpoint
    }
  }

  /// Trains to the end, or until validation stops improving.
  /// - Throws: ``InputError`` when the loss is no longer finite; ``Cancelled``; whatever `observer` throws.
  package mutating func run(recordInterval: Int = 10, work: WorkContext, observer: Observer) throws {
    let start = ContinuousClock.now
    let first = trainer.iteration
    var window: [TrainingStep] = []
    while trainer.iteration < settings.iterations {
      let batch = try nextBatch(work: work)
      window.append(try trainer.step(batch, work: work.silent))
      let done = trainer.iteration
      let isValidating = done % settings.validationInterval == 0 || done == settings.iterations
      work.report(Double(done) / Double(settings.iterations))
      guard isValidating || done % recordInterval == 0 else { continue }
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      var record = TrainingRecord(
        window, of: settings.iterations, elapsedSeconds: elapsed,
        remainingSeconds: elapsed / Double(done - first) * Double(settings.iterations - done))
      window = []
      var isBest = false
      if isValidating {
        let dice = try validationDice(work: work.silent)
        record.validationDice = dice
        isBest = note(dice)
      }
      try observer.record(record)
      if isValidating { try observer.checkpoint(self, isBest) }
      if settings.patience > 0, let best, isValidating,
        done - best.iteration >= settings.patience * settings.validationInterval
      {
        return
      }
    }
  }

  /// Restores what a checkpoint knows beside the trainer.
  package mutating func restore(best dice: Double, iteration: Int, parameters: Parameters) {
    best = (dice, iteration)
    bestParameters = parameters
  }

  private mutating func note(_ dice: [Double]) -> Bool {
    guard !dice.isEmpty else {
      bestParameters = trainer.bestGuess
      return true
    }
    let mean = dice.reduce(0, +) / Double(dice.count)
    if let best, best.dice >= mean { return false }
    best = (mean, trainer.iteration)
    bestParameters = trainer.bestGuess
    return true
  }

  private mutating func nextBatch(work: WorkContext) throws(Cancelled) -> TrainingBatch {
    let size = settings.cropSize
    var intensities: [Float] = []
    var labels: [UInt8] = []
    intensities.reserveCapacity(settings.batchSize * size.voxelCount)
    labels.reserveCapacity(settings.batchSize * size.voxelCount)
    var generator = trainer.generator
    for _ in 0..<settings.batchSize {
      let isGenerated =
        cases.training.isEmpty || (!cases.generated.isEmpty && generator.uniform() < settings.generatedShare)
      let pool = isGenerated ? cases.generated : cases.training
      let example = pool[generator.index(below: pool.count)]
      let crop = try sampler.crop(of: example, using: &generator, work: work)
      intensities += crop.intensities
      labels += crop.classes
    }
    trainer.generator = generator
    let input = Tensor(shape: [settings.batchSize, 1, size.k, size.j, size.i], elements: intensities)
    return TrainingBatch(input: input, labels: labels)
  }

  /// Mean Dice of each foreground class over the validation cases, on the working grid, without post-processing.
  ///
  /// A class that a case lacks counts as 1 where it is not found and 0 where it is.
  private func validationDice(work: WorkContext) throws -> [Double] {
    guard !cases.validation.isEmpty else { return [] }
    let network = try Network(
      graph: trainer.graph.graph, parameters: trainer.bestGuess, heads: [0])
    var sums = [Double](repeating: 0, count: classCount - 1)
    for example in cases.validation {
      let size = example.size
      let whole = Tensor(shape: [1, 1, size.k, size.j, size.i], elements: example.intensities)
      let extent = trainer.graph.reach(ofHeads: [0])?.rounded(whole.extent) ?? whole.extent
      let box = TileBox(d: 0..<size.k, h: 0..<size.j, w: 0..<size.i)
      let scores = try network.scores(of: whole.padded(to: extent), heads: [0], work: work)[0].cropped(
        to: box)
      for (index, dice) in classDice(scores: scores, classes: example.classes).enumerated() {
        sums[index] += dice
      }
    }
    return sums.map { $0 / Double(cases.validation.count) }
  }

  private func classDice(scores: Tensor, classes: [UInt8]) -> [Double] {
    var found = [Int](repeating: 0, count: classCount)
    var wanted = found
    var common = found
    for voxel in 0..<classes.count where classes[voxel] != TrainingCase.ignoredClass {
      var best = 0
      for index in 1..<classCount
      where scores.elements[index * classes.count + voxel] > scores.elements[best * classes.count + voxel] {
        best = index
      }
      let truth = Int(classes[voxel])
      found[best] += 1
      wanted[truth] += 1
      if truth == best { common[best] += 1 }
    }
    return (1..<classCount).map { index in
      let sum = found[index] + wanted[index]
      return sum == 0 ? 1 : 2 * Double(common[index]) / Double(sum)
    }
  }
}

extension TrainingRecord {
  /// The averages of some consecutive steps.
  fileprivate init(
    _ steps: [TrainingStep], of iterations: Int, elapsedSeconds: Double, remainingSeconds: Double
  ) {
    let count = Double(max(steps.count, 1))
    let headCount = steps.first?.headLosses.count ?? 0
    self.init(
      iteration: steps.last?.iteration ?? 0, iterations: iterations,
      loss: steps.reduce(0) { $0 + $1.loss } / count,
      headLosses: (0..<headCount).map { head in steps.reduce(0) { $0 + $1.headLosses[head] } / count },
      learningRate: steps.last?.learningRate ?? 0,
      gradientNorm: steps.reduce(0) { $0 + $1.gradientNorm } / count,
      elapsedSeconds: elapsedSeconds, remainingSeconds: remainingSeconds, validationDice: nil)
  }
}
