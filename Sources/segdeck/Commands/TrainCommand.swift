import ArgumentParser
import Foundation
import Networks
import Segmentation
import Volumes
import Work

/// `segdeck train`: a network from labelled cases, with deep supervision.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network with deep supervision on labelled cases.",
    discussion: """
      Cases are split by name: those of --validation, or every fifth, only measure. The model with the best mean \
      Dice on them is written. Losses go to --log as one JSON object per line. With --checkpoints, a run that was \
      stopped goes on with --resume exactly as if it had not been.
      """)

  @Option(name: .long, help: "liver, heart, or a file with a layer graph as JSON.")
  var network: String

  @OptionGroup var folders: TrainingFolders

  @Option(name: .shortAndLong, help: "Model file to write.")
  var output: String

  @Flag(name: .long, help: "Replace an existing model file.")
  var force = false

  @Option(name: .long, help: "Voxel size of the working grid in mm, one number or three.")
  var spacing = "3"

  @Option(
    name: .long, help: "Intensities LOWER,UPPER become 0...1; without it, a standard score of voxels above 0."
  )
  var window: String?

  @Option(name: .long, help: "Names of validation cases, separated by commas; none for no validation.")
  var validation: String?

  @Option(name: .long, help: "Crop size XxYxZ on the working grid.")
  var crop = "96x96x64"

  @Option(name: .long, help: "Crops per step.")
  var batch = 2

  @Option(name: .long, help: "Steps.")
  var iterations = 2000

  @Option(name: .long, help: "Learning rate at the start.")
  var learningRate = 0.05

  @Option(name: .long, help: "constant, steps (a tenth at each third), poly, or cosine.")
  var schedule = "poly"

  @Option(name: .long, help: "Weight decay.")
  var weightDecay = 5e-4

  @Option(name: .long, help: "Longest gradient; longer ones are shortened.")
  var gradientLimit = 5.0

  @Option(name: .long, help: "Class weights of the loss, background first, separated by commas.")
  var classWeights: String?

  @Option(name: .long, help: "Weight of the soft Dice loss beside the cross-entropy; the paper has none.")
  var diceWeight = 0.0

  @Option(
    name: .long, help: "Share that a running average of the weights keeps at each step (0.999); 0 for none.")
  var averageDecay = 0.0

  @Option(name: .long, help: "Seed of everything random.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "Steps between validations.")
  var validateEvery = 100

  @Option(name: .long, help: "Stop after this many validations without improvement; 0 never.")
  var patience = 0

  @Option(name: .long, help: "Also train on this many generated abdominal CT cases.")
  var generatedCases = 0

  @Option(name: .long, help: "Share of crops cut from generated cases.")
  var generatedShare = 0.25

  @Flag(name: .long, help: "Only the main head's loss counts.")
  var withoutDeepSupervision = false

  @Flag(name: .long, help: "The liver network without batch normalisation, as the paper describes it.")
  var withoutBatchNormalisation = false

  @Flag(name: .long, help: "Crops as they are: no rotation, scaling, bending or change of intensity.")
  var withoutAugmentation = false

  @Flag(
    name: .long, help: "Mirror crops left to right and turn them by quarters, as the paper's training does.")
  var paperAugmentation = false

  @Option(name: .long, help: "Start from the weights of this model.")
  var initial: String?

  @Option(name: .long, help: "CRF settings (JSON) that the model recommends.", completion: .file())
  var preset: String?

  @Option(name: .long, help: "Folder for checkpoints: last.safetensors and best.safetensors.")
  var checkpoints: String?

  @Flag(name: .long, help: "Go on from last.safetensors in --checkpoints.")
  var resume = false

  @Option(name: .long, help: "Append the losses to this file, one JSON object per line.")
  var log: String?

  @OptionGroup var threads: CommandWork

  func run() throws {
    keepFreedMemory()
    let place = try OutputPlace(output, isForced: force || resume, inputs: [])
    let settings = try trainingSettings()
    try settings.validated()
    let preprocessing = try trainingPreprocessing()
    let refinement = try preset.map { try RefinementPreset.read($0) } ?? RefinementSettings()
    let sources = try folders.sources()
    let cases = try readCases(sources, preprocessing)
    let structures = sources[0].selections
    var run = try startedRun(settings, cases, classCount: structures.count + 1)
    let store = TrainingStore(
      run: settings, preprocessing: preprocessing, refinement: refinement, structures: structures,
      caseNames: caseNames(cases),
      checkpoints: checkpoints, logPath: log)
    if resume { try store.restoreBest(of: &run) }
    let line = ProgressLine("training")
    let work = threads.context("").silent
    do {
      try run.run(
        work: work,
        observer: TrainingRun.Observer(
          record: { record in
            try store.append(record)
            line.show(Double(record.iteration) / Double(record.iterations), store.summary(of: record))
          }, checkpoint: { run, isBest in try store.write(run, isBest: isBest) }))
    } catch let cancelled as Cancelled {
      try store.write(run, isBest: false)
      throw cancelled
    }
    try store.model(of: run, name: (output as NSString).lastPathComponent).write(to: place.path)
    print(
      "\(place.path): "
        + (run.best.map { "validation Dice \(Text.decimals($0.dice, 4)) after step \($0.iteration)" }
          ?? "trained"))
  }

  private func trainingSettings() throws -> TrainingSettings {
    var settings = TrainingSettings()
    settings.cropSize = try Text.gridSize(crop, option: "--crop")
    settings.batchSize = batch
    settings.iterations = iterations
    settings.validationInterval = validateEvery
    settings.patience = patience
    settings.seed = seed
    settings.generatedShare = generatedShare
    if withoutAugmentation { settings.augmentation = .none }
    if paperAugmentation {
      settings.augmentation.quarterTurns = true
      settings.augmentation.mirroredAxes = [0]
    }
    let rates: LearningRateSchedule =
      switch schedule {
      case "constant": .constant(rate: learningRate)
      case "steps": .steps(rate: learningRate, interval: max(1, iterations / 3))
      case "poly": .polynomial(rate: learningRate, iterations: iterations)
      case "cosine":
        .warmUpCosine(rate: learningRate, warmUp: max(1, iterations / 20), iterations: iterations)
      default:
        throw InputError(
          "--schedule", "unknown", found: schedule, expected: "constant, steps, poly or cosine")
      }
    settings.options = TrainingOptions(
      schedule: rates, weightDecay: weightDecay,
      classWeights: try classWeights.map { try Text.numbers($0, option: "--class-weights").map(Float.init) },
      ignoredLabel: TrainingCase.ignoredClass, auxiliaryInterval: max(1, iterations / 20),
      longestGradient: gradientLimit > 0 ? gradientLimit : nil,
      overlapWeight: diceWeight != 0 ? diceWeight : nil, averageDecay: averageDecay != 0 ? averageDecay : nil)
    return settings
  }

  private func trainingPreprocessing() throws -> Preprocessing {
    let size = try Text.lengths(spacing, option: "--spacing")
    guard let window else { return Preprocessing(spacingMillimetres: size, normalisation: .standardScore) }
    let ends = try Text.numbers(window, option: "--window")
    guard ends.count == 2, ends[0] < ends[1] else {
      throw InputError("--window", "intensities", found: window, expected: "LOWER,UPPER")
    }
    return Preprocessing(
      spacingMillimetres: size, normalisation: .window(lower: Float(ends[0]), upper: Float(ends[1])))
  }

  private func readCases(
    _ sources: [TrainingFolders.Source], _ preprocessing: Preprocessing
  ) throws -> TrainingCases {
    let names = Set(sources.map(\.pair.name))
    let chosen: Set<String>
    if let validation {
      chosen = validation == "none" ? [] : Set(validation.split(separator: ",").map(String.init))
      if let unknown = chosen.subtracting(names).sorted().first {
        throw InputError("--validation", "no case has this name", found: unknown)
      }
    } else {
      chosen = Set(sources.enumerated().filter { $0.offset % 5 == 4 }.map(\.element.pair.name))
    }
    let work = threads.context("reading cases")
    var cases = TrainingCases(training: [], validation: [])
    for (index, source) in sources.enumerated() {
      let example = try source.trainingCase(preprocessing, work: work)
      if chosen.contains(source.pair.name) {
        cases.validation.append(example)
      } else {
        cases.training.append(example)
      }
      work.report(Double(index + 1) / Double(sources.count + generatedCases))
    }
    for number in 0..<max(0, generatedCases) {
      cases.generated.append(
        try GeneratedCases.abdomen(
          number: number, selections: sources[0].selections, preprocessing: preprocessing, work: work.silent))
      work.report(Double(sources.count + number + 1) / Double(sources.count + generatedCases))
    }
    return cases
  }

  private func startedRun(
    _ settings: TrainingSettings, _ cases: TrainingCases, classCount: Int
  ) throws -> TrainingRun {
    if resume {
      guard let checkpoints else { throw InputError("--resume", "needs --checkpoints") }
      let stored = try Checkpoint.read(path: checkpoints + "/last.safetensors")
      return try TrainingRun(trainer: stored.trainer, settings: settings, cases: cases)
    }
    var graph: NetworkGraph
    switch network {
    case "liver":
      graph = .liver(classes: classCount, hasBatchNormalisation: !withoutBatchNormalisation)
    case "heart": graph = .heart(classes: classCount)
    default:
      guard let data = FileManager.default.contents(atPath: network) else {
        throw InputError(
          network, "no such network or file", expected: "liver, heart or a layer graph as JSON")
      }
      graph = try NetworkGraph(json: String(decoding: data, as: UTF8.self), subject: network)
    }
    if withoutDeepSupervision {
      for index in graph.heads.indices.dropFirst() { graph.heads[index].lossWeight = 0 }
    }
    let found = try graph.resolved(subject: network).classCount
    guard found == classCount else {
      throw InputError(
        network, "classes", found: "\(found)", expected: "\(classCount): background and each --label")
    }
    let parameters = try initial.map { try SegmentationModel(path: $0).parameters }
    let trainer = try Trainer(
      graph: graph, parameters: parameters, options: settings.options, seed: settings.seed)
    return try TrainingRun(trainer: trainer, settings: settings, cases: cases)
  }

  private func caseNames(_ cases: TrainingCases) -> [String: [String]] {
    ["training": cases.training.map(\.name), "validation": cases.validation.map(\.name)]
  }
}
