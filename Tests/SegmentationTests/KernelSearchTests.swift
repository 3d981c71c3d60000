import DenseCRF
import Foundation
import Metrics
import Segmentation
import TestSupport
import Testing
import Volumes
import Work

/// A ball in a noisy image, and probabilities that see it badly.
private struct Example {
  let size = GridSize(32, 30, 26)
  var grid: VolumeGrid { VolumeGrid(size: size, affine: Affine(spacing: Spacing(1.5, 1.5, 2))) }
  var image: ScalarVolume
  var probabilities: ProbabilityVolume
  var truth: [UInt8] = []

  /// - Parameter hasContrast: Whether the image shows the ball and the probabilities are noisy; else the image is
  ///   noise and the probabilities are right already.
  init(hasContrast: Bool, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var voxels: [Float] = []
    var foreground: [Float] = []
    for offset in 0..<size.voxelCount {
      let index = size.index(offset: offset)
      let (x, y, z) = (Double(index.i) - 16, Double(index.j) - 15, 1.3 * (Double(index.k) - 13))
      let isInside = (x * x + y * y + z * z).squareRoot() < 9 + Double(seed % 3)
      truth.append(isInside ? 1 : 0)
      voxels.append((isInside && hasContrast ? 100 : 0) + 12 * Float(random.normal()))
      let likely = isInside ? 0.62 : 0.38
      foreground.append(
        hasContrast ? Float(min(max(likely + 0.25 * random.normal(), 0.02), 0.98)) : isInside ? 0.9 : 0.1)
    }
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1.5, 1.5, 2)))
    image = ScalarVolume(grid: grid, voxels: voxels)
    probabilities = ProbabilityVolume(
      grid: grid, classCount: 2, values: foreground.map { 1 - $0 } + foreground)
  }

  func sweepCase(_ name: String) throws -> SweepCase {
    try SweepCase(
      name: name, image: image, source: .probabilities(probabilities), labelValues: [0, 5],
      trueClasses: truth, intensityRange: -50...150, start: start, work: WorkContext())
  }

  var start: RefinementSettings {
    RefinementDefaults(contrasts: [nil], spacing: grid.spacing).settings
  }

  func measurement(_ kernels: [RefinementSettings]) throws -> SweepMeasurement {
    let work = WorkContext()
    let refinement = try Refinement(
      image: image, source: .probabilities(probabilities), labelValues: [0, 5], intensityRange: -50...150,
      postProcessing: .none, work: work)
    var none = start
    (none.appearanceWeight, none.smoothnessWeight) = (0, 0)
    return try SweepMeasurement(
      name: "case", refinement: refinement, kernels: kernels,
      beforeRefinement: refinement.labels(settings: none, work: work),
      truth: LabelVolume(grid: grid, voxels: truth.map(UInt16.init)),
      structures: [MatchedStructure(name: "ball", referenceValues: [1], otherValues: [5])], work: work)
  }
}

@Suite("Searching for kernels") struct KernelSearchTests {
  private func search(
    hasContrast: Bool = true, objective: SweepObjective = .dice, seed: UInt64 = 1, cases: Int = 1,
    holding held: Set<KernelParameter> = []
  ) throws -> KernelSearch {
    let examples = (0..<cases).map { Example(hasContrast: hasContrast, seed: UInt64($0) + 3) }
    return try KernelSearch(
      cases: try examples.enumerated().map { try $1.sweepCase("case \($0)") },
      ranges: KernelRanges(around: examples[0].start, holding: held), objective: objective, seed: seed,
      work: WorkContext())
  }

  @Test("where intensities correct wrong probabilities, the search finds kernels with a gain")
  func helps() throws {
    let search = try search()
    let trials = try search.run(trialCount: 40, work: WorkContext())
    #expect(trials.map(\.number) == Array(0..<40))
    #expect(trials[0].settings == search.ranges.start)
    let best = search.best(3, of: trials)
    #expect(best.count == 3 && search.gain(of: best[0]) >= search.gain(of: best[1]))
    let measurement = try Example(hasContrast: true, seed: 3).measurement(best.map(\.settings))
    let outcome = SweepOutcome([measurement], objective: .dice)
    #expect(outcome.isImprovement && outcome.meanGain > 0.05 && outcome.heldOutGain == nil)
    #expect(SweepOutcome([measurement], objective: .assd).meanGain > 0)
  }

