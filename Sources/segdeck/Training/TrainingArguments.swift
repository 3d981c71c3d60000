import ArgumentParser
import Networks
import Segmentation
import Volumes
import Work

/// The options of a training; a missing option leaves the setting of the run unchanged.
struct TrainingArguments: ParsableArguments {
  @Option(name: .long, help: "Crop size XxYxZ on the working grid; by default from image sizes and memory.")
  var crop: String?

  @Option(
    name: .long, help: "Crops per iteration (batch size); by default 2, or more where crops are small.",
    transform: OptionParsing.wholeNumber)
  var batch: Int?

  @Option(
    name: .long, help: "Iterations (optimiser steps). (default: 2000)", transform: OptionParsing.wholeNumber)
  var iterations: Int?

  @Option(name: .long, help: "Learning rate at the start. (default: 0.05)", transform: OptionParsing.number)
  var learningRate: Double?

  @Option(
    name: .long, help: "constant, steps (a tenth at each third), poly, or cosine. (default: poly)")
  var schedule: String?

  @Option(name: .long, help: "Weight decay. (default: 5e-4)", transform: OptionParsing.number)
  var weightDecay: Double?

  @Option(
    name: .long,
    help: "Gradient clipping: the largest norm of the gradient over all weights; 0 for none. (default: 5)",
    transform: OptionParsing.number)
  var gradientLimit: Double?

  @Option(
    name: .long,
    help: "Class weights of the loss, background first, separated by commas; by default equal unless rare.")
  var classWeights: String?

  @Option(
    name: .long,
    help: "Weight of the soft Dice loss beside the cross-entropy; the paper has none. (default: 0)",
    transform: OptionParsing.number)
  var diceWeight: Double?

  @Option(
    name: .long,
    help:
      "Decay of the exponential moving average of the weights (EMA), 0.999 for example; 0 for none. (default: 0)",
    transform: OptionParsing.number)
  var averageDecay: Double?

  @Option(name: .long, help: "Seed of all random numbers. (default: 1)", transform: OptionParsing.wholeNumber)
  var seed: UInt64?

  @Option(
    name: .long, help: "Iterations between validations. (default: 100)", transform: OptionParsing.wholeNumber)
  var validateEvery: Int?

  @Option(
    name: .long, help: "Stop after this many validations without improvement; 0 never. (default: 0)",
    transform: OptionParsing.wholeNumber)
  var patience: Int?

  @Option(
    name: .customLong("generated-share"), help: "Fraction of crops cut from generated cases. (default: 0.25)",
    transform: OptionParsing.number)
  var generatedFraction: Double?

  @Flag(name: .long, help: "No augmentation: no rotation, scaling, deformation or change of intensity.")
  var withoutAugmentation = false

  @Flag(
    name: .long,
    help:
      "Mirror crops left to right and rotate them by multiples of 90 degrees, as the paper's training does.")
  var paperAugmentation = false

  /// `base` changed by the options.
  /// - Throws: ``InputError`` about an invalid option.
  func settings(over base: TrainingSettings) throws(InputError) -> TrainingSettings {
    var settings = base
    if let crop { settings.cropSize = try OptionParsing.gridSize(crop, option: "--crop") }
    settings.batchSize = batch ?? base.batchSize
    settings.iterations = iterations ?? base.iterations
    settings.validationInterval = validateEvery ?? base.validationInterval
    settings.patience = patience ?? base.patience
    settings.seed = seed ?? base.seed
    settings.generatedFraction = generatedFraction ?? base.generatedFraction
    if withoutAugmentation { settings.augmentation = .none }
    if paperAugmentation {
      settings.augmentation.quarterTurns = true
      settings.augmentation.mirroredAxes = [0]
    }
    if let weightDecay { settings.options.weightDecay = weightDecay }
    if let gradientLimit, !(gradientLimit >= 0) {
      throw InputError(
        "--gradient-limit", "is not a length", found: "\(gradientLimit)", expected: "0 or more")
    }
    if let gradientLimit { settings.options.gradientNormClip = gradientLimit > 0 ? gradientLimit : nil }
    if let diceWeight { settings.options.overlapWeight = diceWeight != 0 ? diceWeight : nil }
    if let averageDecay { settings.options.emaDecay = averageDecay != 0 ? averageDecay : nil }
    if let classWeights {
      settings.options.classWeights = try OptionParsing.numbers(
        classWeights, option: "--class-weights", as: Float.self)
    }
    if schedule != nil || learningRate != nil || iterations != nil {
      settings.options.schedule = try parsedSchedule(
        base.options.schedule.rate(at: 0), iterations: settings.iterations, base.options.schedule)
    }
    if iterations != nil { settings.options.auxiliaryInterval = max(1, settings.iterations / 20) }
    return settings
  }

