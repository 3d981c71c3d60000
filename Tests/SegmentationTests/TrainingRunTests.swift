import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import Work

/// Boxes brighter than their surroundings, in noise; class 1 is the box.
///
/// Boxes begin at even voxels, since the network's logits are made of blocks of two.
private func boxCase(_ number: Int) -> TrainingCase {
  let size = GridSize(24, 24, 16)
  var generator = SplitMix64(seed: UInt64(number))
  let corner = VoxelIndex(
    2 * generator.index(below: 6), 2 * generator.index(below: 6), 2 * generator.index(below: 4))
  var intensities: [Float] = []
  var classes: [UInt8] = []
  for offset in 0..<size.voxelCount {
    let voxel = size.index(offset: offset)
    let isInside = (0..<3).allSatisfy { voxel[$0] >= corner[$0] && voxel[$0] < corner[$0] + 8 }
    classes.append(isInside ? 1 : 0)
    intensities.append(Float((isInside ? 0.7 : 0.3) + generator.uniform(-0.15...0.15)))
  }
  return TrainingCase(
    name: "box \(number)", size: size, intensities: intensities, classes: classes, classCount: 2)
}

/// Two convolutions, a pooling and a deconvolution, with an auxiliary head on the pooling.
private let smallNetwork = NetworkGraph(
  inputChannels: 1,
  layers: [
    Layer("conv1", from: NetworkGraph.inputName, .convolution(same3, outputChannels: 6, hasBias: true)),
    Layer("bn1", from: "conv1", .batchNormalisation(epsilon: 1e-5)), Layer("relu1", from: "bn1", .relu),
    Layer("pool1", from: "relu1", .maxPooling(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2)))),
    Layer("conv2", from: "pool1", .convolution(same3, outputChannels: 8, hasBias: true)),
    Layer("bn2", from: "conv2", .batchNormalisation(epsilon: 1e-5)), Layer("relu2", from: "bn2", .relu),
    Layer("up", from: "relu2", .transposedConvolution(double, outputChannels: 2, hasBias: true)),
    Layer("auxiliary", from: "pool1", .transposedConvolution(double, outputChannels: 2, hasBias: true)),
  ],
  heads: [
    Head("main", layer: "up", lossWeight: 1), Head("auxiliary", layer: "auxiliary", lossWeight: 0.3),
  ])
private let same3 = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
private let double = TransposedConvolutionGeometry(kernel: Extent3(2), stride: Extent3(2))

private func startedRun(
  _ graph: NetworkGraph = smallNetwork, iterations: Int, validationInterval: Int = 20,
  change: (inout TrainingSettings) -> Void = { _ in }
) throws -> TrainingRun {
  var settings = TrainingSettings()
  settings.cropSize = GridSize(16, 16, 16)
  settings.iterations = iterations
  settings.validationInterval = validationInterval
  settings.augmentation.blurProbability = 0
  settings.options = TrainingOptions(
    schedule: .polynomial(rate: 0.1, iterations: 160), ignoredLabel: TrainingCase.ignoredClass,
    gradientNormClip: 5)
  change(&settings)
  let cases = TrainingCases(training: (1...6).map(boxCase), validation: (101...103).map(boxCase))
  let trainer = try Trainer(graph: graph, options: settings.options, seed: 3)
  return try TrainingRun(trainer: trainer, settings: settings, cases: cases)
}

private var silent: TrainingRun.Observer { TrainingRun.Observer(record: { _ in }, checkpoint: { _, _ in }) }

@Test("a small network learns to find boxes: Dice above 0.85 on cases it has not seen")
func smallNetworkLearns() throws {
  var run = try startedRun(iterations: 160)
  var records: [TrainingRecord] = []
  try run.run(
    work: WorkContext(),
    observer: TrainingRun.Observer(record: { records.append($0) }, checkpoint: { _, _ in }))
  #expect((run.progress.best?.metrics.overallDice ?? 0) > 0.85)
  #expect(records.map(\.iteration) == Array(stride(from: 10, through: 160, by: 10)))
  #expect(
    records.filter { $0.validationDice != nil }.map(\.iteration)
      == Array(stride(from: 20, through: 160, by: 20)))
  #expect(records[15].loss < records[0].loss)
  let metrics = try #require(run.progress.best?.metrics)
  #expect(metrics.cases.map(\.name) == ["box 101", "box 102", "box 103"])
  #expect(abs(metrics.overallDice - metrics.cases.reduce(0) { $0 + $1.dice[0] } / 3) < 1e-12)
}

