import Foundation
import Metrics
import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import Work

private let work = WorkContext(threadCount: 2)

/// A network whose logits are the channels of its image, so that a test knows them, and an image of noise.
private struct RegionCase {
  let size = GridSize(19, 12, 9)
  let images: [ScalarVolume]
  /// The logits of each region, before the window of the preprocessing.
  let logits: [[Float]]
  var model: SegmentationModel

  /// - Parameter extraHeads: Heads after the main one, on layers of the same logits.
  init(regionCount: Int, values: [UInt16], extraHeads: [Head] = []) throws {
    var generator = SplitMix64(seed: 8)
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
    let count = size.voxelCount
    logits = (0..<regionCount).map { _ in (0..<count).map { _ in Float(generator.uniform(-6...6)) } }
    // A window of 0 to 1 leaves values in it as they are; the weights of the network restore the logits.
    images = logits.map { ScalarVolume(grid: grid, voxels: $0.map { $0 / 12 + 0.5 }) }
    let pointwise = ConvolutionGeometry(kernel: Extent3(1))
    let graph = NetworkGraph(
      inputChannels: regionCount,
      layers: [
        Layer(
          "regions", from: NetworkGraph.inputName,
          .convolution(pointwise, outputChannels: regionCount, hasBias: true)),
        Layer(
          "two", from: NetworkGraph.inputName, .convolution(pointwise, outputChannels: 2, hasBias: true)),
      ],
      heads: [Head("main", layer: "regions", activation: .sigmoid, lossWeight: 1)] + extraHeads)
    var parameters = Parameters(initialising: try graph.resolved(), seed: 1)
    var tensors = parameters.tensors
    tensors["regions.weight"] = Tensor(
      shape: [regionCount, regionCount, 1, 1, 1],
      elements: (0..<regionCount * regionCount).map { $0 / regionCount == $0 % regionCount ? 12 : 0 })
    tensors["regions.bias"] = Tensor(shape: [regionCount], repeating: -6)
    parameters = try Parameters(tensors, for: graph.resolved(), subject: "test")
    model = SegmentationModel(
      name: "regions", graph: graph, parameters: parameters,
      labels: values.map { Label(value: $0, name: "label \($0)", colour: RGBColour(1, 2, 3)) },
      preprocessing: Preprocessing(
        spacingMillimetres: Spacing(1),
        channels: (0..<regionCount).map {
          Preprocessing.Channel(name: "region \($0)", normalisation: .window(lower: 0, upper: 1))
        }))
  }

  /// The labels as nnU-Net paints regions: in their order, where the probability is above one half.
  var painted: [UInt16] {
    (0..<size.voxelCount).map { voxel in
      zip(logits, model.labels).reduce(0) { 1 / (1 + exp(-$1.0[voxel])) > 0.5 ? $1.1.value : $0 }
    }
  }

  /// The class probabilities in double precision: the softmax of half the margins of the painted labels.
  var probabilities: [Float] {
    let margins = (0..<size.voxelCount).map { voxel -> [Double] in
      let own = logits.map { Double($0[voxel]) }
      let background = own.map { -$0 }.min()!
      return [background]
        + own.indices.map { region in own[(region + 1)...].reduce(own[region]) { min($0, -$1) } }
    }
    return (0...logits.count).flatMap { index in
      margins.map { margins in
        Float(exp(margins[index] / 2) / margins.reduce(0) { $0 + exp($1 / 2) })
      }
    }
  }

  func segmenter(usesAuxiliaryHeads: Bool = false) throws -> Segmenter {
    try Segmenter(model: model, usesAuxiliaryHeads: usesAuxiliaryHeads, work: work)
  }
}

@Test(
  "labels of overlapping regions are painted over each other in their order, however the network runs",
  arguments: [[7], [2, 9], [3, 1, 2], [5, 4, 3, 2, 1]])
