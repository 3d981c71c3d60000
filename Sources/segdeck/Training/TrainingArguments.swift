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

  @Option(
    name: .long,
    help: """
      sgd(momentum=0.9), nesterov(momentum=0.9), adam(beta1=0.9,beta2=0.999,epsilon=1e-8), adamw, or \
      rmsprop(alpha=0.99,epsilon=1e-8,momentum=0); numbers may be left out. (default: sgd)
      """)
  var optimiser: String?

  @Option(
    name: .long,
    help: "Learning rate at the start. (default: 0.05; 0.001 for adam, adamw and rmsprop)",
    transform: OptionParsing.number)
  var learningRate: Double?

  @Option(
    name: .long,
    help: """
      constant, steps(every=N,factor=0.1) with N a third of the iterations, poly(power=0.9), or cosine(warmup=N) with \
      N a twentieth; numbers may be left out. (default: poly)
      """)
  var schedule: String?

  @Option(
    name: .long,
    help: "Layers that are not trained, separated by commas; * stands for any characters: \"conv1*,bn1*\".")
  var freeze: String?

  @Option(
    name: .long,
    help: "Factors of the learning rate of layers, separated by commas: \"score*=10,conv1*=0.1\".")
  var layerRate: String?

  @Option(name: .long, help: "Weight decay. (default: 5e-4)", transform: OptionParsing.number)
  var weightDecay: Double?

  @Option(
    name: .long,
    help: "Gradient clipping: the largest norm of the gradient over all weights; 0 for none. (default: 5)",
    transform: OptionParsing.number)
  var gradientLimit: Double?

  @Option(
    name: .long,
    help: """
      Class weights of the loss, background first, separated by commas; or inverse, or effective(beta=0.9999), from the \
      classes' voxels. By default equal unless rare.
      """)
  var classWeights: String?

  @Option(
    name: .long,
    help: """
      Sum of cross-entropy, balanced-cross-entropy(beta=1), focal(gamma=2), dice, tversky(alpha=0.3,beta=0.7) and \
      cosine, with weights: "focal + 0.5*dice"; numbers may be left out. (default: cross-entropy)
      """)
  var loss: String?

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

  /// The crop size of the option; nil without it.
  /// - Throws: ``InputError`` when it is no size.
  func cropSize() throws(InputError) -> GridSize? {
    try crop.map { text throws(InputError) in try OptionParsing.gridSize(text, option: "--crop") }
  }

  /// `base` changed by the options.
  /// - Throws: ``InputError`` about an invalid option.
  /// - Parameters:
  ///   - graph: The network, whose layers the options name.
  ///   - leftRightAxis: The axis of the working grid across sagittal slices.
  func settings(
    over base: TrainingSettings, for graph: ResolvedGraph, leftRightAxis: Int
  ) throws(InputError) -> TrainingSettings {
    var settings = base
    settings.cropSize = try cropSize() ?? base.cropSize
    settings.batchSize = batch ?? base.batchSize
    settings.iterations = iterations ?? base.iterations
    settings.validationInterval = validateEvery ?? base.validationInterval
    settings.patience = patience ?? base.patience
    settings.seed = seed ?? base.seed
    settings.generatedFraction = generatedFraction ?? base.generatedFraction
    if withoutAugmentation { settings.augmentation = .none }
    if paperAugmentation {
      settings.augmentation.quarterTurns = true
      settings.augmentation.mirroredAxes = [leftRightAxis]
    }
    if let weightDecay { settings.options.weightDecay = weightDecay }
    if let gradientLimit, !(gradientLimit >= 0) {
      throw InputError(
        "--gradient-limit", "is not a length", found: "\(gradientLimit)", expected: "0 or more")
    }
    if let gradientLimit { settings.options.gradientNormClip = gradientLimit > 0 ? gradientLimit : nil }
    if let loss { settings.options.loss = try Loss(loss, option: "--loss") }
    if let diceWeight {
      guard diceWeight >= 0 else {
        throw InputError("--dice-weight", "is not a weight", found: "\(diceWeight)", expected: "0 or more")
      }
      settings.options.loss.diceWeight = diceWeight
    }
    if let averageDecay { settings.options.emaDecay = averageDecay != 0 ? averageDecay : nil }
    if let classWeights, try classBalance == nil {
      settings.options.classWeights = try OptionParsing.numbers(
        classWeights, option: "--class-weights", as: Float.self)
    }
    if let freeze { settings.options.frozenLayers = try frozenLayers(freeze, of: graph) }
    if let layerRate { settings.options.rateMultipliers = try rateMultipliers(layerRate, of: graph) }
    if let optimiser { settings.options.optimiser = try Optimiser(optimiser, option: "--optimiser") }
    // A rate for momentum is far too large for optimisers that divide by the size of the gradients.
    let becomesAdaptive = settings.options.optimiser.isAdaptive && !base.options.optimiser.isAdaptive
    let rate = learningRate ?? (becomesAdaptive ? 0.001 : base.options.schedule.initialRate)
    settings.options.schedule =
      try schedule.map { text throws(InputError) in
        try LearningRateSchedule(text, rate: rate, iterations: settings.iterations, option: "--schedule")
      } ?? base.options.schedule.with(rate: rate, iterations: settings.iterations)
    if iterations != nil { settings.options.auxiliaryInterval = max(1, settings.iterations / 20) }
    return settings
  }

  /// The balance of classes that `--class-weights` names; nil where it is a list of numbers, or missing.
  var classBalance: ClassBalance? {
    get throws(InputError) {
      guard let classWeights else { return nil }
      return try ClassBalance(classWeights, option: "--class-weights")
    }
  }

  /// The layers of `--freeze`.
  /// - Throws: ``InputError`` where a part of `text` names no layer, or no layer is left to train.
  private func frozenLayers(_ text: String, of graph: ResolvedGraph) throws(InputError) -> Set<String> {
    var layers: Set<String> = []
    for pattern in text.split(separator: ",", omittingEmptySubsequences: false) {
      layers.formUnion(try graph.trainedLayers(matching: String(pattern), option: "--freeze"))
    }
    guard try layers != graph.trainedLayers(matching: "*", option: "--freeze") else {
      throw InputError("--freeze", "leaves nothing to train", found: text, expected: "fewer layers")
    }
    return layers
  }

  /// The factors of `--layer-rate` by tensor name; of several for one layer the last one counts.
  private func rateMultipliers(_ text: String, of graph: ResolvedGraph) throws(InputError) -> [String: Double]
  {
    var multipliers: [String: Double] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, let factor = Double(sides[1]), factor > 0, factor <= 1e6 else {
        throw InputError(
          "--layer-rate", "is not a factor of layers", found: String(part),
          expected: "LAYERS=FACTOR with a factor above 0, at most 1e6")
      }
      let layers = try graph.trainedLayers(matching: String(sides[0]), option: "--layer-rate")
      for tensor in graph.trainedTensors(of: layers) { multipliers[tensor] = factor }
    }
    return multipliers
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
    try same("--optimiser") { $0.options.optimiser.setting }
    try same("--learning-rate") { $0.options.schedule.initialRate }
    try same("--schedule") { $0.options.schedule }
    try same("--weight-decay") { $0.options.weightDecay }
    try same("--gradient-limit") { $0.options.gradientNormClip ?? 0 }
    try same("--class-weights") { $0.options.classWeights ?? [] }
    try same("--loss") { $0.options.loss }
    try same("--freeze") { $0.options.frozenLayers.sorted() }
    try same("--layer-rate") { $0.options.rateMultipliers }
    try same("--average-decay") { $0.options.emaDecay ?? 0 }
    try same("--seed") { $0.seed }
    try same("--validate-every") { $0.validationInterval }
    try same("--patience") { $0.patience }
    try same("--generated-share") { $0.generatedFraction }
    try same("--without-augmentation and --paper-augmentation") { $0.augmentation }
    try same("training options") { $0.options }
  }
}
