import Foundation
import Segmentation
import Testing
import Volumes
import Work

/// The image of these intensities in a row, and as a network gets it on the image's own grid.
private func prepared(_ intensities: IntensityVoxels, _ rule: Preprocessing) throws -> [Float] {
  let grid = VolumeGrid(size: GridSize(intensities.count, 1, 1), affine: Affine(spacing: Spacing(1)))
  let image = ScalarVolume(grid: grid, voxels: intensities)
  return Array(try rule.prepared([image], grid: .image, work: WorkContext())[0].voxels)
}

private let everyNormalisation: [Preprocessing.Normalisation] = [
  .window(lower: -125, upper: 240), .standardScore, .standardScoreOfAll, .standardScoreOfNonZero,
  .statedScore(mean: 99.5, standardDeviation: 37.25, clip: -25...212),
  .statedScore(mean: 0, standardDeviation: 255, clip: nil), .percentiles(lower: 2, upper: 98),
]

@Test("a window clips and scales to 0...1")
func windowNormalisation() throws {
  let rule = Preprocessing(spacingMillimetres: Spacing(3), normalisation: .window(lower: -125, upper: 240))
  #expect(try prepared(IntensityVoxels([-1000, -125, 57.5, 240, 3000]), rule) == [0, 0, 0.5, 1, 1])
  #expect(try prepared(IntensityVoxels([-1000, -125, 240, 3000] as [Int16]), rule) == [0, 0, 1, 1])
}

@Test("a standard score uses the voxels above 0 and leaves a constant image at 0")
func standardScore() throws {
  let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScore)
  #expect(try prepared(IntensityVoxels([0, 2, 4]), rule) == [-3, -1, 1])
  #expect(try prepared(IntensityVoxels([5, 5, 5]), rule) == [0, 0, 0])
  #expect(
    try prepared(IntensityVoxels([0, 10, 20] as [UInt8], scaling: VoxelScaling(slope: 0.2)), rule)
      == [-3, -1, 1])
}

@Test("a standard score of all voxels counts zeros and negative voxels too")
func standardScoreOfAll() throws {
  let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScoreOfAll)
  #expect(
    try prepared(IntensityVoxels([-2, 0, 2, 0]), rule) == [-1, 0, 1, 0].map { $0 * Float(2).squareRoot() })
  #expect(try prepared(IntensityVoxels([0, 0, 0]), rule) == [0, 0, 0])
}

@Test("a standard score of voxels other than 0 leaves zeros as they are")
func standardScoreOfNonZero() throws {
  let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScoreOfNonZero)
  #expect(try prepared(IntensityVoxels([0, 2, 4, 0]), rule) == [0, -1, 1, 0])
  #expect(try prepared(IntensityVoxels([-3, 0, 1] as [Int16]), rule) == [-1, 0, 1])
}

@Test("a stated score clips, takes away the mean and divides, as nnU-Net's CTNormalization")
func statedScore() throws {
  func rule(_ clip: ClosedRange<Float>?) -> Preprocessing {
    Preprocessing(
      spacingMillimetres: Spacing(1), normalisation: .statedScore(mean: 100, standardDeviation: 4, clip: clip)
    )
  }
  #expect(try prepared(IntensityVoxels([-1000, 80, 100, 300]), rule(90...120)) == [-2.5, -2.5, 0, 5])
  #expect(try prepared(IntensityVoxels([-1000, 80, 100, 300]), rule(nil)) == [-275, -5, 0, 50])
}

@Test("percentiles become 0 and 1, values beyond them are clipped, and a constant image is 0")
func percentiles() throws {
  func rule(_ lower: Float, _ upper: Float) -> Preprocessing {
    Preprocessing(spacingMillimetres: Spacing(1), normalisation: .percentiles(lower: lower, upper: upper))
  }
  #expect(try prepared(IntensityVoxels([-10, 0, 10, 30, 10]), rule(0, 100)) == [0, 0.25, 0.5, 1, 0.5])
  #expect(try prepared(IntensityVoxels([-10, 0, 10, 30, 10]), rule(25, 75)) == [0, 0, 1, 1, 1])
  #expect(try prepared(IntensityVoxels([7, 7]), rule(2, 98)) == [0, 0])
}

@Test("numbers of a normalisation that cannot be used are refused")
func unusableNormalisations() {
  let unusable: [Preprocessing.Normalisation] = [
    .statedScore(mean: 0, standardDeviation: 0, clip: nil),
    .statedScore(mean: .nan, standardDeviation: 1, clip: nil),
    .statedScore(mean: 0, standardDeviation: .leastNonzeroMagnitude, clip: nil),
    .percentiles(lower: 50, upper: 50),
    .percentiles(lower: -1, upper: 50), .percentiles(lower: 0, upper: 100.5),
  ]
  for normalisation in unusable {
    #expect(throws: InputError.self, "\(normalisation)") { try normalisation.validated(subject: "model") }
  }
}