func paintedRegions(values: [UInt16]) throws {
  let example = try RegionCase(regionCount: values.count, values: values)
  var segmenter = try example.segmenter()
  #expect(try segmenter.labels(of: example.images, work: work).labels.voxels == example.painted)
  #expect(Set(example.painted) == Set([0] + values))
  let expected = example.probabilities
  func check(_ tiling: Tiling, _ what: String) throws {
    let prediction = try segmenter.prediction(
      for: example.images, grid: .image, tiling: tiling, work: work)
    #expect(prediction.heads.map(\.classCount) == [values.count + 1], "\(what)")
    #expect(largestDifference(prediction.heads[0].values, expected) < 2e-6, "\(what)")
    #expect(
      try segmenter.labels(of: prediction, work: work).labels.voxels == example.painted, "\(what)")
  }
  try check(.whole, "whole")
  try check(.exact(Extent3(4, 5, 6)), "exact tiles")
  try check(.average(Extent3(4, 5, 6)), "averaged tiles")
  segmenter.patches = PatchTiling(extent: Extent3(4, 8, 8), mirroredAxes: [.w])
  try check(.whole, "patches")
}

@Test("the probability of a single region is its sigmoid, and a distribution adds up to 1")
func distributionOfRegions() throws {
  let single = try RegionCase(regionCount: 1, values: [1])
  let values = try single.segmenter().prediction(for: single.images, grid: .image, work: work).heads[0].values
  let count = single.size.voxelCount
  #expect(largestDifference(Array(values[count...]), single.logits[0].map { 1 / (1 + exp(-$0)) }) < 2e-6)
  let several = try RegionCase(regionCount: 4, values: [1, 2, 3, 4])
  let all = try several.segmenter().prediction(for: several.images, grid: .image, work: work).heads[0].values
  for voxel in 0..<count {
    let sum = (0...4).reduce(0) { $0 + all[$1 * count + voxel] }
    #expect(abs(sum - 1) < 1e-5)
  }
}

@Test("a CRF without kernels keeps the painted labels of overlapping regions")
func refinedRegions() throws {
  let example = try RegionCase(regionCount: 3, values: [3, 1, 2])
  let prediction = try example.segmenter().prediction(for: example.images, grid: .image, work: work)
  let refinement = try Refinement(
    image: example.images[0], source: .prediction(prediction), labelValues: example.model.labelValues,
    intensityRange: 0...1, postProcessing: .none, work: work)
  var settings = RefinementSettings()
  settings.appearanceWeight = 0
  settings.smoothnessWeight = 0
  #expect(try refinement.labels(settings: settings, work: work).voxels == example.painted)
  let entropies = try prediction.classEntropies(auxiliaryHeadWeights: [], work: work)
  #expect(Set(entropies.keys) == [1, 2, 3])
}

@Test("heads of other classes than the main one are not mixed with it")
func headsOfOtherClasses() throws {
  let other = Head("other", layer: "two", lossWeight: 0)
  let same = Head("same", layer: "regions", activation: .sigmoid, lossWeight: 0.5)
  let example = try RegionCase(regionCount: 3, values: [3, 1, 2], extraHeads: [other, same])
  #expect(example.model.auxiliaryHeadCount == 1)
  let segmenter = try example.segmenter(usesAuxiliaryHeads: true)
  let prediction = try segmenter.prediction(for: example.images, grid: .image, work: work)
  #expect(prediction.heads.count == 2)
  let mixed = try segmenter.labels(of: prediction, auxiliaryHeadWeights: [0.4], work: work).labels
  #expect(mixed.voxels == example.painted)
  #expect(
    throws: InputError("tau", "more auxiliary heads than the network has", found: "2", expected: "1")
  ) { try segmenter.labels(of: prediction, auxiliaryHeadWeights: [0, 0.4], work: work) }
}

@Test("a model file keeps sigmoid heads, and has a label for each of their channels")
func modelFileOfRegions() throws {
  try withTemporaryFolder { folder in
    var example = try RegionCase(regionCount: 2, values: [4, 1])
    example.model.graph.heads[0].regions = [[1, 2], [2]]
    let path = folder + "/regions.safetensors"
    try example.model.write(to: path)
    let model = try SegmentationModel(path: path)
    #expect(model.graph == example.model.graph)
    #expect(model.labels.map(\.value) == [4, 1])
    example.model.labels.removeLast()
    let other = folder + "/other.safetensors"
    try example.model.write(to: other)
    #expect(
      throws: InputError(other, "labels in its metadata", found: "1", expected: "2, one per class")
    ) { try SegmentationModel(path: other) }
  }
}

