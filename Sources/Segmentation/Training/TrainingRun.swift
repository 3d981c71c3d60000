import Foundation
import Metrics
import Networks
import Tensors
import Volumes
import Work

/// A training run: crops, iterations, validation, records and checkpoints.
///
/// Equal cases, settings and initial weights give equal weights bit for bit on any number of threads, also when the run
/// is stopped and resumed.
package struct TrainingRun: Sendable {
  /// The network in training.
  package private(set) var trainer: Trainer
  package let settings: TrainingSettings
  /// The best validation and the losses since the last record.
  package private(set) var progress = TrainingProgress()
  /// The weights at ``TrainingProgress/best``.
  package private(set) var bestParameters: Parameters?
  /// The patches in which the trained network runs: crops where its result depends on the extents that it sees; nil where it
  /// runs on whole images.
  package let tiling: PatchTiling?
  private let cases: TrainingCases
  private let sampler: CropSampler
  private let classCount: Int

  /// A run that starts from `trainer`, which may be a checkpoint's.
  /// - Throws: ``InputError`` when the settings cannot train, or the cases do not serve this network.
  package init(trainer: Trainer, settings: TrainingSettings, cases: TrainingCases) throws(InputError) {
    try settings.validated()
    try cases.check(for: trainer.graph, cropSize: settings.cropSize)
    try settings.options.loss.validated(for: trainer.graph.graph, subject: "--loss")
    let voxels = checkedProduct(settings.cropSize.voxelCount, settings.batchSize)
    try AvailableMemory.require(
      voxels.map { Int(saturating: Double($0) * trainer.graph.trainingBytesPerVoxel) }, subject: "training",
      "an iteration of \(settings.batchSize) crops of \(settings.cropSize) voxels")
    let readsWholeImage = trainer.graph.receptiveField(ofHeads: [0]).map { $0.extent == nil } ?? false
    let crop = settings.cropSize
    tiling = readsWholeImage ? PatchTiling(extent: Extent3(crop.k, crop.j, crop.i)) : nil
    try tiling?.validated(for: trainer.graph, subject: "training")
    if let largest = cases.validation.map(\.size).max(by: { $0.voxelCount < $1.voxelCount }) {
      try AvailableMemory.require(
        Self.validationByteCount(largest, tiling, trainer.graph), subject: "training",
        "validating on a case of \(largest) voxels")
    }
    self.trainer = trainer
    self.settings = settings
    self.cases = cases
    sampler = CropSampler(
      size: settings.cropSize, spacing: cases.spacing, augmentation: settings.augmentation)
    classCount = trainer.graph.classCount
  }

  /// Bytes for the logits of a whole case: the network's activations, the case's images twice, and its logits twice.
  private static func validationByteCount(_ size: GridSize, _ tiling: PatchTiling?, _ graph: ResolvedGraph)
    -> Int?
  {
    guard
      let own = checkedProduct(
        size.voxelCount, 2 * graph.graph.inputChannels + 2 * graph.classCount, MemoryLayout<Float>.stride)
    else { return nil }
    let voxelCount = tiling?.extent.product ?? size.voxelCount
    let activations = Int(saturating: Double(voxelCount) * graph.trainingBytesPerVoxel)
    return own + min(activations, Network.memoryLimit)
  }

  /// The callbacks of a run, which are called on the training thread.
  package struct Observer {
    /// A record is complete.
    package var record: (TrainingRecord) throws -> Void
    /// A validation is complete and the run may be stored; `isBest` where it is the best one.
    package var checkpoint: (TrainingRun, _ isBest: Bool) throws -> Void

    package init(
      record: @escaping (TrainingRecord) throws -> Void,
      checkpoint: @escaping (TrainingRun, Bool) throws -> Void
    ) {
      self.record = record
      self.checkpoint = checkpoint
    }
  }

  /// Trains until the last iteration, or until validation stops improving.
  ///
  /// When it throws, the run is in its state after the last complete iteration or validation, and may be stored.
  /// - Throws: ``InputError`` when the loss is no longer finite; ``Cancelled``; the errors of `observer`.
  package mutating func run(recordInterval: Int = 10, work: WorkContext, observer: Observer) throws {
    let start = ContinuousClock.now
    let first = trainer.iteration
    func averages(_ run: TrainingRun) -> TrainingRecord {
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      let done = run.trainer.iteration
      return TrainingRecord(
        run.progress.unrecordedIterations, iteration: done, of: settings.iterations, elapsedSeconds: elapsed,
        remainingSeconds: elapsed / Double(max(done - first, 1)) * Double(settings.iterations - done))
    }
    while true {
      if isValidationDue {
        let metrics = try validationMetrics(work: work.withoutProgress)
        var record = averages(self)
        record.validationDice = metrics.meanDice
        progress.loss = record.loss
        let isBest = self.record(metrics)
        try observer.record(record)
        try observer.checkpoint(self, isBest)
      }
      if trainer.iteration >= settings.iterations || hasStoppedImproving { return }
      try step(work: work)
      work.report(Double(trainer.iteration) / Double(settings.iterations))
      if trainer.iteration % recordInterval == 0, !isValidationDue {
        let record = averages(self)
        progress.loss = record.loss
        progress.unrecordedIterations = []
        try observer.record(record)
      }
    }
  }

  /// Restores the state of a checkpoint beside the trainer.
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
      progress.unrecordedIterations.append(.init(try trainer.step(batch, work: work.withoutProgress)))
    } catch {
      // A resumed run draws the same crops again.
      trainer.generator = generator
      throw error
    }
  }

  private mutating func record(_ metrics: ValidationMetrics) -> Bool {
    progress.validatedIteration = trainer.iteration
    progress.unrecordedIterations = []
    guard !metrics.cases.isEmpty else {
      bestParameters = trainer.evaluationParameters
      return true
    }
    if let best = progress.best, best.metrics.overallDice >= metrics.overallDice { return false }
    progress.best = TrainingProgress.Best(iteration: trainer.iteration, metrics: metrics)
    bestParameters = trainer.evaluationParameters
    return true
  }

  private mutating func nextBatch(work: WorkContext) throws(Cancelled) -> TrainingBatch {
    let size = settings.cropSize
    let channelCount = trainer.graph.graph.inputChannels
    var intensities: [Float] = []
    var labels: [UInt8] = []
    intensities.reserveCapacity(settings.batchSize * channelCount * size.voxelCount)
    labels.reserveCapacity(settings.batchSize * size.voxelCount)
    var generator = trainer.generator
    for _ in 0..<settings.batchSize {
      let isGenerated =
        cases.training.isEmpty
        || (!cases.generated.isEmpty && generator.uniform() < settings.generatedFraction)
      let pool = isGenerated ? cases.generated : cases.training
      let example = pool[generator.index(below: pool.count)]
      let crop = try sampler.crop(of: example, using: &generator, work: work)
      intensities += crop.intensities
      labels += crop.classes
    }
    trainer.generator = generator
    let input = Tensor(
      shape: [settings.batchSize, channelCount, size.k, size.j, size.i], elements: intensities)
    return TrainingBatch(input: input, labels: labels)
  }

  /// Dice of each foreground class of each validation case, on the working grid, without post-processing.
  private func validationMetrics(work: WorkContext) throws -> ValidationMetrics {
    guard !cases.validation.isEmpty else { return ValidationMetrics(cases: []) }
    let network = try Network(
      graph: trainer.graph.graph, parameters: trainer.evaluationParameters, heads: [0])
    return ValidationMetrics(
      cases: try cases.validation.map { example in
        ValidationMetrics.Case(
          name: example.name,
          dice: classDice(
            logits: try logits(of: example, by: network, work: work)
              .classLogits(of: trainer.graph.graph.heads[0].activation), classes: example.classes))
      })
  }

  /// The logits of a whole case, as the trained model computes them.
  private func logits(of example: TrainingCase, by network: Network, work: WorkContext) throws -> Tensor {
    let size = example.size
    let image = Tensor(
      shape: [1, example.channelCount, size.k, size.j, size.i], elements: example.intensities)
    if let tiling {
      let plan = try PatchPlan(
        tiling, size: size, network: network, heads: [0], memoryLimit: Network.memoryLimit,
        subject: "training", work: work)
      return try PatchRun(plan: plan, network: network).logits(of: image, work: work)
    }
    let receptiveField = trainer.graph.receptiveField(ofHeads: [0])
    let padded = image.padded(to: receptiveField?.rounded(image.extent) ?? image.extent)
    return try network.logits(of: padded, heads: [0], work: work)[0]
      .cropped(to: TileBox(d: 0..<size.k, h: 0..<size.j, w: 0..<size.i))
  }

  /// Dice of each foreground class; for a class that the case lacks 1 where no voxel has it, else 0.
  private func classDice(logits: Tensor, classes: [UInt8]) -> [Double] {
    var found = [Int](repeating: 0, count: classCount)
    var trueCounts = found
    var common = found
    for voxel in 0..<classes.count where Int(classes[voxel]) < classCount {
      var best = 0
      for index in 1..<classCount
      where logits.elements[index * classes.count + voxel] > logits.elements[best * classes.count + voxel] {
        best = index
      }
      let truth = Int(classes[voxel])
      found[best] += 1
      trueCounts[truth] += 1
      if truth == best { common[best] += 1 }
    }
    return (1..<classCount).map { diceCoefficient(found[$0], trueCounts[$0], common: common[$0]) }
  }
}