  @Test("where the probabilities are right already, the outcome says that the CRF does not help")
  func doesNotHelp() throws {
    let search = try search(hasContrast: false)
    let trials = try search.run(trialCount: 20, work: WorkContext())
    let kernels = search.best(2, of: trials).map(\.settings)
    let outcome = SweepOutcome(
      [try Example(hasContrast: false, seed: 3).measurement(kernels)], objective: .dice)
    #expect(!outcome.isImprovement && outcome.meanGain <= 0)
  }

  @Test("the same seed makes the same trials with any number of threads, another seed others")
  func seeds() throws {
    let one = try search().run(trialCount: 36, work: WorkContext(threadCount: 1))
    let three = try search().run(trialCount: 36, work: WorkContext(threadCount: 3))
    #expect(one == three)
    let other = try search(seed: 2).run(trialCount: 36, work: WorkContext())
    #expect(other[0] == one[0] && other[1].settings != one[1].settings)
  }

  @Test("a resumed search ends with the trials of an uninterrupted one")
  func resumed() throws {
    let whole = try search().run(trialCount: 40, work: WorkContext())
    var lines: [Data] = []
    _ = try search().run(trialCount: 35, work: WorkContext()) { lines.append(try JSONEncoder().encode($0)) }
    #expect(lines.count == 35)
    let known = try lines.map { try JSONDecoder().decode(KernelSearch.Trial.self, from: $0) }
    var added: [Int] = []
    let resumed = try search().run(trialCount: 40, known: known, work: WorkContext()) {
      added.append($0.number)
    }
    #expect(resumed == whole)
    #expect(added == Array(35..<40))
  }

  @Test("trials of another search are refused")
  func foreign() throws {
    let known = try search(seed: 2).run(trialCount: 4, work: WorkContext())
    #expect(throws: InputError("trial 1", "belongs to another search")) {
      try search().run(trialCount: 4, known: known, work: WorkContext())
    }
  }

  @Test("held kernels stay as they are, others stay in their ranges")
  func held() throws {
    let search = try search(holding: [.thetaBeta, .smoothnessWeight])
    #expect(search.ranges.searched == [.appearanceWeight, .thetaAlpha, .thetaGamma])
    for trial in try search.run(trialCount: 40, work: WorkContext()) {
      #expect(trial.settings.thetaBeta == search.ranges.start.thetaBeta)
      #expect(trial.settings.smoothnessWeight == search.ranges.start.smoothnessWeight)
      for parameter in search.ranges.searched {
        let fraction = try #require(search.ranges.fraction(of: parameter, in: trial.settings))
        #expect(fraction > -1e-9 && fraction < 1 + 1e-9)
      }
    }
  }

  @Test("a trial that loses on the first of many cases is not tried on the others")
  func stopsEarly() throws {
    let search = try search(hasContrast: false, objective: .assd, cases: 4)
    let trials = try search.run(trialCount: 32, work: WorkContext())
    let stopped = trials.filter { $0.scores.count == 2 }
    #expect(!stopped.isEmpty && stopped.allSatisfy { search.gain(of: $0) < -0.05 })
    #expect(search.best(40, of: trials).allSatisfy { $0.scores.count == 4 })
  }

  @Test("a case without foreground changes with no kernels")
  func noForeground() throws {
    var example = Example(hasContrast: true, seed: 3)
    let count = example.size.voxelCount
    example.probabilities.values = (0..<2 * count).map { $0 < count ? 0.99 : 0.01 }
    let search = try KernelSearch(
      cases: [example.sweepCase("empty")], ranges: KernelRanges(around: example.start, holding: []),
      objective: .dice, seed: 1, work: WorkContext())
    #expect(search.baselines == [0])
    #expect(
      try search.run(trialCount: 5, work: WorkContext()).map(\.scores) == Array(repeating: [0], count: 5))
  }

  @Test("a held-out case is scored with the kernels that are best on the others")
  func heldOut() {
    func measurement(_ gains: [Double]) -> SweepMeasurement {
      SweepMeasurement(
        name: "", beforeRefinement: .init(dice: 0.5, averageMillimetres: 1),
        refined: gains.map { .init(dice: 0.5 + $0, averageMillimetres: 1) })
    }
    let outcome = SweepOutcome(
      [measurement([0.25, 0]), measurement([0, 0.125]), measurement([0, 0.125])], objective: .dice)
    #expect(outcome.best == 0 || outcome.best == 1)
    #expect(abs(outcome.meanGain - 0.25 / 3) < 1e-12)
    #expect(abs((outcome.heldOutGain ?? 0) - 0) < 1e-12)
    // A case without a structure in the truth and in every mask is not a case.
    let nothing = SweepMeasurement.Measures(dice: 1, averageMillimetres: 0, hasStructure: false)
    let empty = SweepMeasurement(name: "", beforeRefinement: nothing, refined: [nothing, nothing])
    #expect(!empty.counts)
    #expect(
      SweepOutcome([measurement([0.25, 0]), empty], objective: .dice)
        == SweepOutcome([measurement([0.25, 0])], objective: .dice))
    #expect(SweepOutcome([empty], objective: .assd).meanGain == 0)
    // One that a kernel empties, or that is empty and stays so with another kernel, is.
    var emptied = measurement([0.25, 0])
    emptied.refined[1] = nothing
    #expect(emptied.counts)
  }
}

