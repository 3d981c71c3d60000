import CKernels
import DenseCRF
import TestSupport
import Testing
import Volumes
import Work

@Suite("Mean field") struct MeanFieldTests {
  static let levels = [KERNELS_PORTABLE, KERNELS_AVX2, KERNELS_AVX512].filter {
    $0.rawValue <= kernels_current_level().rawValue
  }

  @Test("without weights or iterations the result is the probabilities", arguments: DenseCRF.Method.allCases)
  func withoutWeights(method: DenseCRF.Method) throws {
    let random = RandomCase(GridSize(9, 7, 5), classCount: 3)
    var weightless = random.settings
    weightless.appearanceWeight = 0
    weightless.smoothnessWeight = 0
    var unmoved = random.settings
    unmoved.iterations = 0
    for settings in [weightless, unmoved] {
      let result = try random.crf().refine(
        random.unary(), settings: settings, method: method, wantsMarginals: true)
      #expect(largestDifference(result.marginals, random.probabilities) < 2e-6)
    }
  }

  struct Variant: CustomTestStringConvertible, Sendable {
    var name: String
    var size: GridSize
    var classCount = 2
    var spacing = Spacing(1)
    var change: @Sendable (inout RefinementSettings) -> Void = { _ in }
    var testDescription: String { name }
  }
  static let variants = [
    Variant(name: "one slice", size: GridSize(30, 25, 1)),
    Variant(name: "one column", size: GridSize(1, 1, 40)),
    Variant(name: "one voxel", size: GridSize(1, 1, 1)),
    Variant(name: "odd sizes", size: GridSize(17, 9, 11)),
    Variant(name: "three classes", size: GridSize(13, 10, 9), classCount: 3),
    Variant(name: "five classes", size: GridSize(10, 8, 7), classCount: 5),
    Variant(name: "thick slices", size: GridSize(16, 14, 6), spacing: Spacing(0.8, 0.8, 5)),
    Variant(name: "kernels narrower than decimation", size: GridSize(12, 11, 10), spacing: Spacing(3)),
    Variant(name: "kernels narrower than a voxel", size: GridSize(12, 11, 10), spacing: Spacing(12)),
    Variant(name: "kernels wider than the volume", size: GridSize(12, 11, 10), spacing: Spacing(0.25)),
    Variant(
      name: "unequal widths", size: GridSize(16, 12, 10),
      change: {
        $0.thetaAlphaMillimetres = Spacing(6, 3, 2)
        $0.thetaGammaMillimetres = Spacing(1, 4, 7)
      }),
    Variant(name: "narrow range kernel", size: GridSize(14, 12, 10), change: { $0.thetaBeta = 4 }),
    Variant(name: "wide range kernel", size: GridSize(14, 12, 10), change: { $0.thetaBeta = 1000 }),
    Variant(
      name: "appearance alone, after", size: GridSize(14, 12, 10),
      change: {
        $0.smoothnessWeight = 0
        $0.normalisation = .after
      }),
    Variant(
      name: "smoothness alone, before", size: GridSize(14, 12, 10),
      change: {
        $0.appearanceWeight = 0
        $0.normalisation = .before
      }),
    Variant(name: "without the self term", size: GridSize(14, 12, 10), change: { $0.excludesSelf = true }),
    Variant(
      name: "the paper's energy, three classes", size: GridSize(12, 10, 9), classCount: 3,
      change: {
        $0.excludesSelf = true
        $0.normalisation = .none
        $0.appearanceWeight = 0.02
        $0.smoothnessWeight = 0.02
      }),
  ]

  @Test("the fast mean field is close to the exact one", arguments: variants)
  func fastIsCloseToExact(variant: Variant) throws {
    let random = RandomCase(variant.size, classCount: variant.classCount)
    var settings = random.settings
    variant.change(&settings)
    let crf = try random.crf(spacing: variant.spacing)
    let exact = try crf.refine(random.unary(), settings: settings, method: .exact, wantsMarginals: true)
    let fast = try crf.refine(random.unary(), settings: settings, wantsMarginals: true)
    #expect(largestDifference(fast.marginals, exact.marginals) < 0.004)
    #expect(zip(fast.labels, exact.labels).filter { $0 != $1 }.count * 500 <= fast.labels.count)
  }

  @Test("results are the same at every instruction set")
  func levelsAgree() throws {
    let random = RandomCase(GridSize(37, 22, 13), classCount: 3)
    let results = try Self.levels.map { level in
      let crf = try DenseCRF(
        image: random.image, size: random.size, spacing: Spacing(1), intensityRange: -50...170, level: level)
      let unary = try Unary(
        probabilities: random.probabilities, classCount: 3, size: random.size, level: level)
      return try crf.refine(unary, settings: random.settings, wantsMarginals: true)
    }
    #expect(results.count >= 1)
    for result in results {
      #expect(largestDifference(result.marginals, results[0].marginals) < 5e-5)
    }
  }

