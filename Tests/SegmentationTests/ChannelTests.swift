import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import Work

/// A preprocessing on a grid of 1 mm of a window that leaves 0...1 as it is, and of one that halves.
private let twoChannels = Preprocessing(
  spacingMillimetres: Spacing(1),
  channels: [
    Preprocessing.Channel(name: "T1", normalisation: .window(lower: 0, upper: 1)),
    Preprocessing.Channel(name: "T2", normalisation: .window(lower: 0, upper: 2)),
  ])

/// Two images of random intensities in 0...1 and 0...2.
private func randomImages(_ size: GridSize, seed: UInt64 = 3) -> [ScalarVolume] {
  var generator = SplitMix64(seed: seed)
  let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1), origin: WorldPoint(-3, 4, 5)))
  return [1.0, 2].map { largest in
    ScalarVolume(
      grid: grid, voxels: (0..<size.voxelCount).map { _ in Float(generator.uniform(0...largest)) })
  }
}

/// A model whose second class has the logit 3 T1 - 2 T2 of the normalised images, the first one 0.
private func differenceModel() throws -> SegmentationModel {
  let point = ConvolutionGeometry(kernel: Extent3(1))
  let graph = NetworkGraph(
    inputChannels: 2,
    layers: [
      Layer("score", from: NetworkGraph.inputName, .convolution(point, outputChannels: 2, hasBias: false))
    ], heads: [Head("main", layer: "score", lossWeight: 1)])
  let weight = Tensor(shape: [2, 2, 1, 1, 1], elements: [0, 0, 3, -2])
  return SegmentationModel(
    name: "difference", graph: graph,
    parameters: try Parameters(["score.weight": weight], for: graph.resolved(), subject: "test"),
    labels: [Label(value: 1, name: "lesion", colour: RGBColour(1, 2, 3))], preprocessing: twoChannels)
}

@Test(
  "a network reads the images of a case in the order of its channels, each normalised on its own, whole, in slabs and tiles",
  arguments: [Tiling.whole, .exact(Extent3(4)), .average(Extent3(4))], [WorkingGrid.model, .image])
func channelsAreRead(tiling: Tiling, grid: WorkingGrid) throws {
  let images = randomImages(GridSize(9, 8, 7))
  let work = WorkContext(threadCount: 2)
  var segmenter = try Segmenter(model: differenceModel(), usesAuxiliaryHeads: false, work: work)
  if tiling == .whole { segmenter.memoryLimit = 0 }
  let prediction = try segmenter.prediction(for: images, grid: grid, tiling: tiling, work: work)
  let count = images[0].voxels.count
  for voxel in 0..<count {
    let logit = 3 * images[0].voxels[voxel] - 2 * (images[1].voxels[voxel] / 2)
    #expect(abs(prediction.heads[0].values[count + voxel] - 1 / (1 + exp(-logit))) < 1e-5)
  }
  if grid == .image, tiling == .whole {
    let labels = try segmenter.labels(of: images, work: work).labels
    #expect(labels.voxels == (0..<count).map { prediction.heads[0].values[count + $0] > 0.5 ? 1 : 0 })
  }
}

@Test("a case with another number of images, or with images on other voxels, is refused with what differs")
func unequalImages() throws {
  let images = randomImages(GridSize(4, 3, 2))
  let work = WorkContext()
  let segmenter = try Segmenter(model: differenceModel(), usesAuxiliaryHeads: false, work: work)
  func refusal(_ images: [ScalarVolume]) -> String {
    do { _ = try segmenter.prediction(for: images, work: work) } catch { return "\(error)" }
    return "accepted"
  }
  #expect(refusal([images[0]]) == "network: takes several images of a case: T1, T2: found 1, expected 2")
  #expect(
    refusal(images + [images[0]]) == "network: takes several images of a case: T1, T2: found 3, expected 2")
  #expect(
    refusal([images[0], randomImages(GridSize(4, 3, 3))[0]])
      == "T2: does not fit T1: other dimensions: found 4x3x3, expected 4x3x2")
  let axes = ReorientedGrid(images[1].grid, orientation: try #require(Orientation(code: "LAS")))
  #expect(
    refusal([images[0], try axes.reoriented(images[1], work: work)])
      == "T2: lies on the voxels of T1 in another order: found LAS, expected RAS")
  // The grids of files differ by the rounding of their headers.
  var rounded = images[1].grid
  rounded.affine.origin.x += 1e-6
  #expect(refusal([images[0], ScalarVolume(grid: rounded, voxels: images[1].voxels)]) == "accepted")
}

