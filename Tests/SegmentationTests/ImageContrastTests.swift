import DenseCRF
import Segmentation
import TestSupport
import Testing
import Volumes
import Work

@Suite("Noise and edges of an image") struct ImageContrastTests {
  private let size = GridSize(40, 36, 30)

  /// A ball of `inside` in `outside`, with white noise on it; the middle third of its border ramps through one voxel.
  private func ball(inside: Float, outside: Float, noise: Float) -> (voxels: [Float], labels: [UInt16]) {
    var random = SplitMix64(seed: 4)
    var voxels: [Float] = []
    var labels: [UInt16] = []
    for offset in 0..<size.voxelCount {
      let index = size.index(offset: offset)
      let (x, y, z) = (Float(index.i) - 20, Float(index.j) - 18, Float(index.k) - 15)
      let distance = (x * x + y * y + z * z).squareRoot() - 11
      let fraction = min(max(0.5 - distance, 0), 1)
      voxels.append(outside + (inside - outside) * fraction + noise * Float(random.normal()))
      labels.append(distance < 0 ? 3 : 0)
    }
    return (voxels, labels)
  }

  @Test(
    "the noise and the step at the border of a synthetic image are measured", arguments: [Float(4), 15, 30])
  func found(noise: Float) throws {
    let (voxels, labels) = ball(inside: 110, outside: 20, noise: noise)
    let contrast = try #require(
      ImageContrast(voxels: voxels, labels: labels, size: size, range: -200...400))
    // Partial volumes inside the border add to a small noise.
    #expect(abs(contrast.noise / Double(noise) - 1) < 0.15)
    let edge = try #require(contrast.edge)
    #expect(abs(edge - 90) < 6)
    #expect(try #require(contrast.weakEdge) <= edge)
  }

  @Test("without structures the noise is that of the image, and there is no edge")
  func noStructure() throws {
    let (voxels, labels) = ball(inside: 50, outside: 50, noise: 8)
    let contrast = try #require(
      ImageContrast(voxels: voxels, labels: labels.map { _ in 0 }, size: size, range: -200...400))
    #expect(abs(contrast.noise / 8 - 1) < 0.05)
    #expect(contrast.edge == nil && contrast.weakEdge == nil)
  }

  @Test("an image of one value, or two voxels wide, has no contrast")
  func nothingToSay() {
    let flat = [Float](repeating: 7, count: size.voxelCount)
    let labels = [UInt16](repeating: 1, count: size.voxelCount)
    #expect(ImageContrast(voxels: flat, labels: labels, size: size, range: 0...9) == nil)
    let narrow = GridSize(2, 2, 2)
    #expect(
      ImageContrast(
        voxels: [1, 2, 3, 4, 5, 6, 7, 8], labels: [1, 1, 1, 1, 1, 1, 1, 1], size: narrow, range: 0...9)
        == nil)
  }

  @Test("a refinement measures the image around its own structures, in the order of its images")
  func ofRefinement() throws {
    let (voxels, labels) = ball(inside: 110, outside: 20, noise: 10)
    let grid = VolumeGrid(size: size, affine: Affine(spacing: Spacing(1, 1, 2)))
    let image = ScalarVolume(grid: grid, voxels: voxels)
    let double = ScalarVolume(grid: grid, voxels: voxels.map { 2 * $0 })
    func contrasts(_ mask: [UInt16]) throws -> [ImageContrast?] {
      try Refinement(
        image: image, furtherImages: [double],
        source: .mask(LabelVolume(grid: grid, voxels: mask), confidence: 0.9), labelValues: [0, 3],
        intensityRange: nil, postProcessing: .none, work: WorkContext()
      ).contrasts(work: WorkContext())
    }
    let found = try contrasts(labels)
    #expect(found.count == 2)
    let (first, second) = (try #require(found[0]), try #require(found[1]))
    #expect(abs(first.noise - 10) < 0.6)
    #expect(abs(second.noise - 20) < 1.2)
    #expect(try contrasts(labels.map { _ in 0 }) == [])
  }
}
