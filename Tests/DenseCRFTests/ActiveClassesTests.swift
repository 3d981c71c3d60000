import DenseCRF
import TestSupport
import Testing
import Volumes
import Work

/// Regions around random points with intensities of their own, and what is known of them before refinement.
struct RegionCase: CustomTestStringConvertible, Sendable {
  /// The start of the refinement.
  enum Start: String, Sendable {
    /// A mask whose borders are moved, with this probability of its own label.
    case mask
    /// Probabilities that are undecided near the borders alone.
    case borders
    /// Probabilities of which none is small anywhere.
    case everywhere
  }

  var size = GridSize(75, 44, 37)
  var classCount: Int
  var start: Start
  var confidence = 0.9
  var weights: (appearance: Double, smoothness: Double) = (5, 3)
  var change: @Sendable (inout RefinementSettings) -> Void = { _ in }

  var testDescription: String {
    "\(size), \(classCount) classes, \(start.rawValue), \(confidence), \(weights.appearance), \(weights.smoothness)"
  }

  var settings: RefinementSettings {
    var settings = RefinementSettings(
      appearanceWeight: weights.appearance, thetaAlphaMillimetres: Spacing(4), thetaBeta: 25,
      smoothnessWeight: weights.smoothness, thetaGammaMillimetres: Spacing(2))
    change(&settings)
    return settings
  }

  /// The image, the class of each voxel, and the class and distance of the border that is nearest.
  private var regions: (image: [Float], own: [Int], other: [Int], distance: [Float]) {
    var random = SplitMix64(seed: UInt64(classCount))
    let points = (0..<2 * classCount).map { index in
      (
        SIMD3((0..<3).map { Float.random(in: 0..<Float(size[$0]), using: &random) }),
        Float.random(in: 20...200, using: &random), index % classCount
      )
    }
    var image: [Float] = []
    var (own, other, distance): ([Int], [Int], [Float]) = ([], [], [])
    for offset in 0..<size.voxelCount {
      let index = size.index(offset: offset)
      let voxel = SIMD3(Float(index.i), Float(index.j), Float(index.k))
      let near = points.map { point in
        let step = point.0 - voxel
        return (distance: (step * step).sum().squareRoot(), point.1, label: point.2)
      }.sorted { $0.distance < $1.distance }
      let second = near.first { $0.label != near[0].label } ?? near[0]
      image.append(near[0].1 + Float.random(in: -15...15, using: &random))
      own.append(near[0].label)
      other.append(second.label)
      distance.append(second.distance - near[0].distance)
    }
    return (image, own, other, distance)
  }

  /// The CRF and the unary.
  func subject() throws -> (DenseCRF, Unary) {
    let (image, own, other, distance) = regions
    let crf = try DenseCRF(image: image, size: size, spacing: Spacing(1), intensityRange: 0...220)
    var random = SplitMix64(seed: 5)
    if start == .mask {
      let mask = own.indices.map { voxel in
        UInt16(distance[voxel] < 3 && Bool.random(using: &random) ? other[voxel] : own[voxel])
      }
      return (crf, try Unary(mask: mask, classCount: classCount, size: size, confidence: confidence))
    }
    var probabilities = [Float](repeating: 0, count: classCount * size.voxelCount)
    for voxel in own.indices {
      let scores = (0..<classCount).map { label in
        start == .everywhere
          ? Float.random(in: 0.1...1, using: &random) * (label == own[voxel] ? 3 : 1)
          : label == own[voxel]
            ? 1
            : label == other[voxel]
              ? max(0, Float.random(in: 0.3...1.1, using: &random) - distance[voxel] / 4) : 0
      }
      let sum = scores.reduce(0, +)
      for label in 0..<classCount { probabilities[label * size.voxelCount + voxel] = scores[label] / sum }
    }
    return (crf, try Unary(probabilities: probabilities, classCount: classCount, size: size))
  }