@Test("a model file names several channels, and one without a name is written as it always was")
func channelsInModelFiles() throws {
  try withTemporaryFolder { folder in
    let model = try differenceModel()
    #expect(
      model.metadata["preprocessing"]
        == #"{"channels":[{"name":"T1","normalisation":{"kind":"window","lower":0,"upper":1}},"#
        + #"{"name":"T2","normalisation":{"kind":"window","lower":0,"upper":2}}],"#
        + #""orientation":"RAS","spacingMillimetres":{"i":1,"j":1,"k":1}}"#)
    let path = folder + "/two.safetensors"
    try model.write(to: path)
    #expect(try SegmentationModel(path: path).preprocessing == twoChannels)
    var single = model
    single.preprocessing = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScore)
    #expect(
      single.metadata["preprocessing"]
        == #"{"normalisation":{"kind":"standard-score"},"orientation":"RAS","spacingMillimetres":{"i":1,"j":1,"k":1}}"#
    )
    let other = folder + "/one.safetensors"
    try single.write(to: other)
    #expect(
      throws: InputError(
        other, "channels in its preprocessing", found: "1",
        expected: "2, one for each input channel of its network")
    ) { try SegmentationModel(path: other) }
    single.preprocessing.channels = [twoChannels.channels[0], twoChannels.channels[0]]
    let same = folder + "/same.safetensors"
    try single.write(to: same)
    #expect(
      throws: InputError(
        same, "names of channels are unusable", found: "T1, T1", expected: "a name of its own for each")
    ) { try SegmentationModel(path: same) }
  }
}

@Test("an image is compared with the training images of its channel, which a mismatch names")
func mismatchOfChannel() {
  let rule = Preprocessing(
    spacingMillimetres: Spacing(1),
    channels: [
      Preprocessing.Channel(name: "CT", normalisation: .window(lower: -125, upper: 240)),
      Preprocessing.Channel(name: "PET", normalisation: .standardScore),
    ])
  let grid = VolumeGrid(size: GridSize(2, 1, 1), affine: Affine(spacing: Spacing(1)))
  func mismatch(_ ct: [Float], _ pet: [Float]) -> String? {
    rule.mismatch(with: [ct, pet].map { ScalarVolume(grid: grid, voxels: $0) })
  }
  #expect(mismatch([-1000, 90], [0, 9]) == nil)
  #expect(
    mismatch([0, 9], [-1000, 90])
      == "channel CT: the model expects CT in Hounsfield units, and this image has no value below 0")
  #expect(
    mismatch([-1000, 90], [-1000, 90])
      == "channel PET: the model was not trained on CT, and this image looks like one: values from -1000")
}

@Test("a case has the normalised voxels of all its images, channel after channel")
func caseOfChannels() throws {
  let images = randomImages(GridSize(3, 2, 1))
  let example = try TrainingCase(
    name: "case", images: images, labels: LabelVolume(grid: images[0].grid, voxels: [0, 1, 0, 0, 1, 0]),
    selections: [LabelSelection(values: [1])], preprocessing: twoChannels, work: WorkContext())
  #expect(example.channelCount == 2)
  #expect(example.classes == [0, 1, 0, 0, 1, 0])
  let expected = images[0].voxels.map { $0 } + images[1].voxels.map { $0 / 2 }
  #expect(example.intensities.count == expected.count)
  #expect(zip(example.intensities, expected).allSatisfy { abs($0 - $1) < 1e-6 })
}

@Test("the images of a case are moved together, and the intensities of each are changed on their own")
func channelsAreAugmented() throws {
  let size = GridSize(20, 18, 16)
  let image = randomImages(size)[0].voxels.map { $0 }
  let classes = image.map { UInt8($0 > 0.9 ? 1 : 0) }
  func crop(_ intensities: [Float], _ change: (inout Augmentation) -> Void = { _ in }) throws -> Crop {
    var augmentation = Augmentation()
    change(&augmentation)
    var generator = SplitMix64(seed: 6)
    return try CropSampler(size: GridSize(12, 10, 9), augmentation: augmentation).crop(
      of: TrainingCase(
        name: "case", size: size, intensities: intensities, classes: classes, classCount: 2),
      using: &generator, work: WorkContext(threadCount: 2))
  }
  let count = 12 * 10 * 9
  let single = try crop(image)
  let both = try crop(image + image)
  // The first image and the classes are those of the case with one image.
  #expect(both.classes == single.classes)
  #expect(Array(both.intensities[..<count]) == single.intensities)
  #expect(both.intensities.count == 2 * count)
  #expect(both.intensities[..<count] != both.intensities[count...])
  let moved = try crop(image + image) {
    ($0.gain, $0.shift, $0.logGamma, $0.noise, $0.blurProbability) = (0, 0, 0, 0, 0)
  }
  #expect(moved.intensities[..<count] == moved.intensities[count...])
  #expect(Set(moved.intensities).count > 100)
}