/// A bright box of class 1 with a brighter core of class 2, in noise.
private func nestedCase(_ number: Int) -> TrainingCase {
  let size = GridSize(16, 16, 12)
  var generator = SplitMix64(seed: UInt64(number))
  let corner = VoxelIndex(
    generator.index(below: 6), generator.index(below: 6), generator.index(below: 3))
  var (intensities, classes): ([Float], [UInt8]) = ([], [])
  for offset in 0..<size.voxelCount {
    let voxel = size.index(offset: offset)
    let depth = (0..<3).map { min(voxel[$0] - corner[$0], corner[$0] + 9 - voxel[$0]) }.min()!
    classes.append(depth >= 3 ? 2 : depth >= 0 ? 1 : 0)
    intensities.append(Float(0.2 + 0.3 * Double(classes[offset]) + generator.uniform(-0.1...0.1)))
  }
  return TrainingCase(
    name: "nested \(number)", size: size, intensities: intensities, classes: classes, classCount: 3)
}

@Test("a network learns nested regions and paints the core over the whole: Dice above 0.8 of both labels")
func trainedRegions() throws {
  let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
  let graph = NetworkGraph(
    inputChannels: 1,
    layers: [
      Layer("conv1", from: NetworkGraph.inputName, .convolution(same, outputChannels: 8, hasBias: true)),
      Layer("norm1", from: "conv1", .batchNormalisation(epsilon: 1e-5)), Layer("relu1", from: "norm1", .relu),
      Layer("score", from: "relu1", .convolution(same, outputChannels: 2, hasBias: true)),
    ],
    // The first region is the whole box, the second its core.
    heads: [Head("main", layer: "score", activation: .sigmoid, regions: [[1, 2], [2]], lossWeight: 1)])
  var settings = TrainingSettings()
  settings.cropSize = GridSize(16, 16, 12)
  settings.iterations = 120
  settings.validationInterval = 60
  settings.augmentation = .none
  settings.options = TrainingOptions(
    schedule: .polynomial(rate: 0.2, iterations: settings.iterations),
    loss: try Loss("cross-entropy + dice", option: "--loss"), ignoredLabel: TrainingCase.ignoredClass,
    gradientNormClip: 5)
  let cases = TrainingCases(training: (1...4).map(nestedCase), validation: (11...12).map(nestedCase))
  var run = try TrainingRun(
    trainer: Trainer(graph: graph, options: settings.options, seed: 3), settings: settings, cases: cases)
  try run.run(work: work, observer: TrainingRun.Observer(record: { _ in }, checkpoint: { _, _ in }))
  let metrics = try #require(run.progress.best?.metrics)
  #expect(metrics.meanDice.count == 2 && metrics.meanDice.allSatisfy { $0 > 0.8 }, "\(metrics.meanDice)")
  let model = SegmentationModel(
    name: "nested", graph: graph, parameters: try #require(run.bestParameters),
    labels: [1, 2].map { Label(value: $0, name: "class \($0)", colour: RGBColour(1, 2, 3)) },
    preprocessing: Preprocessing(
      spacingMillimetres: Spacing(1), normalisation: .window(lower: 0, upper: 1)))
  let example = nestedCase(11)
  let volume = ScalarVolume(
    grid: VolumeGrid(size: example.size, affine: Affine(spacing: Spacing(1))), voxels: example.intensities)
  let found = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work).labels(
    of: [volume], work: work
  )
  .labels
  for (index, expected) in metrics.cases[0].dice.enumerated() {
    let value = index + 1
    let common = zip(found.voxels, example.classes).count { $0 == value && $1 == value }
    let dice = diceCoefficient(
      found.voxels.count { $0 == value }, example.classes.count { $0 == value }, common: common)
    #expect(abs(dice - expected) < 1e-3)
  }
  // A loss without a definition for regions is refused before the first iteration.
  settings.options.loss = try Loss("cosine", option: "--loss")
  let trainer = try Trainer(graph: graph, options: settings.options, seed: 3)
  #expect(
    throws: InputError(
      "--loss", "cannot train the sigmoid head main", found: "cosine",
      expected: "cross-entropy, dice, tversky")
  ) { try TrainingRun(trainer: trainer, settings: settings, cases: cases) }
}

private func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
  guard one.count == other.count else { return .infinity }
  return zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