@Suite("Default kernels") struct RefinementDefaultsTests {
  private func contrast(noise: Float, step: Float) -> ImageContrast? {
    var random = SplitMix64(seed: 9)
    let size = GridSize(40, 24, 20)
    let labels = (0..<size.voxelCount).map { size.index(offset: $0).i < 20 ? UInt16(1) : 0 }
    let voxels = labels.map { Float($0) * step + noise * Float(random.normal()) }
    return ImageContrast(voxels: voxels, labels: labels, size: size, range: -500...500)
  }

  @Test("theta beta is three times the noise, bounded by half the edges and by the noise itself")
  func thetaBeta() throws {
    func thetaBeta(_ noise: Float, _ step: Float) -> Double {
      RefinementDefaults(contrasts: [contrast(noise: noise, step: step)], spacing: Spacing(1)).settings
        .thetaBeta
    }
    #expect(abs(thetaBeta(10, 200) - 30) < 3)
    #expect(abs(thetaBeta(20, 60) - 30) < 3)
    #expect(abs(thetaBeta(20, 10) - 20) < 2)
    #expect(RefinementDefaults(contrasts: [nil], spacing: Spacing(1)).settings.thetaBeta == 20)
  }

  @Test("widths follow the voxels, images have a theta beta each, and every number has its reason")
  func widths() {
    let contrasts = [contrast(noise: 10, step: 200), nil, contrast(noise: 5, step: 200)]
    let defaults = RefinementDefaults(contrasts: contrasts, spacing: Spacing(1, 1, 8))
    #expect(defaults.settings.thetaAlphaMillimetres == Spacing(10))
    #expect(defaults.settings.thetaGammaMillimetres == Spacing(2))
    #expect(defaults.settings.furtherThetaBetas.count == 2 && defaults.settings.furtherThetaBetas[0] == 20)
    #expect(defaults.reasons.count == 4)
    #expect(defaults.reasons[0].hasPrefix("theta alpha 10.0 mm and theta gamma 2.0 mm"))
    #expect(!defaults.settings.areDefaults && RefinementSettings(auxiliaryHeadWeights: [0.3]).areDefaults)
  }
}