  static let all: [RegionCase] =
    [3, 6, 14, 40].flatMap { classCount in
      [Start.mask, .borders, .everywhere].map { RegionCase(classCount: classCount, start: $0) }
    }
    + [
      // Weak weights: what is not decided by the first messages stays so.
      RegionCase(classCount: 14, start: .mask, weights: (3, 1.5)),
      RegionCase(classCount: 14, start: .mask, weights: (1, 0.5)),
      RegionCase(classCount: 5, start: .mask, confidence: 0.5, weights: (2, 1)),
      RegionCase(classCount: 14, start: .mask, confidence: 0.999, weights: (12, 6)),
      RegionCase(classCount: 14, start: .everywhere, weights: (1, 0.5)),
      RegionCase(classCount: 14, start: .mask, weights: (5, 0)),
      RegionCase(classCount: 14, start: .borders, weights: (0, 3)),
      RegionCase(classCount: 9, start: .mask, change: { $0.normalisation = .after }),
      RegionCase(classCount: 9, start: .borders, change: { $0.normalisation = .before }),
      // Widths at which cells have one, two and eight voxels.
      RegionCase(
        classCount: 9, start: .mask,
        change: {
          $0.thetaAlphaMillimetres = Spacing(1.5, 3, 12)
          $0.thetaGammaMillimetres = Spacing(0.7, 12, 3)
        }),
      RegionCase(size: GridSize(41, 33, 1), classCount: 7, start: .mask),
      RegionCase(size: GridSize(3, 2, 90), classCount: 5, start: .borders),
      RegionCase(size: GridSize(1, 1, 1), classCount: 4, start: .everywhere),
      RegionCase(classCount: 256, start: .mask),
    ]
}

extension Unary {
  /// The unary of a mask whose own class has probability `confidence`, the others the rest in equal parts.
  init(mask: [UInt16], classCount: Int, size: GridSize, confidence: Double) throws {
    var rows = [Float](
      repeating: Float((1 - confidence) / Double(classCount - 1)), count: classCount * classCount)
    for index in 0..<classCount { rows[index * classCount + index] = Float(confidence) }
    let kinds = try Unary(probabilities: rows, classCount: classCount, size: GridSize(classCount, 1, 1))
    self = try Unary(
      kinds: kinds, values: mask, kindOfValue: (0..<65536).map { $0 < classCount ? UInt16($0) : 0 },
      of: size, in: VoxelBounds(size))
  }
}

@Suite("Active classes") struct ActiveClassesTests {
  /// The largest difference of probabilities, and how many labels differ, of classes where they are active from all of
  /// them everywhere.
  private func difference(
    _ crf: DenseCRF, _ unary: Unary, _ settings: RefinementSettings
  ) throws -> (largest: Float, labels: Int) {
    let (active, all) = try (
      result(.active, crf, unary, settings), result(.all, crf, unary, settings)
    )
    return (
      largestDifference(active.marginals, all.marginals),
      zip(active.labels, all.labels).count { $0 != $1 }
    )
  }

  private func result(
    _ selection: DenseCRF.ClassSelection, _ crf: DenseCRF, _ unary: Unary, _ settings: RefinementSettings,
    work: WorkContext = WorkContext()
  ) throws -> MeanFieldResult {
    var crf = crf
    crf.classSelection = selection
    return try crf.refine(unary, settings: settings, wantsMarginals: true, work: work)
  }

  @Test(
    "classes computed where they are active have the probabilities of all classes everywhere",
    arguments: RegionCase.all)
  func equality(example: RegionCase) throws {
    let (crf, unary) = try example.subject()
    let found = try difference(crf, unary, example.settings)
    #expect(found.largest <= 0.005)
    #expect(found.labels * 10_000 <= example.size.voxelCount)
  }

  @Test(
    "masks of one class, of none, and of labels of one voxel are refined like any other",
    arguments: [3, 14, 200])
  func unusualMasks(classCount: Int) throws {
    let random = RandomCase(GridSize(50, 21, 19))
    let count = random.size.voxelCount
    var numbers = SplitMix64(seed: 3)
    let masks: [[UInt16]] = [
      Array(repeating: 0, count: count), Array(repeating: UInt16(classCount - 1), count: count),
      (0..<count).map { UInt16($0 % classCount) },
      (0..<count).map { _ in UInt16.random(in: 0..<UInt16(classCount), using: &numbers) },
      (0..<count).map { $0 == count / 2 ? 1 : $0 == 0 ? UInt16(classCount - 1) : 0 },
    ]
    for mask in masks {
      let unary = try Unary(mask: mask, classCount: classCount, size: random.size, confidence: 0.9)
      let found = try difference(random.crf(), unary, random.settings)
      #expect(found.largest <= 0.005)
      #expect(found.labels * 10_000 <= count)
    }
  }

