import Segmentation
import Testing
import Volumes
import Work

/// A case of one row with these label values.
private func example(
  _ values: [Int], _ selections: [LabelSelection], ignoring ignoredValues: [Int] = []
) throws -> TrainingCase {
  let grid = VolumeGrid(size: GridSize(values.count, 1, 1), affine: Affine(spacing: Spacing(1)))
  let coding = try #require(LabelCoding(of: Set(values)))
  return try TrainingCase(
    name: "case", images: [ScalarVolume(grid: grid, voxels: values.map { Float($0 % 100) })],
    labels: LabelVolume(grid: grid, voxels: coding.codes(ofEach: values), coding: coding),
    selections: selections, ignoredValues: ignoredValues,
    preprocessing: Preprocessing(
      spacingMillimetres: Spacing(1), normalisation: .window(lower: 0, upper: 100)),
    work: WorkContext())
}

extension LabelCoding {
  fileprivate func codes(ofEach values: [Int]) -> [UInt16] { values.map { code(of: $0) ?? 0 } }
}

@Test("classes of a case follow the values of its files, whatever their size, and 255 alone by either name")
func classesOfValues() throws {
  let organs = [LabelSelection(values: [11]), LabelSelection(values: [6, 614_454_277])]
  #expect(try example([0, 6, 11, 614_454_277, 9], organs).classes == [0, 2, 1, 2, 0])
  #expect(try example([0, 255, 1], [LabelSelection(values: [255])]).classes == [0, 1, 0])
  for value in [1, 255] {
    #expect(try example([0, 255], [LabelSelection(values: [value])]).classes == [0, 1])
  }
}

@Test("a case without a structure is a negative; unlabelled voxels are neither structure nor background")
func negativesAndUnlabelled() throws {
  let organ = [LabelSelection(values: [1])]
  let negative = try example([0, 0, 3], organ)
  #expect(negative.isNegative)
  #expect(negative.classes == [0, 0, 0])
  let partly = try example([0, 1, 2], organ, ignoring: [2])
  #expect(!partly.isNegative)
  #expect(partly.classes == [0, 1, TrainingCase.unlabelledClass])
  #expect(TrainingCases(training: [negative, partly], validation: [negative]).negatives == ["case", "case"])
  var generator = SplitMix64(seed: 3)
  let crop = try CropSampler(size: GridSize(3, 1, 1), augmentation: .none)
    .crop(of: partly, using: &generator, work: WorkContext())
  #expect(!crop.classes.contains(TrainingCase.unlabelledClass))
  #expect(crop.classes.contains(TrainingCase.ignoredClass))
}
