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
    let rule = Preprocessing(spacingMillimetres: Spacing(1, 2, 3), normalisation: normalisation)
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

@Test("an image without negative values does not pass for a CT")
func magneticResonanceIsNoticed() {
  let rule = Preprocessing(spacingMillimetres: Spacing(3), normalisation: .window(lower: -125, upper: 240))
  let grid = VolumeGrid(size: GridSize(2, 1, 1), affine: Affine(spacing: Spacing(1)))
  #expect(rule.mismatch(with: ScalarVolume(grid: grid, voxels: [10, 90])) != nil)
  #expect(rule.mismatch(with: ScalarVolume(grid: grid, voxels: [-1000, 90])) == nil)
}
