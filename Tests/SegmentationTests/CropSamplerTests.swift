import Segmentation
import Testing
import Volumes
import Work

/// A case whose intensity is a linear function of position and whose upper half is class 1.
private func linearCase(_ size: GridSize) -> TrainingCase {
  var intensities: [Float] = []
  var classes: [UInt8] = []
  for offset in 0..<size.voxelCount {
    let voxel = size.index(offset: offset)
    intensities.append(Float(voxel.i) + 100 * Float(voxel.j) + 10_000 * Float(voxel.k))
    classes.append(voxel.k >= size.k / 2 ? 1 : 0)
  }
  return TrainingCase(name: "linear", size: size, intensities: intensities, classes: classes, classCount: 2)
}

@Test("a crop as large as the case, without augmentation, is the case")
func wholeCaseCrop() throws {
  let example = linearCase(GridSize(7, 6, 5))
  var still = Augmentation.none
  still.foregroundProbability = 0
  let sampler = CropSampler(size: example.size, augmentation: still)
  var generator = SplitMix64(seed: 3)
  let crop = try sampler.crop(of: example, using: &generator, work: WorkContext())
  #expect(crop.classes == example.classes)
  let worst = zip(crop.intensities, example.intensities).map { abs($0 - $1) }.max() ?? 0
  #expect(worst < 0.01)
}

@Test("the same seed gives the same crop on any number of threads, another seed another one")
func cropsRepeat() throws {
  let example = linearCase(GridSize(20, 22, 18))
  let sampler = CropSampler(size: GridSize(12, 10, 9), augmentation: Augmentation())
  func crop(seed: UInt64, threads: Int) throws -> Crop {
    var generator = SplitMix64(seed: seed)
    return try sampler.crop(of: example, using: &generator, work: WorkContext(threadCount: threads))
  }
  let first = try crop(seed: 1, threads: 1)
  #expect(try crop(seed: 1, threads: 3) == first)
  #expect(try crop(seed: 2, threads: 1) != first)
}

@Test("voxels outside the case are 0 and ignored by the loss")
func outsideIsIgnored() throws {
  let example = linearCase(GridSize(4, 4, 4))
  var still = Augmentation.none
  still.foregroundProbability = 0
  let sampler = CropSampler(size: GridSize(8, 4, 4), augmentation: still)
  var generator = SplitMix64(seed: 1)
  let crop = try sampler.crop(of: example, using: &generator, work: WorkContext())
  let ignored = crop.classes.enumerated().filter { $0.element == TrainingCase.ignoredClass }.map(\.offset)
  #expect(ignored.count == 4 * 4 * 4)
  #expect(ignored.allSatisfy { crop.intensities[$0] == 0 })
}

@Test("with a foreground probability of 1 every crop holds foreground")
func foregroundCrops() throws {
  var classes = [UInt8](repeating: 0, count: 30 * 30 * 30)
  classes[GridSize(30, 30, 30).offset(VoxelIndex(15, 15, 15))] = 1
  let example = TrainingCase(
    name: "dot", size: GridSize(30, 30, 30), intensities: classes.map(Float.init), classes: classes,
    classCount: 2)
  var certain = Augmentation.none
  certain.foregroundProbability = 1
  let sampler = CropSampler(size: GridSize(8, 8, 8), augmentation: certain)
  var generator = SplitMix64(seed: 8)
  for _ in 0..<20 {
    let crop = try sampler.crop(of: example, using: &generator, work: WorkContext())
    #expect(crop.classes.filter { $0 == 1 }.count == 1)
  }
}

@Test("crops of thick slices are rotated and deformed in millimetres")
func thickSlicesAreRotatedInMillimetres() throws {
  let (size, spacing) = (GridSize(40, 40, 12), Spacing(1, 1, 8))
  let example = linearCase(size)
  var turning = Augmentation.none
  turning.foregroundProbability = 0
  turning.rotationDegrees = [20, 20, 20]
  let sampler = CropSampler(size: GridSize(6, 6, 2), spacing: spacing, augmentation: turning)
  var generator = SplitMix64(seed: 5)
  for _ in 0..<10 {
    let crop = try sampler.crop(of: example, using: &generator, work: WorkContext())
    // The intensity has the gradient 1, 100 and 10,000 per voxel, which is 1, 100 and 1250 per millimetre.
    let (right, down, next) = (crop.intensities[1], crop.intensities[6], crop.intensities[36])
    let first = crop.intensities[0]
    let squared = [right - first, down - first, (next - first) / 8].reduce(0) { $0 + Double($1 * $1) }
    #expect(abs(squared.squareRoot() - 1254) < 3)
  }
  var bent = turning
  bent.rotationDegrees = [0, 0, 0]
  bent.elasticVoxels = 1.2
  let deformed = try CropSampler(size: size, spacing: spacing, augmentation: bent)
    .crop(of: example, using: &generator, work: WorkContext())
  let moved = zip(deformed.intensities, example.intensities).filter { $0.0 != 0 }.map { abs($0 - $1) }.max()
  // Displacements of some voxels of the finest axis are fractions of a slice.
  #expect(try #require(moved) < 0.75 * 10_000)
}
