import ArgumentParser
import Foundation
import Networks
import Segmentation
import Volumes
import Work

/// `segdeck train`: trains a network with deep supervision on labelled cases.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network with deep supervision on labelled cases.",
    discussion: """
      Two folders are enough: what is not named is found from the data, printed with its reason, and kept in the \
      model. Cases are split by name: those of --validation, or every fifth, only measure. The weights with the best \
      mean Dice on them are written. While it runs, a terminal shows the curves; losses go to --log as one JSON object \
      per line, which `segdeck curves` draws. With --checkpoints, a stopped run resumes with --resume exactly \
      as if it had not been.
      """)

  @OptionGroup var folders: TrainingFolders

  @Option(
    name: .long,
    help:
      """
      liver, heart, half-heart, small-heart, auto (a U-Net that follows from spacing, crop and memory), or a file with a \
      layer graph as JSON; by default from the cases' size.
      """
  )
  var network: String?

  @Option(
    name: .long,
    help: "Channels of the first stage of --network auto; by default 32, or fewer where memory is short.",
    transform: OptionParsing.wholeNumber)
  var channels: Int?

  @Option(
    name: .long,
    help: """
      Plane of the slices of a 2D network: axial, coronal or sagittal. Without --network, the network is auto, a 2D \
      U-Net.
      """)
  var plane: String?

  @Option(name: .shortAndLong, help: "Model file to write, NAME.safetensors.")
  var output: String

  @Flag(name: .long, help: "Replace an existing model file, log and checkpoints.")
  var force = false

  @Option(name: .long, help: "How weights are stored: f32, f16 or bf16.")
  var weights = "f32"

  @Option(
    name: .long,
    help: "Voxel size of the working grid in mm, one number or three; by default from the images.")
  var spacing: String?

  @Option(
    name: .long,
    help: """
      Intensities LOWER,UPPER become 0...1; "score" for a standard score of voxels above 0; by default a window for \
      images in Hounsfield units. Once for all channels, or once for each.
      """)
  var window: [String] = []

  @Option(name: .long, help: "Names of validation cases, separated by commas; none for no validation.")
  var validation: String?

  @OptionGroup var arguments: TrainingArguments

  @Option(
    name: .long, help: "Also train on this many generated abdominal CT cases.",
    transform: OptionParsing.wholeNumber)
  var generatedCases: Int?

  @Flag(name: .long, help: "Only the main head's loss counts.")
  var withoutDeepSupervision = false

  @Flag(name: .long, help: "The liver network without batch normalisation, as the paper describes it.")
  var withoutBatchNormalisation = false

  @Option(name: .long, help: "Start from the weights of this model.")
  var initial: String?

  @Option(name: .long, help: "CRF settings (JSON) that the model recommends.", completion: .file())
  var preset: String?

  @OptionGroup var card: ModelCardArguments

  @Option(name: .long, help: "Folder for checkpoints: last.safetensors and best.safetensors.")
  var checkpoints: String?

  @Flag(name: .long, help: "Resume from last.safetensors in --checkpoints.")
  var resume = false

  @Option(name: .long, help: "Append the losses to NAME.jsonl, one JSON object per line.")
  var log: String?

  @Flag(
    name: .long,
    help:
      "Do not list cases without any structure, which train as negatives; a structure may be missing from all cases."
  )
  var allowEmpty = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    keepFreedMemory()
    if let channels {
      guard network == NetworkLibrary.planned || (network == nil && plane != nil) else {
        throw InputError("--channels", "is for --network \(NetworkLibrary.planned)", found: network)
      }
      try UNetPlan.check(channels: channels, subject: "--channels")
    }
    let outputPath = try OutputPath(output, kind: .model, isForced: force || resume)
    let format = try ElementFormat(option: weights)
    let logPath = try log.map { try OutputPath($0, kind: .log, isForced: true) }
    let checkpointPaths = try checkpointPaths()
    defer { withExtendedLifetime((outputPath, logPath, checkpointPaths)) {} }
    let log = TrainingLog(path: log)
    let stored = try storedRun()
    let records = try log.records(
      upToIteration: stored?.trainer.iteration ?? 0, mayReplace: force,
      remainder: resume ? arguments.validateEvery ?? TrainingSettings().validationInterval : 0)
    let refinement = try preset.map { try RefinementPreset.read($0) } ?? RefinementSettings()
    let sources = try folders.sources(work: threads.context("reading labels")) { try $0.structures() }
    var setup = TrainingSetup(
      sources, plane: try slicePlane(), work: threads.context("looking at images"))
    if folders.label.isEmpty {
      setup.note(
        "structures", sources[0].selections.map(\.description).joined(separator: " "), "all values that occur"
      )
    }
    // Before anything is trained.
    let labels = try stored?.labels ?? sources[0].modelLabels()
    var run = try startedRun(sources, stored, &setup)
    let store = TrainingStore(
      settings: run.run.settings, preprocessing: run.preprocessing, refinement: refinement,
      labels: labels, selections: sources.selections, caseNames: run.caseNames,
      initialChecksum: run.initialChecksum, card: try described(stored?.card, setup.choices),
      checkpoints: checkpoints)
    // Locked until the end, because two trainings must not write the same files.
    if let checkpoints { try TrainingStore.makeFolder(checkpoints) }
    let written = (checkpoints.map(TrainingStore.files) ?? []) + [self.log, output].compactMap(\.self)
    let locks = try written.map { path throws(InputError) in try FileLock(path, owner: "training") }
    defer { withExtendedLifetime(locks) {} }
    try log.begin(with: records)
    FindingNotes.print()
    for line in setup.choices where stored == nil { Console.message(line) }
    let monitor = TrainingMonitor(heads: run.run.trainer.graph.graph.heads.map(\.name), records: records)
    let work = threads.context("").withoutProgress
    let checkpointWriter = BestEffortWriter("checkpoint")
    var isBestUnwritten = false
    do {
      try run.run.run(
        work: work,
        observer: TrainingRun.Observer(
          record: { record in
            log.append(record)
            monitor.show(record)
          },
          checkpoint: { run, isBest in
            isBestUnwritten = isBestUnwritten || isBest
            let isWritten = checkpointWriter.attempt { () throws(InputError) in
              try store.write(run, isBest: isBestUnwritten)
            }
            if isWritten { isBestUnwritten = false }
          }))
    } catch is Cancelled where checkpoints != nil {
      try store.write(run.run, isBest: isBestUnwritten)
      throw InputError(
        "training", "stopped after iteration \(run.run.trainer.iteration)",
        expected: "--resume to continue from \(checkpoints ?? "")")
    }
    try store.writeModel(of: run.run, to: outputPath.path, format: format)
    try Console.print("\(outputPath.path.printableLine): " + summary(of: run.run))
  }

  private func summary(of run: TrainingRun) -> String {
    guard let best = run.progress.best else {
      return "trained for \(counted(run.trainer.iteration, "iteration"))"
    }
    let stopped =
      run.trainer.iteration < run.settings.iterations
      ? "; stopped at iteration \(run.trainer.iteration), no better for \(run.settings.patience) validations"
      : ""
    return "validation Dice \(decimals(best.metrics.overallDice, 4)) after iteration \(best.iteration)"
      + stopped
  }

  /// The output paths of the checkpoints, where their folder exists already.
  private func checkpointPaths() throws(InputError) -> [OutputPath] {
    guard let checkpoints, FileSystem.exists(checkpoints) else { return [] }
    return try TrainingStore.files(in: checkpoints).map { path throws(InputError) in
      try OutputPath(path, kind: .model, isForced: true)
    }
  }

  private func storedRun() throws(InputError) -> TrainingStore.Stored? {
    guard resume else {
      // Checked before hours of work, not after them.
      if let checkpoints { try TrainingStore.refuseOther(in: checkpoints, mayReplace: force) }
      return nil
    }
    guard let checkpoints else {
      throw InputError("--resume", "needs --checkpoints", expected: "the folder of the run to resume")
    }
    guard TrainingStore.holdsRun(checkpoints) else {
      try TrainingStore.refuseOther(in: checkpoints, mayReplace: force)
      Console.note("\(checkpoints): holds no checkpoint yet; the training starts from the beginning")
      return nil
    }
    return try ReadFiles.withoutRegistering { () throws(InputError) in
      try TrainingStore.stored(in: checkpoints)
    }
  }

  private func described(_ stored: ModelCard?, _ choices: [String]) throws(InputError) -> ModelCard {
    var own = ModelCard()
    own.command = CommandLineText.current
    if !choices.isEmpty { own.choices = choices }
    if let generatedCases, generatedCases > 0 { own.generatedCases = generatedCases }
    if resume { own.command = stored?.command ?? own.command }
    return try card.card(over: (stored ?? ModelCard()).updated(with: own))
  }
}

