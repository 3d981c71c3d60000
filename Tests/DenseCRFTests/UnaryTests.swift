import DenseCRF
import TestSupport
import Testing
import Volumes
import Work

/// Unaries of a CRF, and the margins of its voxels to another class.
@Suite("Unaries") struct UnaryTests {
  @Test("margins belong to voxels beside another class, the most probable class against the second")
  func margins() throws {
    // A row of three classes: 0 0 1 1 2. Margins are log-odds.
    let likely: [(Int, Float)] = [(0, 0.9), (0, 0.6), (1, 0.5), (1, 0.8), (2, 0.7)]
    let second: [Float] = [0.06, 0.3, 0.4, 0.15, 0.2]
    var probabilities = [Float](repeating: 0, count: 15)
    for (voxel, (label, probability)) in likely.enumerated() {
      let other = (label + 1) % 3
      probabilities[label * 5 + voxel] = probability
      probabilities[other * 5 + voxel] = second[voxel]
      probabilities[(label + 2) % 3 * 5 + voxel] = 1 - probability - second[voxel]
    }
    for size in [GridSize(5, 1, 1), GridSize(1, 5, 1), GridSize(1, 1, 5)] {
      let unary = try Unary(probabilities: probabilities, classCount: 3, size: size)
      let found = try unary.borderMargins().sorted()
      // log(0.5 / 0.4), log(0.6 / 0.3), log(0.7 / 0.2), log(0.8 / 0.15); the first voxel touches its own class only.
      let expected: [Float] = [0.22314355, 0.6931472, 1.252763, 1.6739764]
      #expect(largestDifference(found, expected) < 1e-5)
    }
  }

  @Test("a volume of one class has no margins")
  func noBorders() throws {
    let probabilities = [Float](repeating: 0.7, count: 24) + [Float](repeating: 0.3, count: 24)
    let unary = try Unary(probabilities: probabilities, classCount: 2, size: GridSize(4, 3, 2))
    #expect(try unary.borderMargins() == [])
  }

  @Test(
    "the unary of a box of a volume is that of the box alone",
    arguments: [
      VoxelBounds(lower: VoxelIndex(0, 0, 0), upper: VoxelIndex(11, 10, 8)),
      VoxelBounds(lower: VoxelIndex(0, 3, 2), upper: VoxelIndex(11, 7, 5)),
      VoxelBounds(lower: VoxelIndex(2, 1, 0), upper: VoxelIndex(9, 10, 3)),
    ])
  func boxes(box: VoxelBounds) throws {
    let random = RandomCase(GridSize(12, 11, 9), classCount: 3)
    let count = random.size.voxelCount
    let own = (0..<3).flatMap {
      random.probabilities[$0 * count..<($0 + 1) * count].cropped(to: box, size: random.size)
    }
    let image = random.image.cropped(to: box, size: random.size)
    let crf = try DenseCRF(image: image, size: box.size, spacing: Spacing(1))
    let results = try [
      Unary(probabilities: own, classCount: 3, size: box.size),
      Unary(probabilities: random.probabilities, classCount: 3, of: random.size, in: box),
    ].map { try crf.refine($0, settings: random.settings, wantsMarginals: true) }
    #expect(results[0] == results[1])
  }

  @Test("an impossible probability in a box is named by its position there")
  func refusedInBox() throws {
    let random = RandomCase(GridSize(6, 5, 4))
    var probabilities = random.probabilities
    let position = VoxelIndex(4, 3, 2)
    probabilities[random.size.voxelCount + random.size.offset(position)] = -1
    let box = VoxelBounds(lower: VoxelIndex(1, 1, 1), upper: VoxelIndex(5, 4, 3))
    let error = #expect(throws: InputError.self) {
      try Unary(probabilities: probabilities, classCount: 2, of: random.size, in: box)
    }
    #expect(error?.description.contains("voxel (3, 2, 1)") == true)
  }

  @Test("voxels of a few kinds have the logits of their kinds")
  func kinds() throws {
    let size = GridSize(7, 5, 3)
    let kinds: [[Float]] = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]]
    let voxels = (0..<size.voxelCount).map { UInt16($0 * 7 % 3) }
    var kindOfValue = [UInt16](repeating: 0, count: 65536)
    (kindOfValue[10], kindOfValue[20]) = (1, 2)
    // One plane before and one row after belong to the volume and not to the box.
    let whole = GridSize(7, 6, 4)
    var values = [UInt16](repeating: 999, count: whole.voxelCount)
    for offset in voxels.indices {
      let index = size.index(offset: offset)
      values[(index.k + 1) * 42 + index.j * 7 + index.i] = voxels[offset] * 10
    }
    let box = VoxelBounds(lower: VoxelIndex(0, 0, 1), upper: VoxelIndex(6, 4, 3))
    let row = try Unary(
      probabilities: (0..<3).flatMap { label in kinds.map { $0[label] } }, classCount: 3,
      size: GridSize(3, 1, 1))
    let written = (0..<3).flatMap { label in voxels.map { kinds[Int($0)][label] } }
    let crf = try DenseCRF(
      image: voxels.map { Float($0) * 20 }, size: size, spacing: Spacing(1), intensityRange: 0...60)
    let settings = RandomCase(size).settings
    let results = try [
      Unary(probabilities: written, classCount: 3, size: size),
      Unary(kinds: row, values: values, kindOfValue: kindOfValue, of: whole, in: box),
    ].map { try crf.refine($0, settings: settings, wantsMarginals: true) }
    #expect(results[0] == results[1])
  }
}