/// Boxes of class 1 in images of blocks of random brightness: the second image is brighter than the first in the box.
private func differenceCase(_ number: Int) -> TrainingCase {
  let size = GridSize(16, 16, 16)
  var generator = SplitMix64(seed: UInt64(number))
  let corner = VoxelIndex(generator.index(below: 8), generator.index(below: 8), generator.index(below: 8))
  let blocks = (0..<64).map { _ in Float(generator.uniform(0...1)) }
  var (first, second): ([Float], [Float]) = ([], [])
  var classes: [UInt8] = []
  for offset in 0..<size.voxelCount {
    let voxel = size.index(offset: offset)
    let isInside = (0..<3).allSatisfy { voxel[$0] >= corner[$0] && voxel[$0] < corner[$0] + 8 }
    classes.append(isInside ? 1 : 0)
    let block = blocks[voxel.i / 4 + voxel.j / 4 * 4 + voxel.k / 4 * 16]
    first.append(block + Float(generator.uniform(-0.1...0.1)))
    second.append(block + Float(generator.uniform(-0.1...0.1)) + (isInside ? 0.3 : 0))
  }
  return TrainingCase(
    name: "difference \(number)", size: size, intensities: first + second, classes: classes, classCount: 2)
}

@Test("a network learns what only two images together show: Dice above 0.85 on cases it has not seen")
func learnsFromTwoImages() throws {
  let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
  let graph = NetworkGraph(
    inputChannels: 2,
    layers: [
      Layer("conv1", from: NetworkGraph.inputName, .convolution(same, outputChannels: 8, hasBias: true)),
      Layer("bn1", from: "conv1", .batchNormalisation(epsilon: 1e-5)), Layer("relu1", from: "bn1", .relu),
      Layer("conv2", from: "relu1", .convolution(same, outputChannels: 8, hasBias: true)),
      Layer("bn2", from: "conv2", .batchNormalisation(epsilon: 1e-5)), Layer("relu2", from: "bn2", .relu),
      Layer("score", from: "relu2", .convolution(same, outputChannels: 2, hasBias: true)),
    ], heads: [Head("main", layer: "score", lossWeight: 1)])
  var settings = TrainingSettings()
  settings.cropSize = GridSize(16, 16, 16)
  settings.iterations = 80
  settings.validationInterval = 20
  settings.augmentation = .none
  settings.options = TrainingOptions(
    schedule: .polynomial(rate: 0.1, iterations: 80), ignoredLabel: TrainingCase.ignoredClass,
    gradientNormClip: 5)
  let cases = TrainingCases(
    training: (1...6).map(differenceCase), validation: (101...102).map(differenceCase))
  let trainer = try Trainer(graph: graph, options: settings.options, seed: 3)
  var run = try TrainingRun(trainer: trainer, settings: settings, cases: cases)
  try run.run(
    work: WorkContext(), observer: TrainingRun.Observer(record: { _ in }, checkpoint: { _, _ in }))
  #expect((run.progress.best?.metrics.overallDice ?? 0) > 0.85)
  var one = graph
  one.inputChannels = 1
  #expect(
    throws: InputError(
      "difference 1", "has another number of images than the network has input channels", found: "2",
      expected: "1")
  ) {
    try TrainingRun(
      trainer: Trainer(graph: one, options: settings.options, seed: 3), settings: settings, cases: cases)
  }
}

@Test("each channel gets the normalisation that its own images suggest")
func normalisationOfChannels() {
  let grid = VolumeGrid(size: GridSize(1000, 1, 1), affine: Affine(spacing: Spacing(1)))
  var fingerprint = DatasetFingerprint()
  fingerprint.add(grid, orientation: .ras)
  let ct = (0..<1000).map { Float($0) - 1000 + ($0 > 900 ? 200 : 0) }
  fingerprint.add(
    [ct, ct.map { abs($0) }].map { ScalarVolume(grid: grid, voxels: $0) },
    labels: LabelVolume(grid: grid, voxels: (0..<1000).map { $0 > 900 ? 1 : 0 }), codes: [1])
  // Labelled voxels are 101 to 199.
  #expect(fingerprint.normalisation(ofChannel: 0).value == .window(lower: 50, upper: 250))
  #expect(fingerprint.normalisation(ofChannel: 1).value == .standardScore)
}

@Test(
  "a model states version 2 of the format only where a channel has a normalisation that version 1 has not")
func formatVersion() throws {
  try withTemporaryFolder { folder in
    var model = try differenceModel()
    #expect(model.file.formatVersion == "1")
    let path = folder + "/later.safetensors"
    model.preprocessing.channels[1].normalisation = .percentiles(lower: 0, upper: 100)
    try model.write(to: path)
    #expect(try ModelFile(path: path).formatVersion == "2")
    #expect(try ModelFile(path: path).texts["segdeck.format"] == "2")
    #expect(try SegmentationModel(path: path).preprocessing == model.preprocessing)
  }
}
