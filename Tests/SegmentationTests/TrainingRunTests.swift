import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import Work

/// Boxes brighter than their surroundings, in noise; class 1 is the box.
///
/// Boxes begin at even voxels, since the network's scores are made of blocks of two.
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
    Layer("bn1", from: "conv1", .batchNormalisation(epsilon: 1e-5)), Layer("relu1", from: "bn1", .rectifier),
    Layer("pool1", from: "relu1", .maxPooling(PoolingGeometry(kernel: Extent3(2), stride: Extent3(2)))),
    Layer("conv2", from: "pool1", .convolution(same3, outputChannels: 8, hasBias: true)),
    Layer("bn2", from: "conv2", .batchNormalisation(epsilon: 1e-5)), Layer("relu2", from: "bn2", .rectifier),
    Layer("up", from: "relu2", .transposedConvolution(double, outputChannels: 2, hasBias: true)),
    Layer("auxiliary", from: "pool1", .transposedConvolution(double, outputChannels: 2, hasBias: true)),
  ],
  heads: [
    Head("main", layer: "up", lossWeight: 1), Head("auxiliary", layer: "auxiliary", lossWeight: 0.3),
  ])
private let same3 = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
private let double = TransposedConvolutionGeometry(kernel: Extent3(2), stride: Extent3(2))

private func startedRun(iterations: Int) throws -> TrainingRun {
  var settings = TrainingSettings()
  settings.cropSize = GridSize(16, 16, 16)
  settings.iterations = iterations
  settings.validationInterval = 20
  settings.augmentation.blurProbability = 0
  settings.options = TrainingOptions(
    schedule: .polynomial(rate: 0.1, iterations: 160), ignoredLabel: TrainingCase.ignoredClass,
    longestGradient: 5)
  let cases = TrainingCases(training: (1...6).map(boxCase), validation: (101...103).map(boxCase))
  let trainer = try Trainer(graph: smallNetwork, options: settings.options, seed: 3)
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
  #expect((run.best?.dice ?? 0) > 0.85)
  #expect(records.map(\.iteration) == Array(stride(from: 10, through: 160, by: 10)))
  #expect(
    records.filter { $0.validationDice != nil }.map(\.iteration)
      == Array(stride(from: 20, through: 160, by: 20)))
  #expect(records[15].loss < records[0].loss)
}

@Test("a run that was stopped and resumed ends with the same weights, bit for bit, on other threads too")
func resumedRunIsTheSame() throws {
  var whole = try startedRun(iterations: 12)
  try whole.run(work: WorkContext(threadCount: 2), observer: silent)
  try withTemporaryFolder { folder in
    var first = try startedRun(iterations: 5)
    try first.run(work: WorkContext(threadCount: 1), observer: silent)
    try Checkpoint.write(first.trainer, to: folder + "/last.safetensors")
    let fresh = try startedRun(iterations: 12)
    var second = try TrainingRun(
      trainer: Checkpoint.read(path: folder + "/last.safetensors").trainer, settings: fresh.settings,
      cases: TrainingCases(training: (1...6).map(boxCase), validation: []))
    try second.run(work: WorkContext(threadCount: 2), observer: silent)
    #expect(second.trainer.parameters == whole.trainer.parameters)
  }
}

@Test("settings that cannot train are refused with the option's name")
func impossibleSettings() {
  var settings = TrainingSettings()
  settings.batchSize = 0
  #expect(throws: InputError("--batch", "cannot train", found: "0", expected: "1 to 64")) {
    try settings.validated()
  }
}
