import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import Work

/// A liver network with random weights and an image with structure; its labels mean nothing, but they occur
/// everywhere alike.
private struct RandomCase {
  let model: SegmentationModel
  let image: ScalarVolume

  init(
    size: GridSize = GridSize(40, 36, 28), spacing: Spacing = Spacing(3), graph: NetworkGraph = .liver()
  ) throws {
    let parameters = Parameters(initialising: try graph.resolved(), seed: 11)
    model = SegmentationModel(
      name: "random", graph: graph, parameters: parameters,
      labels: [Label(value: 7, name: "liver", colour: RGBColour(1, 2, 3))],
      preprocessing: Preprocessing(
        spacingMillimetres: Spacing(3), normalisation: .window(lower: -100, upper: 200)))
    var generator = SplitMix64(seed: 4)
    let grid = VolumeGrid(size: size, affine: Affine(spacing: spacing, origin: WorldPoint(-10, 20, 5)))
    image = ScalarVolume(
      grid: grid,
      voxels: (0..<size.voxelCount).map { offset in
        let voxel = size.index(offset: offset)
        return Float(voxel.i * 6 - voxel.j * 3 + voxel.k * 2) + Float(generator.uniform(-40...40))
      })
  }

  func prediction(_ tiling: Tiling = .whole, of image: ScalarVolume? = nil, threads: Int = 2) throws
    -> NetworkPrediction
  {
    let work = WorkContext(threadCount: threads)
    return try Segmenter(model: model, usesAuxiliaryHeads: true, work: work)
      .prediction(for: [image ?? self.image], tiling: tiling, work: work)
  }
}

private func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
  zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

@Test("exact tiles give the logits of the whole volume in every head")
func exactTilesAgree() throws {
  let example = try RandomCase(size: GridSize(83, 70, 57))
  let whole = try example.prediction()
  let tiled = try example.prediction(.exact(Extent3(32, 32, 40)))
  #expect(whole.heads.count == 3)
  for (one, other) in zip(whole.heads, tiled.heads) {
    #expect(one.grid == other.grid)
    #expect(largestDifference(one.values, other.values) < 1e-4)
  }
}

@Test(
  "a network whose logits depend on the whole image runs whole and in averaged tiles, but not in exact ones")
func wholeImageNetwork() throws {
  let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
  let example = try RandomCase(
    graph: NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("conv", from: NetworkGraph.inputName, .convolution(same, outputChannels: 4, hasBias: false)),
        Layer("norm", from: "conv", .instanceNormalisation(epsilon: 1e-5)),
        Layer("score", from: "norm", .convolution(same, outputChannels: 2, hasBias: true)),
      ], heads: [Head("main", layer: "score", lossWeight: 1)]))
  #expect(
    throws: InputError(
      "random", "its logits depend on the whole image, so that no tiling gives those of the whole",
      expected: "the whole image, or tiles that are averaged or vote")
  ) { try example.prediction(.exact(Extent3(16))) }
  let whole = try example.prediction()
  let averaged = try example.prediction(.average(Extent3(16)))
  #expect(averaged.heads[0].grid == whole.heads[0].grid)
  #expect(largestDifference(averaged.heads[0].values, whole.heads[0].values) > 1e-3)
}

@Test(
  "on the image's own grid, labels and probabilities do not depend on the slabs, whatever the orientation")
func slabsOnTheImagesGrid() throws {
  let example = try RandomCase(size: GridSize(45, 38, 67), spacing: Spacing(2, 1.5, 2.5))
  let work = WorkContext(threadCount: 2)
  let axes = ReorientedGrid(example.image.grid, orientation: try #require(Orientation(code: "LPS")))
  let image = try axes.reoriented(example.image, work: work)
  var segmenter = try Segmenter(model: example.model, usesAuxiliaryHeads: true, work: work)
  let whole = try segmenter.prediction(for: [image], grid: .image, work: work)
  let labels = try segmenter.labels(of: whole, auxiliaryHeadWeights: [0.2, 0.1], work: work).labels
  #expect(whole.heads[0].grid.size == example.image.grid.size)
  #expect(Set(labels.voxels) == [0, 7])
  // Hardly more than the least that there is: slabs of few planes.
  segmenter.memoryLimit = 0
  let slabs = try segmenter.prediction(for: [image], grid: .image, work: work)
  for (one, other) in zip(slabs.heads, whole.heads) {
    #expect(one.grid == other.grid)
    #expect(largestDifference(one.values, other.values) < 1e-5)
  }
  let found = try segmenter.labels(of: [image], auxiliaryHeadWeights: [0.2, 0.1], work: work).labels
  #expect(found.grid == image.grid)
  let differing = zip(found.voxels, labels.voxels).count { $0 != $1 }
  #expect(differing <= labels.voxels.count / 20_000)
  #expect(throws: InputError.self) {
    try segmenter.labels(of: [image], auxiliaryHeadWeights: [0.8, 0.4], work: work)
  }
}

