import Metrics
import Networks
import Segmentation
import Tensors
import TestSupport
import Testing
import Volumes
import Work

private let work = WorkContext(threadCount: 2)

@Test("a 2D network gives the probabilities that PyTorch gives for each slice, whole slices at a time")
func slicesOfPyTorch() throws {
  let path = checkout.appending(path: "Tests/SegmentationTests/Golden/slices.safetensors").path
  let model = try SegmentationModel(path: path)
  #expect(model.tiling == PatchTiling(extent: Extent3(1), wholeAxes: [.h, .w]))
  #expect(try model.graph.resolved().isPlanar)
  let file = try TensorFile(path: path)
  let image = try file.tensor("image", shape: [5, 16, 24])
  let volume = ScalarVolume(
    grid: VolumeGrid(size: GridSize(24, 16, 5), affine: Affine(spacing: Spacing(1))), voxels: image.elements)
  var segmenter = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work)
  let expected = try file.tensor("probabilities", shape: [3, 5, 16, 24]).elements
  for memoryLimit in [Network.memoryLimit, 0] {
    segmenter.memoryLimit = memoryLimit
    let found = try segmenter.prediction(for: [volume], grid: .image, work: work).heads[0].values
    #expect(largestDifference(found, expected) < 1e-5)
  }
  // Normalised over the volume, the same weights give another result.
  segmenter.patches = nil
  let whole = try segmenter.prediction(for: [volume], grid: .image, work: work).heads[0].values
  #expect(largestDifference(whole, expected) > 0.1)
}

/// A 2D network of total stride 2 along y and x.
private func planarGraph(_ normalisation: some NetworkOperation, classes: Int = 2) -> NetworkGraph {
  let same = ConvolutionGeometry(kernel: Extent3(1, 3, 3), padding: Extent3(0, 1, 1))
  let half = PoolingGeometry(kernel: Extent3(1, 2, 2), stride: Extent3(1, 2, 2))
  let double = TransposedConvolutionGeometry(kernel: Extent3(1, 2, 2), stride: Extent3(1, 2, 2))
  return NetworkGraph(
    inputChannels: 1,
    layers: [
      Layer("conv1", from: NetworkGraph.inputName, .convolution(same, outputChannels: 8, hasBias: true)),
      Layer("norm1", from: "conv1", normalisation), Layer("relu1", from: "norm1", .relu),
      Layer("pool1", from: "relu1", .maxPooling(half)),
      Layer("conv2", from: "pool1", .convolution(same, outputChannels: 12, hasBias: true)),
      Layer("relu2", from: "conv2", .relu),
      Layer("up", from: "relu2", .transposedConvolution(double, outputChannels: 8, hasBias: true)),
      Layer("skip", from: ["up", "relu1"], .concatenate),
      Layer("score", from: "skip", .convolution(same, outputChannels: classes, hasBias: true)),
    ], heads: [Head("main", layer: "score", lossWeight: 1)])
}

private func planarModel(_ graph: NetworkGraph, tiling: PatchTiling?) throws -> SegmentationModel {
  SegmentationModel(
    name: "planar", graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 5),
    labels: [Label(value: 1, name: "one", colour: RGBColour(1, 2, 3))],
    preprocessing: Preprocessing(
      spacingMillimetres: Spacing(1), normalisation: .window(lower: 0, upper: 1)), tiling: tiling)
}

private func noise(_ size: GridSize) -> ScalarVolume {
  var generator = SplitMix64(seed: 7)
  return ScalarVolume(
    grid: VolumeGrid(size: size, affine: Affine(spacing: Spacing(1))),
    voxels: (0..<size.voxelCount).map { offset in
      Float(generator.uniform(0...1)) * Float(size.index(offset: offset).k + 1) / Float(size.k)
    })
}

@Test("whole axes of patches are those of the image, rounded up to whole strides")
func wholeAxes() throws {
  let image = noise(GridSize(17, 19, 9))
  let graph = planarGraph(.instanceNormalisation(epsilon: 1e-5))
  func values(_ tiling: PatchTiling?) throws -> [Float] {
    try Segmenter(model: planarModel(graph, tiling: tiling), usesAuxiliaryHeads: false, work: work)
      .prediction(for: [image], grid: .image, work: work).heads[0].values
  }
  let slices = PatchTiling(extent: Extent3(1), wholeAxes: [.h, .w], mirroredAxes: [.w])
  #expect(try values(slices) == values(PatchTiling(extent: Extent3(1, 20, 18), mirroredAxes: [.w])))
  let slabs = PatchTiling(extent: Extent3(4, 8, 1), wholeAxes: [.w], step: 0.7)
  #expect(try values(slabs) == values(PatchTiling(extent: Extent3(4, 8, 18), step: 0.7)))
  let all = PatchTiling(extent: Extent3(1), wholeAxes: [.d, .h, .w])
  #expect(try values(all) == values(PatchTiling(extent: Extent3(9, 20, 18))))
  #expect(slices.computedVoxels(of: image.grid.size) == 2 * 9 * 19 * 17)
  let network = try Network(graph: graph, parameters: planarModel(graph, tiling: nil).parameters)
  let plan = try PatchPlan(
    slices, size: image.grid.size, network: network, heads: [0], memoryLimit: Network.memoryLimit,
    subject: "network", work: work)
  #expect(plan.tiling.extent == Extent3(1, 20, 18))
  // Nine slices in two batches, mirrored and not; one by one where memory is short.
  #expect(plan.patchCount == 9 && plan.runCount == 4)
  #expect(plan.sumByteCount == 4 * 5 * 17 * 19 * 3)
  let short = try PatchPlan(
    slices, size: image.grid.size, network: network, heads: [0], memoryLimit: 0, subject: "network",
    work: work)
  #expect(short.runCount == 18 && short.sumByteCount == 4 * 17 * 19 * 3)
  #expect(short.byteCount! < plan.byteCount!)
}