@Test("a network that normalises over what it sees is validated and used in patches of the crops' size")
func trainedPatches() throws {
  var graph = smallNetwork
  graph.layers[1] = Layer("bn1", from: "conv1", .instanceNormalisation(epsilon: 1e-5))
  var run = try startedRun(graph, iterations: 20)
  #expect(run.tiling == PatchTiling(extent: Extent3(16)))
  #expect(try startedRun(iterations: 20).tiling == nil)
  try run.run(work: WorkContext(), observer: silent)
  let metrics = try #require(run.progress.best?.metrics)
  var model = SegmentationModel(
    name: "boxes", graph: graph, parameters: try #require(run.bestParameters),
    labels: [Label(value: 1, name: "box", colour: RGBColour(1, 2, 3))],
    preprocessing: Preprocessing(
      spacingMillimetres: Spacing(1), normalisation: .window(lower: 0, upper: 1)),
    tiling: run.tiling)
  func dice(_ number: Int) throws -> Double {
    let example = boxCase(number)
    let grid = VolumeGrid(size: example.size, affine: Affine(spacing: Spacing(1)))
    let volume = ScalarVolume(grid: grid, voxels: example.intensities)
    let labels = try Segmenter(model: model, usesAuxiliaryHeads: false, work: WorkContext())
      .labels(of: [volume], work: WorkContext()).labels
    let found = labels.voxels.map { $0 == 1 }
    let common = zip(found, example.classes).count { $0 && $1 == 1 }
    return 2 * Double(common) / Double(found.count(where: \.self) + example.classes.count { $0 == 1 })
  }
  for (index, number) in (101...103).enumerated() {
    #expect(abs(try dice(number) - metrics.cases[index].dice[0]) < 1e-3)
  }
  // On the whole image the same weights give another result, so that patches matter here.
  model.tiling = nil
  #expect(try (101...103).contains { abs(try dice($0) - metrics.cases[$0 - 101].dice[0]) > 1e-3 })
}

/// The results of a run: the records without their times, and the run.
private struct Outcome {
  var records: [TrainingRecord] = []
  var run: TrainingRun

  /// Trains until the end, or until `stop` returns true; it is called after each step, before the validation.
  mutating func train(threads: Int, stop: @escaping @Sendable (Int) -> Bool = { _ in false }) throws {
    let cancellation = Cancellation()
    let total = Double(run.settings.iterations)
    let work = WorkContext(threadCount: threads, cancellation: cancellation) { fraction in
      if stop(Int((fraction * total).rounded())) { cancellation.request() }
    }
    var added: [TrainingRecord] = []
    defer { records += added }
    do {
      try run.run(
        recordInterval: 3, work: work,
        observer: TrainingRun.Observer(
          record: { record in
            var timeless = record
            timeless.elapsedSeconds = 0
            timeless.remainingSeconds = 0
            added.append(timeless)
          }, checkpoint: { _, _ in }))
    } catch is Cancelled {}
  }

  /// The run as `segdeck train --resume` makes it from files.
  func reread(in folder: String) throws -> TrainingRun {
    try Checkpoint.write(run.trainer, to: folder + "/last.safetensors")
    var next = try startedRun(iterations: run.settings.iterations, validationInterval: 5)
    next = try TrainingRun(
      trainer: ReadFiles.withoutRegistering { () throws(InputError) in
        try Checkpoint.read(path: folder + "/last.safetensors").trainer
      }, settings: next.settings,
      cases: TrainingCases(training: (1...6).map(boxCase), validation: (101...103).map(boxCase)))
    next.restore(
      try TrainingProgress(json: run.progress.json, subject: "test"), bestParameters: run.bestParameters)
    return next
  }
}