@Test("an image of scaled integers is prepared like its floats, along other axes and on another grid")
func preparedIntegers() throws {
  let grid = VolumeGrid(
    size: GridSize(9, 8, 7),
    affine: Affine(
      stepI: WorldPoint(0, -1.5, 0), stepJ: WorldPoint(0, 0, 0.8), stepK: WorldPoint(-2, 0, 0),
      origin: WorldPoint(1, 2, 3)))
  let numbers = (0..<504).map { Int16(($0 * 7919) % 1800 - 300) }
  let scaling = VoxelScaling(slope: 0.37, intercept: -20.25)
  let stored = ScalarVolume(grid: grid, voxels: IntensityVoxels(numbers, scaling: scaling))
  let floats = ScalarVolume(grid: grid, voxels: numbers.map { Float(0.37 * Double($0) - 20.25) })
  for normalisation in everyNormalisation {
    let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: normalisation)
    for working in [WorkingGrid.image, .model] {
      let prepared = try rule.prepared([stored], grid: working, work: WorkContext(threadCount: 2))
      #expect(try prepared == rule.prepared([floats], grid: working, work: WorkContext()))
      #expect(prepared[0].grid.orientation.code == "RAS")
    }
  }
}

@Test("a preprocessing is read back from the text it is written as")
func preprocessingRoundTrip() throws {
  for normalisation in everyNormalisation {
    let rule = Preprocessing(
      spacingMillimetres: Spacing(1, 2, 3), normalisation: normalisation,
      trainedExtentsMillimetres: [1...2, 3...4.5, 5...5])
    let text = try JSONEncoder().encode(rule)
    #expect(try JSONDecoder().decode(Preprocessing.self, from: text) == rule)
  }
}

@Test("a window that ends before it starts is refused")
func emptyWindow() {
  let text = Data(#"{"kind": "window", "lower": 5, "upper": 5}"#.utf8)
  #expect(throws: DecodingError.self) {
    try JSONDecoder().decode(Preprocessing.Normalisation.self, from: text)
  }
}

@Test("an image without negative values is not taken for a CT")
func magneticResonanceIsNoticed() {
  let rule = Preprocessing(spacingMillimetres: Spacing(3), normalisation: .window(lower: -125, upper: 240))
  let grid = VolumeGrid(size: GridSize(2, 1, 1), affine: Affine(spacing: Spacing(1)))
  #expect(rule.mismatch(with: [ScalarVolume(grid: grid, voxels: [10, 90])]) != nil)
  #expect(rule.mismatch(with: [ScalarVolume(grid: grid, voxels: [-1000, 90])]) == nil)
}

@Test("a CT is reported for a model of standard scores")
func computedTomographyIsNoticed() {
  let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScore)
  let grid = VolumeGrid(size: GridSize(2, 1, 1), affine: Affine(spacing: Spacing(1)))
  #expect(
    rule.mismatch(with: [ScalarVolume(grid: grid, voxels: [-1000, 90])])
      == "the model was not trained on CT, and this image looks like one: values from -1000")
  #expect(rule.mismatch(with: [ScalarVolume(grid: grid, voxels: [-3, 90])]) == nil)
}

@Test("an image of another size than those of the training is noticed along the model's axes")
func extentIsNoticed() {
  let rule = Preprocessing(
    spacingMillimetres: Spacing(1), normalisation: .standardScore,
    trainedExtentsMillimetres: [10...12, 20...24, 4...6])
  func verdict(_ i: Int, _ j: Int, _ k: Int, spacing: Spacing = Spacing(1)) -> String? {
    let grid = VolumeGrid(size: GridSize(i, j, k), affine: Affine(spacing: spacing))
    return rule.mismatch(with: [ScalarVolume(grid: grid, voxels: [Float](repeating: 1, count: i * j * k))])
  }
  #expect(verdict(11, 22, 5) == nil)
  #expect(verdict(18, 14, 9) == nil)
  #expect(verdict(5, 11, 5, spacing: Spacing(2, 2, 1)) == nil)
  #expect(
    verdict(19, 22, 5)
      == "the model was trained on images of 10x20x4 to 12x24x6 mm, and this one has 19x22x5 mm")
  #expect(verdict(11, 13, 5) != nil)
}