extension TrainCommand {
  /// A run that is ready to start, with its preprocessing and cases.
  struct StartedRun {
    var run: TrainingRun
    let preprocessing: Preprocessing
    let caseNames: [String: [String]]
    /// SHA-256 of the file whose weights the run starts from, or started from; nil for random weights.
    let initialChecksum: String?
  }

  /// The stored run where there is one, which the options must not contradict; else a new run of the options.
  private func startedRun(
    _ sources: [TrainingFolders.Source], _ stored: TrainingStore.Stored?, _ setup: inout TrainingSetup
  ) throws -> StartedRun {
    let split =
      try stored.map { stored throws(InputError) in
        try CaseSplit(resuming: stored, option: validation, sources: sources)
      } ?? CaseSplit(validation, names: sources.map(\.pair.name), hasGenerated: (generatedCases ?? 0) > 0)
    var preprocessing = try resolvedPreprocessing(
      stored?.preprocessing, channelNames: sources[0].channelNames, &setup)
    let classCount = sources[0].selections.count + 1
    let graph =
      try stored?.trainer.graph
      ?? newGraph(classes: classCount, preprocessing, cropSize: arguments.cropSize(), &setup)
    if let stored { try requireSameNetwork(stored, classes: classCount) }
    let initialChecksum = try initial.map { path in
      try Checksum.sha256(ofFile: path, work: threads.context("reading weights"))
    }
    if let stored, let initialChecksum, initialChecksum != stored.description.initialChecksum {
      throw differing("--initial", initial ?? "")
    }
    if let plane, !graph.isPlanar {
      throw InputError(
        "--plane \(plane)", "is for 2D networks, and this one reads neighbouring slices",
        expected: "crops of one slice with --network auto, or a layer graph whose kernels have one plane")
    }
    var settings = try arguments.settings(
      over: stored?.description.settings ?? TrainingArguments.startingPoint, for: graph,
      leftRightAxis: preprocessing.parsedOrientation.sliceAxis(of: .sagittal))
    if let stored {
      try settings.requireSame(as: stored.description.settings)
    } else {
      settings = try setup.completed(
        settings, arguments: arguments, preprocessing: preprocessing, network: graph)
    }
    try settings.validated()
    if let weights = settings.options.classWeights, weights.count != classCount {
      throw InputError(
        "--class-weights", "one for each class, background first", found: "\(weights.count)",
        expected: "\(classCount)")
    }
    let generated = stored.map { $0.card?.generatedCases ?? 0 } ?? generatedCases ?? 0
    guard generated == 0 || preprocessing.channels.count == 1 else {
      throw InputError(
        "--generated-cases", "have one image each", found: "\(preprocessing.channels.count) images of a case",
        expected: "no generated cases")
    }
    guard (0...GeneratedCases.maximumCaseCount).contains(generated) else {
      throw InputError(
        "--generated-cases", "cannot train", found: "\(generated)",
        expected: "0 to \(GeneratedCases.maximumCaseCount)")
    }
    let cases = try readCases(sources, split, preprocessing, generatedCount: generated)
    try requireStructures(of: cases, sources)
    if let balance = try arguments.classBalance {
      let balanced = cases.classWeights(balance, classCount: classCount)
      let words = balanced.map { significant(Double($0)) }.joined(separator: ",")
      if stored != nil, balanced != settings.options.classWeights {
        throw differing("--class-weights", words)
      }
      settings.options.classWeights = balanced
      if stored == nil { setup.note("class weights", words, "balanced by the voxels of the training cases") }
    }
    if stored == nil {
      preprocessing.trainedExtentsMillimetres = cases.extentsMillimetres(at: preprocessing.spacingMillimetres)
      if let reason = split.reason {
        setup.note("validation", "\(cases.validation.count) of \(sources.count) cases", reason)
      }
      if arguments.classWeights == nil {
        let chosen = cases.defaultClassWeights(classCount: classCount)
        settings.options.classWeights = chosen.value
        let words = chosen.value.map { $0.map { significant(Double($0)) }.joined(separator: ",") }
        setup.note("class weights", words ?? "equal", chosen.reason)
      }
    }
    func parameters() throws(InputError) -> Parameters? {
      try initial.map { path throws(InputError) in
        try Parameters(ModelFile(path: path).parameters.tensors, for: graph, subject: path)
      }
    }
    let trainer =
      try stored?.trainer
      ?? Trainer(
        graph: graph.graph, parameters: parameters(), options: settings.options, seed: settings.seed)
    var run = try TrainingRun(trainer: trainer, settings: settings, cases: cases)
    if let stored { run.restore(stored.progress, bestParameters: stored.bestParameters) }
    return StartedRun(
      run: run, preprocessing: preprocessing,
      caseNames: [
        "training": cases.training.map(\.name), "validation": cases.validation.map(\.name),
      ], initialChecksum: stored?.description.initialChecksum ?? initialChecksum)
  }