@Test("whole axes are null in a model file, and all in words; a number is needed for each of the others")
func wholeAxesRoundTrip() throws {
  try withTemporaryFolder { folder in
    let graph = planarGraph(.relu)
    let tiling = PatchTiling(extent: Extent3(1, 8, 8), wholeAxes: [.w], weights: .constant)
    var model = try planarModel(graph, tiling: tiling)
    let path = folder + "/model.safetensors"
    try model.write(to: path)
    #expect(model.metadata["tiling"]?.contains("[1,8,null]") == true)
    #expect(try SegmentationModel(path: path).tiling == tiling)
    #expect(tiling.summary == "allx8x1 voxels, step 0.5, constant weights")
    // Whole axes always fit the strides; others must.
    model.tiling = PatchTiling(extent: Extent3(1, 7, 1), wholeAxes: [.w])
    let other = folder + "/other.safetensors"
    try model.write(to: other)
    #expect(
      throws: InputError(
        other, "patches do not fit the strides of its network", found: "1x7x1 voxels (z, y, x)",
        expected: "multiples of 1x2x2")
    ) { try SegmentationModel(path: other) }
  }
}

@Test("a 2D network without layers over the whole image gives slices the same logits alone and in a volume")
func slicesInSlabs() throws {
  let image = noise(GridSize(18, 20, 11))
  let graph = planarGraph(.batchNormalisation(epsilon: 1e-5))
  let model = try planarModel(graph, tiling: nil)
  var segmenter = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work)
  let whole = try segmenter.prediction(for: [image], grid: .image, work: work).heads[0].values
  segmenter.patches = PatchTiling(extent: Extent3(1), wholeAxes: [.h, .w])
  let single = try segmenter.prediction(for: [image], grid: .image, work: work).heads[0].values
  #expect(largestDifference(whole, single) < 1e-6)
  let resolved = try graph.resolved()
  #expect(resolved.isPlanar && resolved.receptiveField()?.halo?.d == 0)
  #expect(try !NetworkGraph.heart(classes: 2).resolved().isPlanar)
}

/// A generated heart of 28x24x20 voxels of 5 mm.
private func heart(_ seed: UInt64) throws -> (image: ScalarVolume, labels: LabelVolume) {
  let heart = try MRHeartPhantom(seed: seed).generate(
    size: GridSize(28, 24, 20), spacing: Spacing(5), work: work)
  return (heart.image, heart.labels)
}

@Test(
  "a 2D network that was trained on single slices of a plane segments volumes in that plane",
  arguments: AnatomicalPlane.allCases)
func trainedSlices(plane: AnatomicalPlane) throws {
  let preprocessing = Preprocessing(
    orientation: Orientation(slicesOf: plane).description, spacingMillimetres: Spacing(5),
    normalisation: .standardScore)
  #expect(try preprocessing.parsedOrientation.sliceAxis(of: plane) == 2)
  let cases = try (1...5).map { (seed: UInt64) in
    let (image, labels) = try heart(seed)
    return try TrainingCase(
      name: "heart \(seed)", images: [image], labels: labels, selections: [LabelSelection(values: [1])],
      preprocessing: preprocessing, work: work)
  }
  var settings = TrainingSettings()
  settings.cropSize = GridSize(20, 20, 1)
  settings.batchSize = 8
  settings.iterations = 150
  settings.validationInterval = 75
  settings.options = TrainingOptions(
    schedule: .polynomial(rate: 0.1, iterations: settings.iterations),
    ignoredLabel: TrainingCase.ignoredClass, gradientNormClip: 5)
  settings.options.loss.diceWeight = 1
  // Whole slices of sagittal crops are normalised by themselves.
  let isNormalised = plane == .sagittal
  let graph =
    isNormalised
    ? planarGraph(.instanceNormalisation(epsilon: 1e-5)) : planarGraph(.batchNormalisation(epsilon: 1e-5))
  var run = try TrainingRun(
    trainer: Trainer(graph: graph, options: settings.options, seed: 3), settings: settings,
    cases: TrainingCases(
      spacing: Spacing(5), training: Array(cases.dropLast()), validation: [cases[4]]))
  #expect(run.tiling == (isNormalised ? PatchTiling(extent: Extent3(1, 20, 20)) : nil))
  try run.run(work: work, observer: TrainingRun.Observer(record: { _ in }, checkpoint: { _, _ in }))
  let validated = try #require(run.progress.best?.metrics.cases[0].dice[0])
  let model = SegmentationModel(
    name: "slices", graph: graph, parameters: try #require(run.bestParameters),
    labels: MRHeartPhantom.labels.labels, preprocessing: preprocessing, tiling: run.tiling)
  let (image, labels) = try heart(5)
  let found = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work).labels(
    of: [image], work: work
  )
  .labels
  #expect(found.grid == image.grid)
  let common = zip(found.voxels, labels.voxels).count { $0 == 1 && $1 == 1 }
  let dice = diceCoefficient(
    found.voxels.count { $0 == 1 }, labels.voxels.count { $0 == 1 }, common: common)
  #expect(dice > 0.5, "Dice \(dice) in \(plane.rawValue) slices")
  #expect(abs(dice - validated) < 1e-3)
}

private func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
  guard one.count == other.count else { return .infinity }
  return zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
