import Foundation
import Metrics
import Networks
import Tensors
import Volumes
import Work

/// A training run from its first or its next step to its last: crops, steps, validation, records, checkpoints.
///
/// With the same cases, settings and start the weights come out the same bit for bit, on any number of threads and
/// however often the run was stopped and resumed.
package struct TrainingRun: Sendable {
  /// The network as it is now.
  package private(set) var trainer: Trainer
  /// What decides the run.
  package let settings: TrainingSettings
  /// Validations and records so far.
  package private(set) var progress = TrainingProgress()
  /// The weights at ``TrainingProgress/best``.
  package private(set) var bestParameters: Parameters?
  private let cases: TrainingCases
  private let sampler: CropSampler
  private let classCount: Int

  /// A run that starts from `trainer`, which may come from a checkpoint.
  /// - Throws: ``InputError`` when the settings cannot train, or the cases do not serve this network.
  package init(trainer: Trainer, settings: TrainingSettings, cases: TrainingCases) throws(InputError) {
    try settings.validated()
    try cases.check(for: trainer.graph, cropSize: settings.cropSize)
    let voxels = checkedProduct(settings.cropSize.voxelCount, settings.batchSize)
    try AvailableMemory.require(
      voxels.map { Int(saturating: Double($0) * trainer.graph.trainingBytesPerVoxel) }, subject: "training",
      "a step of \(settings.batchSize) crops of \(settings.cropSize) voxels")
    if let largest = cases.validation.map(\.size).max(by: { $0.voxelCount < $1.voxelCount }) {
      try AvailableMemory.require(
        Self.validationByteCount(largest, trainer.graph), subject: "training",
        "validating on a case of \(largest) voxels")
    }
    self.trainer = trainer
    self.settings = settings
    self.cases = cases
    sampler = CropSampler(size: settings.cropSize, augmentation: settings.augmentation)
    classCount = trainer.graph.classCount
  }

  /// Bytes for the logits of a whole case: what the network holds at most, the case twice, and its logits twice.
  private static func validationByteCount(_ size: GridSize, _ graph: ResolvedGraph) -> Int? {
    guard let own = checkedProduct(size.voxelCount, 2 + 2 * graph.classCount, MemoryLayout<Float>.stride)
    else { return nil }
    let activations = Int(saturating: Double(size.voxelCount) * graph.trainingBytesPerVoxel)
    return own + min(activations, Network.memoryLimit)
  }

  /// What a run does beside training; called on the training thread.
  package struct Observer {
    /// A record is complete.
    package var record: (TrainingRecord) throws -> Void
    /// The run may be stored: a validation has ended; `isBest` when it was the best one.
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
  ///
  /// When it throws, the run stands where its last whole step or validation left it, and may be stored.
  /// - Throws: ``InputError`` when the loss is no longer finite; ``Cancelled``; whatever `observer` throws.
  package mutating func run(recordInterval: Int = 10, work: WorkContext, observer: Observer) throws {
    let start = ContinuousClock.now
    let first = trainer.iteration
    func averages(_ run: TrainingRun) -> TrainingRecord {
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      let done = run.trainer.iteration
      return TrainingRecord(
        run.progress.unrecordedSteps, iteration: done, of: settings.iterations, elapsedSeconds: elapsed,
        remainingSeconds: elapsed / Double(max(done - first, 1)) * Double(settings.iterations - done))
    }
    while true {
      if isValidationDue {
        let figures = try validationMetrics(work: work.silent)
        var record = averages(self)
        record.validationDice = figures.meanDice
        progress.loss = record.loss
        let isBest = note(figures)
        try observer.record(record)
        try observer.checkpoint(self, isBest)
      }
      if trainer.iteration >= settings.iterations || hasStoppedImproving { return }
      try step(work: work)
      work.report(Double(trainer.iteration) / Double(settings.iterations))
      if trainer.iteration % recordInterval == 0, !isValidationDue {
        let record = averages(self)
        progress.loss = record.loss
        progress.unrecordedSteps = []
        try observer.record(record)
      }
    }
  }

  /// Restores what a checkpoint knows beside the trainer.
  package mutating func restore(_ progress: TrainingProgress, bestParameters: Parameters?) {
    self.progress = progress
    self.bestParameters = bestParameters
  }

  private var isValidationDue: Bool {
    let done = trainer.iteration
    return done > progress.validatedIteration
      && (done % settings.validationInterval == 0 || done == settings.iterations)
  }

  private var hasStoppedImproving: Bool {
    guard settings.patience > 0, let best = progress.best else { return false }
    return trainer.iteration - best.iteration >= settings.patience * settings.validationInterval
  }

  private mutating func step(work: WorkContext) throws {
    let generator = trainer.generator
    do {
      let batch = try nextBatch(work: work)
      progress.unrecordedSteps.append(.init(try trainer.step(batch, work: work.silent)))
    } catch {
      // The next run draws the same crops again.
      trainer.generator = generator
      throw error
    }
  }

  private mutating func note(_ figures: ValidationMetrics) -> Bool {
    progress.validatedIteration = trainer.iteration
    progress.unrecordedSteps = []
    guard !figures.cases.isEmpty else {
      bestParameters = trainer.evaluationParameters
      return true
    }
    if let best = progress.best, best.figures.overallDice >= figures.overallDice { return false }
    progress.best = TrainingProgress.Best(iteration: trainer.iteration, figures: figures)
    bestParameters = trainer.evaluationParameters
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

  /// Dice of each foreground class of each validation case, on the working grid, without post-processing.
  private func validationMetrics(work: WorkContext) throws -> ValidationMetrics {
    guard !cases.validation.isEmpty else { return ValidationMetrics(cases: []) }
    let network = try Network(
      graph: trainer.graph.graph, parameters: trainer.evaluationParameters, heads: [0])
    let receptiveField = trainer.graph.receptiveField(ofHeads: [0])
    return ValidationMetrics(
      cases: try cases.validation.map { example in
        let size = example.size
        let whole = Tensor(shape: [1, 1, size.k, size.j, size.i], elements: example.intensities)
        let box = TileBox(d: 0..<size.k, h: 0..<size.j, w: 0..<size.i)
        let padded = whole.padded(to: receptiveField?.rounded(whole.extent) ?? whole.extent)
        let logits = try network.logits(of: padded, heads: [0], work: work)[0].cropped(to: box)
        return ValidationMetrics.Case(
          name: example.name, dice: classDice(logits: logits, classes: example.classes))
      })
  }

  /// A class that the case lacks counts as 1 where it is not found and 0 where it is.
  private func classDice(logits: Tensor, classes: [UInt8]) -> [Double] {
    var found = [Int](repeating: 0, count: classCount)
    var wanted = found
    var common = found
    for voxel in 0..<classes.count where Int(classes[voxel]) < classCount {
      var best = 0
      for index in 1..<classCount
      where logits.elements[index * classes.count + voxel] > logits.elements[best * classes.count + voxel] {
        best = index
      }
      let truth = Int(classes[voxel])
      found[best] += 1
      wanted[truth] += 1
      if truth == best { common[best] += 1 }
    }
    return (1..<classCount).map { diceCoefficient(found[$0], wanted[$0], common: common[$0]) }
  }
}
