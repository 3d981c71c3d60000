import Foundation
import Segmentation
import Testing
import Volumes
import Work

@Test("a window clips and scales to 0...1")
func windowNormalisation() throws {
  let values: [Float] = [-1000, -125, 57.5, 240, 3000]
  let rule = Preprocessing(spacingMillimetres: Spacing(3), normalisation: .window(lower: -125, upper: 240))
  #expect(try rule.normalised(values, work: WorkContext()) == [0, 0, 0.5, 1, 1])
}

@Test("a standard score uses the voxels above 0 and leaves a constant image at 0")
func standardScore() throws {
  let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScore)
  #expect(try rule.normalised([0, 2, 4], work: WorkContext()) == [-3, -1, 1])
  #expect(try rule.normalised([5, 5, 5], work: WorkContext()) == [0, 0, 0])
}

@Test("a preprocessing is read back from the text it is written as")
func preprocessingRoundTrip() throws {
  for normalisation in [Preprocessing.Normalisation.window(lower: -125, upper: 240), .standardScore] {
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
  #expect(rule.mismatch(with: ScalarVolume(grid: grid, voxels: [10, 90])) != nil)
  #expect(rule.mismatch(with: ScalarVolume(grid: grid, voxels: [-1000, 90])) == nil)
}

@Test("a CT is reported for a model of standard scores")
func computedTomographyIsNoticed() {
  let rule = Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScore)
  let grid = VolumeGrid(size: GridSize(2, 1, 1), affine: Affine(spacing: Spacing(1)))
  #expect(
    rule.mismatch(with: ScalarVolume(grid: grid, voxels: [-1000, 90]))
      == "the model was not trained on CT, and this image looks like one: values from -1000")
  #expect(rule.mismatch(with: ScalarVolume(grid: grid, voxels: [-3, 90])) == nil)
}

@Test("an image of another size than those of the training is noticed along the model's axes")
func extentIsNoticed() {
  let rule = Preprocessing(
    spacingMillimetres: Spacing(1), normalisation: .standardScore,
    trainedExtentsMillimetres: [10...12, 20...24, 4...6])
  func verdict(_ i: Int, _ j: Int, _ k: Int, spacing: Spacing = Spacing(1)) -> String? {
    let grid = VolumeGrid(size: GridSize(i, j, k), affine: Affine(spacing: spacing))
    return rule.mismatch(with: ScalarVolume(grid: grid, voxels: [Float](repeating: 1, count: i * j * k)))
  }
  #expect(verdict(11, 22, 5) == nil)
  #expect(verdict(18, 14, 9) == nil)
  #expect(verdict(5, 11, 5, spacing: Spacing(2, 2, 1)) == nil)
  #expect(
    verdict(19, 22, 5)
      == "the model was trained on images of 10x20x4 to 12x24x6 mm, and this one has 19x22x5 mm")
  #expect(verdict(11, 13, 5) != nil)
}
