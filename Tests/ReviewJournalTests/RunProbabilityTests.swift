import Foundation
import ImageFormats
import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import Work
import segdeck

@Suite("Probabilities of network runs")
struct RunProbabilityTests {
  /// A model file whose masks mix auxiliary heads, and an image.
  private struct Fixture {
    let folder = NSTemporaryDirectory() + "segdeck-runs-\(UUID().uuidString)"
    let path: String
    let model: SegmentationModel
    let image: ScalarVolume

    init(auxiliaryHeadWeights: [Double]) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      path = folder + "/random.safetensors"
      let graph = NetworkGraph.liver()
      let written = SegmentationModel(
        name: "random", graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 5),
        labels: [Label(value: 7, name: "liver", colour: RGBColour(1, 2, 3))],
        preprocessing: Preprocessing(
          spacingMillimetres: Spacing(3), normalisation: .window(lower: -100, upper: 200)),
        refinement: RefinementSettings(auxiliaryHeadWeights: auxiliaryHeadWeights))
      try written.write(to: path)
      model = try SegmentationModel(path: path)
      var generator = SplitMix64(seed: 9)
      let grid = VolumeGrid(
        size: GridSize(40, 36, 28), affine: Affine(spacing: Spacing(3), origin: WorldPoint(0, 0, 0)))
      image = ScalarVolume(
        grid: grid,
        voxels: (0..<grid.size.voxelCount).map {
          Float(grid.size.index(offset: $0).i * 6) + Float(generator.uniform(-40...40))
        })
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// The prediction of all heads.
    func prediction() throws -> NetworkPrediction {
      try Segmenter(model: model, usesAuxiliaryHeads: true, work: WorkContext()).prediction(
        for: [image], work: WorkContext())
    }
  }

  @Test("they are those of the mask for every purpose, whatever heads a refinement had computed")
  func oneRule() throws {
    let weights = [0.3, 0.2]
    let fixture = try Fixture(auxiliaryHeadWeights: weights)
    defer { fixture.remove() }
    let work = WorkContext()
    let expected = try fixture.prediction().mixed(auxiliaryHeadWeights: weights)
    let cache = NetworkRunCache()
    let run = try cache.segment(fixture.path, fixture.image, work)
    let own = try #require(cache.probabilities(ofRun: run.number))
    #expect(try own.mixed() == expected)
    #expect(own.imageGrid == fixture.image.grid && own.labelValues == [0, 7])
    let prediction = try fixture.prediction()
    let slices = try prediction.sliceEntropies(auxiliaryHeadWeights: weights, work: work)
    #expect(try own.sliceEntropies(work: work) == slices)
    let liver = try prediction.probability(ofClass: 1, auxiliaryHeadWeights: weights, work: work)
    #expect(try own.probability(ofLabel: 7, work: work) == liver)
    #expect(try own.probability(ofLabel: 1, work: work) == nil)
    let classes = try prediction.classEntropies(auxiliaryHeadWeights: weights, work: work)
    let uncertainties = try own.uncertainties(work: work)
    #expect(uncertainties.map(\.entropy) == [classes[1]].compactMap(\.self))
    #expect(uncertainties.map(\.label) == ["liver"] && uncertainties.map(\.network) == ["random"])
  }

  @Test("a run of an earlier session has none until its network runs again, and then those of its mask")
  func restored() throws {
    let fixture = try Fixture(auxiliaryHeadWeights: [0.3, 0.2])
    defer { fixture.remove() }
    let work = WorkContext()
    let cache = NetworkRunCache()
    let image = fixture.image
    let number = cache.restore(fixture.path, checksum: nil) { image }
    #expect(cache.probabilities(ofRun: number) == nil)
    // The CRF without auxiliary heads needs the main head alone, of which the mask was not made.
    _ = try cache.refinement(ofRun: number, auxiliaryHeadWeights: [0, 0], work)
    #expect(cache.probabilities(ofRun: number) == nil)
    let expected = try fixture.prediction().mixed(auxiliaryHeadWeights: [0.3, 0.2])
    #expect(try cache.computeProbabilities(ofRun: number, work).mixed() == expected)
    #expect(try cache.probabilities(ofRun: number)?.mixed() == expected)
    #expect(throws: InputError.self) { try cache.computeProbabilities(ofRun: 99, work) }
  }

  @Test("masks of the main head alone have its probabilities, also where all heads are in memory")
  func mainHead() throws {
    let fixture = try Fixture(auxiliaryHeadWeights: [0, 0])
    defer { fixture.remove() }
    let work = WorkContext()
    let cache = NetworkRunCache()
    let run = try cache.segment(fixture.path, fixture.image, work)
    let main = try fixture.prediction().heads[0]
    #expect(try cache.probabilities(ofRun: run.number)?.mixed() == main)
    _ = try cache.refinement(ofRun: run.number, auxiliaryHeadWeights: [0.4, 0], work)
    #expect(try cache.probabilities(ofRun: run.number)?.mixed() == main)
  }

  @Test(
    "a model of two channels reads the file beside the image, also in a later session, or says that there is none"
  )
  func channels() throws {
    let fixture = try Fixture(auxiliaryHeadWeights: [])
    defer { fixture.remove() }
    let work = WorkContext()
    let grid = fixture.image.grid
    let images = [fixture.image, ScalarVolume(grid: grid, voxels: fixture.image.voxels.map { 50 - $0 })]
    for (channel, image) in images.enumerated() {
      try image.write(to: fixture.folder + "/case_000\(channel).nii", source: ImageSource(grid: grid))
    }
    let point = ConvolutionGeometry(kernel: Extent3(1))
    let graph = NetworkGraph(
      inputChannels: 2,
      layers: [
        Layer("score", from: NetworkGraph.inputName, .convolution(point, outputChannels: 2, hasBias: false))
      ], heads: [Head("main", layer: "score", lossWeight: 1)])
    var model = fixture.model
    model.graph = graph
    model.parameters = try Parameters(
      ["score.weight": Tensor(shape: [2, 2, 1, 1, 1], elements: [0, 0, 2, -3])], for: graph.resolved(),
      subject: "test")
    model.refinement = RefinementSettings()
    let normalisation = Preprocessing.Normalisation.window(lower: -100, upper: 200)
    model.preprocessing.channels = ["T1", "T2"].map { .init(name: $0, normalisation: normalisation) }
    let path = fixture.folder + "/two.safetensors"
    try model.write(to: path)
    let expected = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work)
      .prediction(for: images, work: work).heads[0]

    let cache = NetworkRunCache()
    cache.channels.begin(with: try ImageFile.open(fixture.folder + "/case_0000.nii"))
    let run = try cache.segment(path, images[0], work)
    #expect(try cache.probabilities(ofRun: run.number)?.mixed() == expected)
    let number = cache.restore(path, checksum: nil) { images[0] }
    #expect(try cache.computeProbabilities(ofRun: number, work).mixed() == expected)

    let other = NetworkRunCache()
    other.channels.begin(with: try ImageFile.open(fixture.folder + "/case_0001.nii"))
    #expect(
      throws: InputError(
        path, "takes several images of a case: T1, T2", found: "1",
        expected: "2, as CASE_0000, CASE_0001 in one folder")
    ) { try other.segment(path, images[1], work) }
  }
}