  /// Refuses cases from which the structures cannot be learned.
  ///
  /// Cases without any structure are negatives.
  private func requireStructures(
    of cases: TrainingCases, _ sources: [TrainingFolders.Source]
  ) throws(InputError) {
    let structures = sources[0].selections
    let negatives = cases.negatives
    if cases.generated.isEmpty, negatives.count == sources.count {
      throw InputError(
        negatives[0], "no case has a voxel of any structure",
        expected: structures.map(\.description).joined(separator: " "))
    }
    if allowEmpty { return }
    try cases.requireEvery(structures.map(\.name))
    guard !negatives.isEmpty else { return }
    let few = negatives.prefix(3).joined(separator: ", ") + (negatives.count > 3 ? ", ..." : "")
    Console.note(
      "\(negatives.count) of \(sources.count) cases have no voxel of any structure and serve as negatives: \(few)"
    )
  }

  private func resolvedPreprocessing(
    _ stored: Preprocessing?, channelNames: [String], _ setup: inout TrainingSetup
  ) throws -> Preprocessing {
    let size = try spacing.map { try OptionParsing.lengths($0, option: "--spacing") }
    let given = try window.map { text throws(InputError) -> Preprocessing.Normalisation in
      if text == "score" { return .standardScore }
      let ends = try OptionParsing.numbers(text, option: "--window", as: Float.self)
      guard ends.count == 2, ends[0] < ends[1] else {
        throw InputError("--window", "intensities", found: text, expected: "LOWER,UPPER or score")
      }
      let window = Preprocessing.Normalisation.window(lower: ends[0], upper: ends[1])
      try window.validated(subject: "--window")
      return window
    }
    guard [0, 1, channelNames.count].contains(given.count) else {
      throw InputError(
        "--window", "once for all channels, or once for each", found: "\(given.count)",
        expected: "\(channelNames.count)")
    }
    let normalisations =
      given.isEmpty ? nil : given.count > 1 ? given : channelNames.map { _ in given[0] }
    guard let stored else {
      return try setup.preprocessing(spacing: size, normalisations: normalisations)
    }
    if let size, size != stored.spacingMillimetres { throw differing("--spacing", spacing ?? "") }
    if let plane, setup.orientation.description != stored.orientation { throw differing("--plane", plane) }
    if stored.channels.map(\.name) != channelNames {
      throw InputError(
        "--images", "--resume continues with the images of its checkpoint",
        found: channelNames.joined(separator: ", "), expected: stored.channelNames)
    }
    if let normalisations, normalisations != stored.channels.map(\.normalisation) {
      throw differing("--window", window.joined(separator: " "))
    }
    return stored
  }