  /// The learning rate schedule of the options; of the same kind as `base` where `--schedule` is missing.
  private func parsedSchedule(
    _ baseRate: Double, iterations: Int, _ base: LearningRateSchedule
  ) throws(InputError) -> LearningRateSchedule {
    var (kind, rate) = ("poly", baseRate)
    switch base {
    case .constant(let own): (kind, rate) = ("constant", own)
    case .steps(let own, _, _): (kind, rate) = ("steps", own)
    case .polynomial(let own, _, _): (kind, rate) = ("poly", own)
    case .warmUpCosine(let own, _, _): (kind, rate) = ("cosine", own)
    }
    rate = learningRate ?? rate
    switch schedule ?? kind {
    case "constant": return .constant(rate: rate)
    case "steps": return .steps(rate: rate, interval: max(1, iterations / 3))
    case "poly": return .polynomial(rate: rate, iterations: iterations)
    case "cosine":
      return .warmUpCosine(rate: rate, warmUp: max(1, iterations / 20), iterations: iterations)
    case let other:
      throw InputError(
        "--schedule", "unknown", found: other, expected: "constant, steps, poly or cosine")
    }
  }

  /// The default settings of a new run.
  static var startingPoint: TrainingSettings {
    var settings = TrainingSettings()
    settings.options = TrainingOptions(
      schedule: .polynomial(rate: 0.05, iterations: settings.iterations),
      ignoredLabel: TrainingCase.ignoredClass, auxiliaryInterval: settings.iterations / 20,
      gradientNormClip: 5
    )
    return settings
  }
}

extension TrainingSettings {
  /// Refuses settings that differ from those of the stored run.
  /// - Throws: ``InputError`` about the first option that differs.
  func requireSame(as stored: TrainingSettings) throws(InputError) {
    func same<Value: Equatable>(
      _ option: String, _ value: (TrainingSettings) -> Value
    ) throws(InputError) {
      guard value(self) != value(stored) else { return }
      throw InputError(
        option, "--resume continues with the settings of its checkpoint", found: "\(value(self))",
        expected: "\(value(stored)), or no option")
    }
    try same("--crop") { $0.cropSize }
    try same("--batch") { $0.batchSize }
    try same("--iterations") { $0.iterations }
    try same("--learning-rate") { $0.options.schedule.rate(at: 0) }
    try same("--schedule") { $0.options.schedule }
    try same("--weight-decay") { $0.options.weightDecay }
    try same("--gradient-limit") { $0.options.gradientNormClip ?? 0 }
    try same("--class-weights") { $0.options.classWeights ?? [] }
    try same("--dice-weight") { $0.options.overlapWeight ?? 0 }
    try same("--average-decay") { $0.options.emaDecay ?? 0 }
    try same("--seed") { $0.seed }
    try same("--validate-every") { $0.validationInterval }
    try same("--patience") { $0.patience }
    try same("--generated-share") { $0.generatedFraction }
    try same("--without-augmentation and --paper-augmentation") { $0.augmentation }
    try same("training options") { $0.options }
  }
}