@Test(
  "a run stopped anywhere, even before a validation, resumes with the same weights, best weights and log, bit for bit",
  arguments: [[4], [5], [7, 10], [1, 5, 6, 12]])
func resumedRunIsTheSame(stops: [Int]) throws {
  var whole = Outcome(run: try startedRun(iterations: 12, validationInterval: 5))
  try whole.train(threads: 2)
  try withTemporaryFolder { folder in
    var parts = Outcome(run: try startedRun(iterations: 12, validationInterval: 5))
    for (index, stop) in stops.enumerated() {
      try parts.train(threads: 1 + index % 2) { $0 == stop }
      #expect(parts.run.trainer.iteration == stop)
      parts.run = try parts.reread(in: folder)
    }
    try parts.train(threads: 1)
    #expect(parts.run.trainer.parameters == whole.run.trainer.parameters)
    #expect(parts.run.bestParameters == whole.run.bestParameters)
    #expect(parts.run.progress == whole.run.progress)
    #expect(parts.records == whole.records)
    #expect(whole.records.map(\.iteration) == [3, 5, 6, 9, 10, 12])
  }
}

@Test("a run ends when validation has not improved for as many validations as it has patience")
func earlyStop() throws {
  // At this rate the weights hardly move: the first validation stays the best.
  var outcome = Outcome(
    run: try startedRun(iterations: 40, validationInterval: 5) { settings in
      settings.patience = 2
      settings.options.schedule = .constant(rate: 1e-12)
      settings.options.statisticsMomentum = 0
    })
  try outcome.train(threads: 2)
  #expect(outcome.run.progress.best?.iteration == 5)
  #expect(outcome.run.trainer.iteration == 15)
  // Gone on with, it ends at once.
  try outcome.train(threads: 2)
  #expect(outcome.run.trainer.iteration == 15)
}

@Test("cases that cannot train are refused with the case, what was found and what is expected")
func refusedCases() throws {
  let graph = try smallNetwork.resolved()
  let cases = TrainingCases(training: [boxCase(1)], validation: [boxCase(2)])
  func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "accepted"
  }
  #expect(
    refusal { try cases.check(for: graph, cropSize: GridSize(16, 16, 15)) }
      == "--crop: is not a multiple of the network's total stride: found 16x16x15, expected multiples of 2x2x2"
  )
  let flat = TrainingCase(
    name: "flat", size: GridSize(4, 4, 1), intensities: [Float](repeating: 0, count: 16),
    classes: [UInt8](repeating: 1, count: 16), classCount: 2)
  #expect(
    refusal {
      try TrainingCases(training: [boxCase(1), flat], validation: []).check(
        for: graph, cropSize: GridSize(16, 16, 16))
    }
      == "flat: too small for the network on the working grid: found 4x4x1 voxels, expected at least 2x2x2, by a "
      + "smaller --spacing or another --network")
  #expect(
    refusal {
      try TrainingCases(training: [], validation: [boxCase(1)]).check(
        for: graph, cropSize: GridSize(16, 16, 16))
    }
      == "training: no training case: found 1 for validation, expected at least one beside those of the validation"
  )
  #expect(refusal { try cases.requireEvery(["box"]) } == "accepted")
  func twoClasses(_ name: String, _ value: UInt8) -> TrainingCase {
    TrainingCase(
      name: name, size: GridSize(2, 2, 2), intensities: [Float](repeating: 0, count: 8),
      classes: [UInt8](repeating: value, count: 8), classCount: 3)
  }
  #expect(
    refusal {
      try TrainingCases(training: [twoClasses("a", 1)], validation: [twoClasses("b", 2)]).requireEvery([
        "liver", "spleen",
      ])
    }
      == "--label spleen: occurs in no training case: found only in validation: b, expected at least one training "
      + "case with it")
}

@Test("settings that cannot train are refused with the option's name")
func impossibleSettings() {
  var settings = TrainingSettings()
  settings.batchSize = 0
  #expect(throws: InputError("--batch", "cannot train", found: "0", expected: "1 to 64")) {
    try settings.validated()
  }
}
