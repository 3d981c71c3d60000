import DenseCRF
import Segmentation
import TestSupport
import Testing
import Volumes
import Work

/// A box, a ball of label 3 and one of label 7 beside it, in an image that shows them, and a mask with ragged borders.
private struct Example {
  let size = GridSize(48, 40, 32)
  let grid: VolumeGrid
  let image: ScalarVolume
  let mask: LabelVolume

  init() {
    var random = SplitMix64(seed: 12)
    grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1)))
    var voxels: [Float] = []
    var labels: [UInt16] = []
    for offset in 0..<size.voxelCount {
      let index = size.index(offset: offset)
      let (y, z) = (Double(index.j) - 20, Double(index.k) - 16)
      func distance(_ centre: Double, _ noise: Double) -> Double {
        let x = Double(index.i) - centre
        return (x * x + y * y + z * z).squareRoot() + noise
      }
      let ragged = random.uniform(-2...2)
      voxels.append(
        (distance(16, 0) < 9 ? 100 : distance(33, 0) < 8 ? 200 : 0) + 8 * Float(random.normal()))
      labels.append(distance(16, ragged) < 9 ? 3 : distance(33, ragged) < 8 ? 7 : 0)
    }
    image = ScalarVolume(grid: grid, voxels: voxels)
    mask = LabelVolume(grid: grid, voxels: labels)
  }

  var settings: RefinementSettings {
    RefinementSettings(
      appearanceWeight: 4, thetaAlphaMillimetres: Spacing(3), thetaBeta: 30, smoothnessWeight: 2,
      thetaGammaMillimetres: Spacing(1))
  }

  func refinement(_ source: UnarySource? = nil) throws -> Refinement {
    try Refinement(
      image: image, source: source ?? .mask(mask, confidence: 0.8), labelValues: [0, 3, 7],
      intensityRange: -50...250, postProcessing: .none, work: WorkContext())
  }

  /// The mask's labels as probabilities.
  var probabilities: ProbabilityVolume {
    let values = [UInt16(0), 3, 7].flatMap { value in
      mask.voxels.map { $0 == value ? Float(0.8) : Float((1 - 0.8) / 2.0) }
    }
    return ProbabilityVolume(grid: grid, classCount: 3, values: values)
  }
}

@Suite("Refinement of an image") struct RefinementTests {
  private let example = Example()

  @Test("a mask is refined like probabilities with the same labels and certainty")
  func maskAndProbabilities() throws {
    let work = WorkContext()
    let fromMask = try example.refinement()
    let fromProbabilities = try example.refinement(.probabilities(example.probabilities))
    let refined = try fromMask.labels(settings: example.settings, work: work)
    #expect(try fromProbabilities.labels(settings: example.settings, work: work) == refined)
    #expect(try fromProbabilities.contrasts(work: work) == fromMask.contrasts(work: work))
    #expect(refined != example.mask)
  }

  @Test("only the labels that may change exchange voxels, with each other and with background")
  func changedLabels() throws {
    let refinement = try example.refinement()
    let work = WorkContext()
    let all = try refinement.labels(settings: example.settings, work: work)
    var limited = example.settings
    limited.changedLabels = [7]
    let some = try refinement.labels(settings: limited, work: work)
    let expected = zip(example.mask.voxels, all.voxels).map { before, after in
      before != 3 && after != 3 ? after : before
    }
    #expect(some.voxels == expected)
    #expect(some != all && some != example.mask)
  }

  @Test("a region agrees with the whole image except for its border, which is cropped inside the image only")
  func region() throws {
    let refinement = try example.refinement()
    let work = WorkContext()
    let whole = try refinement.labels(settings: example.settings, work: work)
    let wanted = VoxelBounds(lower: VoxelIndex(0, 8, 3), upper: VoxelIndex(39, 35, 31))
    let region = try refinement.region(wanted, settings: example.settings, work: work)
    // One and a half widths are 4.5 voxels, an eighth of the sides 5, 3 and 3. Along k the CRF begins at the image's
    // face, a multiple of eight before the region.
    #expect(region.box == VoxelBounds(lower: VoxelIndex(0, 11, 3), upper: VoxelIndex(35, 32, 31)))
    #expect(region.labels.grid.size == region.box.size)
    #expect(region.labels.grid.affine.origin == example.grid.affine.world(region.box.lower))
    let own = whole.voxels.cropped(to: region.box, size: example.size)
    let differing = zip(own, region.labels.voxels).count { $0 != $1 }
    #expect(differing * 1000 < own.count, "\(differing) of \(own.count)")
    #expect(own != example.mask.voxels.cropped(to: region.box, size: example.size))
  }

  @Test("the refinement of the whole image does not depend on earlier refinements")
  func historyDoesNotMatter() throws {
    let (size, work) = (example.size, WorkContext())
    func head(_ confidence: Float) -> ProbabilityVolume {
      let liver = example.mask.voxels.map { $0 == 3 ? confidence : 0.1 }
      return ProbabilityVolume(
        grid: example.grid, classCount: 2, values: liver.map { 1 - $0 } + liver)
    }
    func refinement() throws -> Refinement {
      let axes = ReorientedGrid(example.grid, orientation: example.grid.orientation)
      return try Refinement(
        image: example.image,
        source: .prediction(NetworkPrediction(axes: axes, heads: [head(0.8), head(0.52)])),
        labelValues: [0, 3], intensityRange: -50...250, postProcessing: .none, work: work)
    }
    var wide = example.settings
    (wide.thetaAlphaMillimetres, wide.thetaBeta) = (Spacing(9), 60)
    var mixed = example.settings
    mixed.auxiliaryHeadWeights = [0.9]
    let used = try refinement()
    for settings in [wide, example.settings, mixed, example.settings] {
      let alone = try refinement().labels(settings: settings, work: work)
      _ = try used.region(VoxelBounds(size), settings: settings, work: work)
      #expect(try used.labels(settings: settings, work: work) == alone)
    }
  }

  @Test("weights above the mask's margin can move every border voxel, weights below it none")
  func movableFraction() throws {
    let refinement = try example.refinement()
    let region = VoxelBounds(example.size)
    // ln(0.8 / 0.1)
    let margin = 2.0794415
    for (weight, fraction) in [(margin + 0.01, 1.0), (margin - 0.01, 0)] {
      var settings = example.settings
      (settings.appearanceWeight, settings.smoothnessWeight) = (weight / 2, weight / 2)
      let found = try refinement.region(region, settings: settings, work: WorkContext())
      #expect(found.movableFraction == fraction)
    }
    var settings = example.settings
    settings.normalisation = .none
    #expect(
      try refinement.region(region, settings: settings, work: WorkContext()).movableFraction == nil)
  }
}