@Test("averaged and voting tiles give probabilities that add up to 1")
func fusedTilesAddUp() throws {
  let example = try RandomCase(size: GridSize(70, 40, 36))
  for tiling in [Tiling.average(Extent3(32)), .vote(Extent3(32))] {
    let head = try example.prediction(tiling).heads[0]
    let count = head.grid.size.voxelCount
    #expect((0..<count).allSatisfy { abs(head.values[$0] + head.values[count + $0] - 1) < 1e-5 })
  }
}

@Test("labels do not depend on how the image is stored, nor on the number of threads")
func storageDoesNotMatter() throws {
  let example = try RandomCase()
  let work = WorkContext()
  let labels = try example.prediction().labels(auxiliaryHeadWeights: [], labelValues: [0, 7], work: work)
  let single = try example.prediction(threads: 1)
    .labels(auxiliaryHeadWeights: [], labelValues: [0, 7], work: work)
  #expect(single == labels)
  let axes = ReorientedGrid(example.image.grid, orientation: try #require(Orientation(code: "SPL")))
  let moved = try axes.reoriented(example.image, work: work)
  let found = try example.prediction(of: moved).labels(
    auxiliaryHeadWeights: [], labelValues: [0, 7], work: work)
  #expect(try axes.restored(found, work: work) == labels)
}

@Test("a refinement of a prediction equals that of the probabilities written from it, voxel for voxel")
func predictionAndProbabilitiesAgree() throws {
  let example = try RandomCase(size: GridSize(60, 50, 30), spacing: Spacing(1.5, 2, 4))
  let work = WorkContext()
  let prediction = try example.prediction()
  var settings = RefinementSettings()
  settings.thetaBeta = 40
  for weights in [[], [0.2, 0.3]] {
    settings.auxiliaryHeadWeights = weights
    let probabilities = try prediction.probabilities(auxiliaryHeadWeights: weights, work: work)
    func refined(_ source: UnarySource, _ settings: RefinementSettings) throws -> LabelVolume {
      try Refinement(
        image: example.image, source: source, labelValues: [0, 7], intensityRange: -100...200,
        postProcessing: .none, work: work
      ).labels(settings: settings, work: work)
    }
    let onScreen = try refined(.prediction(prediction), settings)
    settings.auxiliaryHeadWeights = []
    let fromFile = try refined(.probabilities(probabilities), settings)
    #expect(onScreen == fromFile)
    #expect(Set(onScreen.voxels) == [0, 7])
  }
}

@Test("a refinement after one with other kernels equals a fresh one")
func keptPreparationsDoNotLeak() throws {
  let example = try RandomCase()
  let work = WorkContext()
  let prediction = try example.prediction()
  func fresh() throws -> Refinement {
    try Refinement(
      image: example.image, source: .prediction(prediction), labelValues: [0, 7], intensityRange: nil,
      postProcessing: .none, work: work)
  }
  let used = try fresh()
  var settings = RefinementSettings()
  _ = try used.labels(settings: settings, work: work)
  settings.auxiliaryHeadWeights = [0.3, 0.2]
  _ = try used.labels(settings: settings, work: work)
  settings.thetaAlphaMillimetres = Spacing(7)
  settings.auxiliaryHeadWeights = [0.1]
  #expect(try used.labels(settings: settings, work: work) == fresh().labels(settings: settings, work: work))
}

@Test("heads cannot be mixed by more weights than there are heads, nor by weights above 1 in all")
func impossibleMixes() throws {
  let prediction = try RandomCase().prediction()
  for weights in [[0.1, 0.1, 0.1], [0.8, 0.4], [-0.1]] {
    #expect(throws: InputError.self) { try prediction.mixed(auxiliaryHeadWeights: weights) }
  }
}

@Test("a model is read back as it was written, and refused when its labels do not fit its classes")
func modelRoundTrip() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.safetensors"
    var model = try RandomCase().model
    model.refinement.thetaBeta = 12
    model.postProcessing = PostProcessing(keepsLargestComponent: true, fillsHoles: true)
    try model.write(to: path)
    let read = try SegmentationModel(path: path)
    #expect(read.parameters == model.parameters)
    #expect(read.labels == model.labels && read.preprocessing == model.preprocessing)
    #expect(read.refinement == model.refinement && read.postProcessing == model.postProcessing)
    model.labels.append(Label(value: 8, name: "lesion", colour: RGBColour(4, 5, 6)))
    let other = folder + "/other.safetensors"
    try model.write(to: other)
    #expect(throws: InputError(other, "labels in its metadata", found: "2", expected: "1, one per class")) {
      try SegmentationModel(path: other)
    }
  }
}
