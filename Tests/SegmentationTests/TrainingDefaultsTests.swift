import Networks
import Segmentation
import Testing
import Volumes

/// The fingerprint of cases of these sizes and spacings, with images of these intensities.
private func fingerprint(
  _ shapes: [(GridSize, Spacing)], _ images: [(values: [Float], labels: [UInt16])] = []
) -> DatasetFingerprint {
  var fingerprint = DatasetFingerprint()
  for (size, spacing) in shapes {
    fingerprint.add(VolumeGrid(size: size, affine: Affine(spacing: spacing)), orientation: .ras)
  }
  for (values, labels) in images {
    let grid = VolumeGrid(size: GridSize(values.count, 1, 1), affine: Affine(spacing: Spacing(1)))
    fingerprint.add(
      [ScalarVolume(grid: grid, voxels: values)], labels: LabelVolume(grid: grid, voxels: labels), codes: [1])
  }
  return fingerprint
}

private let hippocampi = fingerprint([
  (GridSize(35, 51, 35), Spacing(1)), (GridSize(37, 48, 30), Spacing(1)), (GridSize(40, 52, 44), Spacing(1)),
])
private let clinicalCT = fingerprint(
  [(GridSize(512, 512, 300), Spacing(0.75, 0.75, 2)), (GridSize(512, 512, 220), Spacing(0.8, 0.8, 2))],
  [
    (
      (0..<1000).map { Float($0) - 100 } + [-1024, 2000],
      (0..<1000).map { (100...300).contains($0) ? 1 : 0 } + [0, 0]
    )
  ])
private let plenty = 64 << 30

@Test("small images keep their spacing and are trained whole by the small network, several per iteration")
func smallCases() throws {
  #expect(hippocampi.spacing().value == Spacing(1))
  #expect(hippocampi.network(at: Spacing(1), .standardScore).value == "small-heart")
  let network = try NetworkGraph.heart(classes: 3, widthFactor: 0.25).resolved()
  let crop = hippocampi.cropSize(at: Spacing(1), network: network, memoryBytes: plenty)
  // Nine of ten fit: the second of three along each axis, in multiples of eight.
  #expect(crop.value == GridSize(40, 56, 40))
  #expect(crop.reason == "whole images")
  #expect(crop.value.defaultBatchSize().value == 4)
}

@Test("large images are coarsened to a few crops, finest axes first, and cropped in multiples of the stride")
func largeCases() throws {
  let spacing = clinicalCT.spacing().value
  #expect(spacing == Spacing(3.5))
  #expect(clinicalCT.network(at: spacing, .window(lower: 0, upper: 1)).value == "liver")
  #expect(clinicalCT.network(at: spacing, .standardScore).value == "heart")
  let network = try NetworkGraph.liver().resolved()
  let crop = clinicalCT.cropSize(at: spacing, network: network, memoryBytes: plenty).value
  #expect(crop.voxelCount <= TrainingLimit.cropVoxels && crop.voxelCount > TrainingLimit.cropVoxels * 8 / 10)
  #expect((0..<3).allSatisfy { crop[$0] % 4 == 0 })
  #expect(crop.defaultBatchSize().value == 2)
  let small = clinicalCT.cropSize(at: spacing, network: network, memoryBytes: 256 << 20)
  #expect(small.reason == "what memory allows")
  #expect(Double(2 * small.value.voxelCount) * network.trainingBytesPerVoxel <= 128 * 1024 * 1024)
}

@Test("thick slices stay thick where the plane is coarsened to fit")
func anisotropicCases() {
  let spacing = fingerprint([(GridSize(512, 512, 60), Spacing(0.7, 0.7, 5))]).spacing().value
  #expect(spacing.k == 5)
  #expect(spacing.i == spacing.j && spacing.i > 1 && spacing.i < 3)
}

@Test("images in Hounsfield units get a window around their labelled voxels, others a standard score")
func chosenIntensities() {
  // Labelled voxels are 0 to 200: percentiles 1 and 199, half of 198 beyond them, to multiples of 5.
  #expect(clinicalCT.normalisation().value == .window(lower: -100, upper: 300))
  let magnetic = fingerprint(
    [(GridSize(8, 8, 8), Spacing(1))], [((0..<100).map { Float($0) }, [UInt16](repeating: 1, count: 100))])
  #expect(magnetic.normalisation().value == .standardScore)
  // A normalised MR has values below 0 too, but few.
  let normalised = fingerprint(
    [(GridSize(8, 8, 8), Spacing(1))],
    [((0..<100).map { Float($0) / 20 - 2 }, [UInt16](repeating: 1, count: 100))])
  #expect(normalised.normalisation().value == .standardScore)
}

@Test("only rare structures weigh more in the loss")
func defaultClassWeights() {
  func cases(_ counts: [Int]) -> TrainingCases {
    let classes = counts.enumerated().flatMap { [UInt8](repeating: UInt8($0), count: $1) }
    return TrainingCases(
      training: [
        TrainingCase(
          name: "a", size: GridSize(classes.count, 1, 1), intensities: classes.map(Float.init),
          classes: classes,
          classCount: 3)
      ], validation: [])
  }
  #expect(cases([9000, 500, 500]).defaultClassWeights(classCount: 3).value == nil)
  // 5 of 10 000 voxels are a tenth of the half percent from which a structure counts as common.
  #expect(cases([8995, 1000, 5]).defaultClassWeights(classCount: 3).value == [1, 1, 3.16])
}