  @Test("where all classes are equally probable everywhere, they stay so")
  func undecided() throws {
    let size = GridSize(40, 12, 9)
    let random = RandomCase(size)
    let even = [Float](repeating: 0.2, count: 5 * size.voxelCount)
    let kinds = try Unary(
      probabilities: [Float](repeating: 0.2, count: 5), classCount: 5, size: GridSize(1, 1, 1))
    let ofKinds = try Unary(
      kinds: kinds, values: Array(repeating: 7, count: size.voxelCount),
      kindOfValue: Array(repeating: 0, count: 65536), of: size, in: VoxelBounds(size))
    for unary in [try Unary(probabilities: even, classCount: 5, size: size), ofKinds] {
      let result = try result(.active, random.crf(), unary, random.settings)
      #expect(largestDifference(result.marginals, even) < 1e-4)
      #expect(result.labels == Array(repeating: 0, count: size.voxelCount))
    }
  }

  @Test("without iterations or weights the result is the mask")
  func withoutMessages() throws {
    let random = RandomCase(GridSize(50, 21, 19))
    var numbers = SplitMix64(seed: 3)
    let mask = (0..<random.size.voxelCount).map { _ in UInt16.random(in: 0..<9, using: &numbers) }
    let unary = try Unary(mask: mask, classCount: 9, size: random.size, confidence: 0.9)
    var (unmoved, weightless) = (random.settings, random.settings)
    unmoved.iterations = 0
    (weightless.appearanceWeight, weightless.smoothnessWeight) = (0, 0)
    for settings in [unmoved, weightless] {
      let result = try result(.active, random.crf(), unary, settings)
      #expect(result.labels == mask.map { UInt8($0) })
      let own = try #require(result.marginals)
      #expect(mask.indices.allSatisfy { abs(own[Int(mask[$0]) * mask.count + $0] - 0.9) < 1e-5 })
    }
  }

  @Test("the number of threads changes no bit", arguments: [RegionCase.Start.mask, .borders])
  func threadsChangeNothing(start: RegionCase.Start) throws {
    let example = RegionCase(size: GridSize(75, 30, 70), classCount: 9, start: start)
    let (crf, unary) = try example.subject()
    let results = try [1, 2, 3, 7].map {
      try result(.active, crf, unary, example.settings, work: WorkContext(threadCount: $0))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test(
    "of 40 labels in small regions the chosen way computes less than half of all classes everywhere")
  func choice() throws {
    let example = RegionCase(size: GridSize(96, 64, 64), classCount: 40, start: .mask)
    let (crf, unary) = try example.subject()
    let chosen = try crf.refine(unary, settings: example.settings, wantsMarginals: true)
    #expect(try chosen == result(.active, crf, unary, example.settings))
    let plan = try crf.plan(unary, settings: example.settings)
    #expect(plan.computedVoxelClasses * 2 < 39 * example.size.voxelCount)
  }

  @Test("where memory does not hold the cells, the refusal has both numbers and what needs less")
  func refusal() throws {
    let example = RegionCase(classCount: 14, start: .mask)
    var (crf, unary) = try example.subject()
    crf.classSelection = .active
    let plan = try crf.plan(unary, settings: example.settings)
    let mebibytes = ((plan.byteCount ?? 0) - 1) >> 20 + 1
    var work = WorkContext()
    work.memoryFraction = 1e-9
    let error = #expect(throws: InputError.self) {
      try crf.refine(unary, settings: example.settings, work: work)
    }
    #expect(
      error?.description
        == "CRF: refining 14 classes on 75x44x37 voxels takes much memory: found \(mebibytes) MiB, expected at most 0 MiB: "
        + DenseCRF.memoryAdvice)
  }

  @Test("a refinement of active classes stops at each slab")
  func stops() throws {
    let example = RegionCase(size: GridSize(40, 36, 30), classCount: 6, start: .borders)
    let ready = try example.subject()
    try expectStops(atEachOf: 50) { work in
      var crf = ready.0.withOwnKernels
      crf.classSelection = .active
      _ = try crf.refine(ready.1, settings: example.settings, work: work)
    }
  }
}