  @Test("the number of threads changes no bit")
  func threadsChangeNothing() throws {
    let random = RandomCase(GridSize(21, 18, 70))
    let results = try [1, 2, 3, 7].map { threads in
      let work = WorkContext(threadCount: threads)
      let crf = try DenseCRF(image: random.image, size: random.size, spacing: Spacing(1), work: work)
      return try crf.refine(random.unary(), settings: random.settings, wantsMarginals: true, work: work)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test("the order of the axes does not matter", arguments: [[1, 0, 2], [2, 0, 1], [2, 1, 0]])
  func axesAreEqual(order: [Int]) throws {
    let random = RandomCase(GridSize(12, 9, 10))
    let permuted = random.permuted(order)
    for (method, tolerance) in [(DenseCRF.Method.exact, Float(1e-5)), (.fast, 1e-5)] {
      let straight = try random.crf().refine(
        random.unary(), settings: random.settings, method: method, wantsMarginals: true)
      let other = try permuted.crf().refine(
        permuted.unary(), settings: random.settings, method: method, wantsMarginals: true)
      var back = random
      back.probabilities = try #require(straight.marginals)
      #expect(largestDifference(back.permuted(order).probabilities, other.marginals) < tolerance)
    }
  }

  @Test("twice the spacing with twice the widths gives the same result", arguments: DenseCRF.Method.allCases)
  func spacingScales(method: DenseCRF.Method) throws {
    let random = RandomCase(GridSize(12, 9, 10))
    var doubled = random.settings
    doubled.thetaAlphaMillimetres = Spacing(8)
    doubled.thetaGammaMillimetres = Spacing(4)
    let one = try random.crf().refine(random.unary(), settings: random.settings, method: method)
    let two = try random.crf(spacing: Spacing(2)).refine(random.unary(), settings: doubled, method: method)
    #expect(one == two)
  }

  @Test("on a constant image both kernels depend on space alone", arguments: DenseCRF.Method.allCases)
  func constantImage(method: DenseCRF.Method) throws {
    let random = RandomCase(GridSize(12, 9, 10))
    let flat = try DenseCRF(
      image: [Float](repeating: 7, count: random.size.voxelCount), size: random.size, spacing: Spacing(1))
    var settings = random.settings
    settings.thetaGammaMillimetres = settings.thetaAlphaMillimetres
    let both = try flat.refine(random.unary(), settings: settings, method: method, wantsMarginals: true)
    settings.smoothnessWeight += settings.appearanceWeight
    settings.appearanceWeight = 0
    let space = try flat.refine(random.unary(), settings: settings, method: method, wantsMarginals: true)
    #expect(largestDifference(both.marginals, space.marginals) < (method == .exact ? 1e-6 : 0.004))
  }

  @Test("cached kernels give the results of new ones")
  func cacheIsTransparent() throws {
    let random = RandomCase(GridSize(20, 15, 12))
    let cached = try random.crf()
    var settings = random.settings
    var changed: [RefinementSettings] = [settings]
    settings.appearanceWeight = 5
    changed.append(settings)
    settings.normalisation = .after
    changed.append(settings)
    settings.thetaBeta = 12
    changed.append(settings)
    settings.thetaGammaMillimetres = Spacing(5)
    changed.append(random.settings)
    for settings in changed {
      let result = try cached.refine(random.unary(), settings: settings, wantsMarginals: true)
      #expect(try result == random.crf().refine(random.unary(), settings: settings, wantsMarginals: true))
    }
  }

  @Test("a foreground map is the second of two classes")
  func foregroundMap() throws {
    let random = RandomCase(GridSize(12, 9, 10))
    let foreground = Array(random.probabilities[random.size.voxelCount...])
    let one = try random.crf().refine(
      Unary(foreground: foreground, size: random.size), settings: random.settings, wantsMarginals: true)
    let two = try random.crf().refine(random.unary(), settings: random.settings, wantsMarginals: true)
    #expect(largestDifference(one.marginals, two.marginals) < 1e-5)
  }

  @Test("probabilities of 0 and 1, and unnormalised ones, are converted as documented")
  func unusualProbabilities() throws {
    let size = GridSize(5, 1, 1)
    let crf = try DenseCRF(image: [0, 1, 2, 3, 4], size: size, spacing: Spacing(1))
    var settings = RefinementSettings(iterations: 0)
    settings.appearanceWeight = 0
    let given: [Float] = [1, 0, 3, 0.2, 50, 0, 1, 1, 0.2, 50]
    let result = try crf.refine(
      probabilities: given, classCount: 2, settings: settings, wantsMarginals: true)
    let least = Unary.minimumProbability
    let expected: [Float] = [
      1 / (1 + least), least / (1 + least), 0.75, 0.5, 0.5, least / (1 + least), 1 / (1 + least), 0.25, 0.5,
      0.5,
    ]
    #expect(largestDifference(result.marginals, expected) < 1e-6)
    #expect(result.labels == [0, 1, 0, 0, 0])
  }
}