  /// The plane of `--plane`.
  private func slicePlane() throws(InputError) -> AnatomicalPlane? {
    guard let plane else { return nil }
    guard let named = AnatomicalPlane(rawValue: plane) else {
      throw InputError(
        "--plane", "is no plane", found: plane,
        expected: AnatomicalPlane.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return named
  }

  private func differing(_ option: String, _ found: String) -> InputError {
    InputError(
      option, "--resume continues with the settings of its checkpoint", found: found,
      expected: "the same value, or no option")
  }

  private func requireSameNetwork(
    _ stored: TrainingStore.Stored, classes: Int
  ) throws(InputError) {
    if let generatedCases, generatedCases != stored.card?.generatedCases ?? 0 {
      throw differing("--generated-cases", "\(generatedCases)")
    }
    guard let network else { return }
    let trained = stored.trainer.graph
    let graph: NetworkGraph
    if network == NetworkLibrary.planned {
      let plan = UNetPlan(
        cropSize: stored.description.settings.cropSize, spacing: stored.preprocessing.spacingMillimetres,
        channels: channels ?? trained.nodes[0].outputChannels)
      graph = supervised(plan.graph(classes: classes, inputChannels: trained.graph.inputChannels))
    } else {
      graph = try namedGraph(network, classes: classes, inputChannels: trained.graph.inputChannels)
    }
    if graph != trained.graph { throw differing("--network", network) }
  }

  private func newGraph(
    classes: Int, _ preprocessing: Preprocessing, cropSize: GridSize?, _ setup: inout TrainingSetup
  ) throws -> ResolvedGraph {
    let name = try network ?? setup.network(preprocessing)
    guard name == NetworkLibrary.planned else {
      return try namedGraph(name, classes: classes, inputChannels: preprocessing.channels.count)
        .resolved(subject: name)
    }
    if withoutBatchNormalisation { throw NetworkLibrary.normalisationIsPart(of: name) }
    let graph = try setup.plannedNetwork(
      preprocessing, cropSize: cropSize, channels: channels, classes: classes)
    return try supervised(graph).resolved(subject: name)
  }

  private func namedGraph(
    _ name: String, classes: Int, inputChannels: Int
  ) throws(InputError) -> NetworkGraph {
    supervised(
      try NetworkLibrary.graph(
        name, classes: classes, inputChannels: inputChannels,
        hasBatchNormalisation: !withoutBatchNormalisation))
  }

  /// `graph` with the loss weights of auxiliary heads that the options ask for.
  private func supervised(_ graph: NetworkGraph) -> NetworkGraph {
    var graph = graph
    if withoutDeepSupervision {
      for index in graph.heads.indices.dropFirst() { graph.heads[index].lossWeight = 0 }
    }
    return graph
  }

  private func readCases(
    _ sources: [TrainingFolders.Source], _ split: CaseSplit, _ preprocessing: Preprocessing,
    generatedCount: Int
  ) throws -> TrainingCases {
    let work = threads.context("reading cases")
    var cases = TrainingCases(
      spacing: preprocessing.spacingMillimetres, training: [], validation: [])
    for (index, source) in sources.enumerated() {
      let example = try source.trainingCase(preprocessing, work: work)
      if split.validation.contains(source.pair.name) {
        cases.validation.append(example)
      } else {
        cases.training.append(example)
      }
      work.report(Double(index + 1) / Double(sources.count + generatedCount))
    }
    for number in 0..<generatedCount {
      cases.generated.append(
        try GeneratedCases.abdomen(
          number: number, selections: sources[0].selections, preprocessing: preprocessing,
          work: work.withoutProgress))
      work.report(Double(sources.count + number + 1) / Double(sources.count + generatedCount))
    }
    return cases
  }
}
