import DenseCRF
import TestSupport
import Testing
import Volumes
import Work

@Suite("Several images, and the permutohedral lattice") struct SeveralImagesTests {
  /// Exact and fast marginals of a case.
  private func deviation(_ crf: DenseCRF, _ random: RandomCase, _ settings: RefinementSettings) throws
    -> Deviation
  {
    let exact = try crf.refine(random.unary(), settings: settings, method: .exact, wantsMarginals: true)
    let fast = try crf.refine(random.unary(), settings: settings, wantsMarginals: true)
    return try Deviation(fast, from: try #require(exact.marginals))
  }

  @Test("two and three images keep the fidelity of one", arguments: [2, 3], [2, 3])
  func joint(imageCount: Int, classCount: Int) throws {
    let random = RandomCase(GridSize(12, 11, 9), classCount: classCount)
    let crf = try DenseCRF(images: random.images(imageCount), size: random.size, spacing: Spacing(1))
    var settings = random.settings
    settings.furtherThetaBetas = Array([45, 60].prefix(imageCount - 1))
    #expect(try !crf.needsLattice(settings))
    let deviation = try deviation(crf, random, settings)
    #expect(deviation.largest < 0.005)
    #expect(deviation.mean < 2e-4)
    #expect(deviation.labels <= 4)
  }

  @Test("a further image of constant intensity changes nothing")
  func constantImage() throws {
    let random = RandomCase(GridSize(14, 12, 10))
    let flat = DenseCRF.Image(
      voxels: [Float](repeating: 3, count: random.size.voxelCount), intensityRange: 0...9)
    let images = [DenseCRF.Image(voxels: random.image, intensityRange: -50...170), flat]
    var settings = random.settings
    let one = try random.crf().refine(random.unary(), settings: settings, wantsMarginals: true)
    settings.furtherThetaBetas = [2]
    let two = try DenseCRF(images: images, size: random.size, spacing: Spacing(1)).refine(
      random.unary(), settings: settings, wantsMarginals: true)
    #expect(largestDifference(one.marginals, two.marginals) < 0.002)
  }

  @Test("four images, or a kernel too narrow for a low rank, use the lattice, within its error")
  func lattice() throws {
    let random = RandomCase(GridSize(12, 11, 9), classCount: 3)
    var settings = random.settings
    settings.thetaBeta = 0.5
    let narrow = try random.crf()
    #expect(try narrow.needsLattice(settings))
    let alone = try deviation(narrow, random, settings)
    #expect(alone.largest < 0.4)
    #expect(alone.mean < 0.02)
    settings.thetaBeta = 30
    settings.furtherThetaBetas = [30, 40, 50]
    let four = try DenseCRF(images: random.images(4), size: random.size, spacing: Spacing(1))
    #expect(try four.needsLattice(settings))
    let joint = try deviation(four, random, settings)
    #expect(joint.largest < 0.4)
    #expect(joint.mean < 0.02)
  }

  @Test(
    "the lattice supports weights of 0 and the self term, and does not depend on threads",
    arguments: [false, true])
  func latticePromises(excludesSelf: Bool) throws {
    let random = RandomCase(GridSize(15, 11, 9))
    let crf = try random.crf()
    var settings = random.settings
    settings.thetaBeta = 0.5
    settings.excludesSelf = excludesSelf
    let results = try [1, 3].map { threads in
      let work = WorkContext(threadCount: threads)
      return try crf.refine(random.unary(), settings: settings, wantsMarginals: true, work: work)
    }
    #expect(results[0] == results[1])
    let deviation = try deviation(crf, random, settings)
    #expect(deviation.largest < 0.4)
    settings.appearanceWeight = 1e-9
    let nearly = try crf.refine(random.unary(), settings: settings, wantsMarginals: true)
    settings.appearanceWeight = 0
    let none = try crf.refine(random.unary(), settings: settings, wantsMarginals: true)
    #expect(largestDifference(nearly.marginals, none.marginals) < 1e-6)
  }

  @Test("images and θβ that do not fit each other are refused")
  func wrongImages() throws {
    let random = RandomCase(GridSize(6, 5, 4))
    let crf = try DenseCRF(images: random.images(2), size: random.size, spacing: Spacing(1))
    let error = #expect(throws: InputError.self) { try crf.refine(random.unary(), settings: random.settings) }
    #expect(error?.description == "theta beta: needs one value per image: found 1, expected 2")
    #expect(throws: InputError.self) {
      try DenseCRF(images: random.images(6), size: random.size, spacing: Spacing(1))
    }
    var images = random.images(2)
    images[1].voxels[7] = .infinity
    let wrong = #expect(throws: InputError.self) {
      try DenseCRF(images: images, size: random.size, spacing: Spacing(1))
    }
    #expect(
      wrong?.description
        == "image 2: has no intensity at voxel (1, 1, 0): found inf, expected a finite number")
  }
}

@Suite("Parts and coarser cases") struct CoarseningTests {
  @Test("the middle of a box with a margin of four kernel widths is the middle of the whole")
  func cropped() throws {
    let random = RandomCase(GridSize(60, 20, 12))
    let box = VoxelBounds(lower: VoxelIndex(16, 0, 0), upper: VoxelIndex(59, 19, 11))
    var settings = random.settings
    settings.iterations = 1
    let crf = try random.crf()
    let unary = try random.unary()
    let whole = try crf.refine(unary, settings: settings, wantsMarginals: true)
    let part = try crf.cropped(to: box).refine(
      try unary.cropped(to: box), settings: settings, wantsMarginals: true)
    let inner = VoxelBounds(lower: VoxelIndex(48, 0, 0), upper: VoxelIndex(59, 19, 11))
    let innerOfBox = VoxelBounds(lower: VoxelIndex(32, 0, 0), upper: VoxelIndex(43, 19, 11))
    let marginals = try #require(whole.marginals)
    let own = try #require(part.marginals)
    let expected = marginals[random.size.voxelCount...].cropped(to: inner, size: random.size)
    let found = own[box.size.voxelCount...].cropped(to: innerOfBox, size: box.size)
    #expect(largestDifference(found, expected) < 1e-5)
  }

  @Test("half the resolution averages images and probabilities and keeps millimetres")
  func halved() throws {
    let size = GridSize(3, 2, 1)
    let crf = try DenseCRF(
      image: [0, 2, 9, 4, 6, 7], size: size, spacing: Spacing(1, 2, 5), intensityRange: 0...9)
    let unary = try Unary(foreground: [0.1, 0.3, 0.8, 0.2, 0.6, 0.4], size: size)
    let half = try crf.halved()
    #expect(half.size == GridSize(2, 1, 1))
    #expect(half.spacing == Spacing(2, 4, 5))
    var settings = RefinementSettings(iterations: 0)
    settings.appearanceWeight = 0
    let result = try half.refine(unary.halved(), settings: settings, wantsMarginals: true)
    #expect(largestDifference(result.marginals, [0.7, 0.4, 0.3, 0.6]) < 1e-6)
    #expect(result.labels == [0, 1])
  }
}
