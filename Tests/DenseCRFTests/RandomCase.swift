import DenseCRF
import TestSupport
import Volumes
import Work

/// A random image with an edge in it, and probabilities that follow the edge badly.
struct RandomCase: Sendable {
  var size: GridSize
  var classCount: Int
  var image: [Float]
  var probabilities: [Float]

  init(_ size: GridSize, classCount: Int = 2, seed: UInt64 = 1) {
    var random = SplitMix64(seed: seed)
    self.size = size
    self.classCount = classCount
    let noise = random.floats(size.voxelCount)
    image = noise.indices.map { offset in
      let index = size.index(offset: offset)
      return 40 * noise[offset] + (2 * index.i > size.i + index.j % 3 ? 110.5 : 0) + 3 * Float(index.k)
    }
    probabilities = [Float](repeating: 0, count: classCount * size.voxelCount)
    for voxel in 0..<size.voxelCount {
      let wanted = image[voxel] > 70 ? 1 : 0
      let values = (0..<classCount).map { label in
        Float.random(in: 0.1...1, using: &random) + (label == wanted ? 0.4 : 0)
      }
      let sum = values.reduce(0, +)
      for label in 0..<classCount { probabilities[label * size.voxelCount + voxel] = values[label] / sum }
    }
  }

  var settings: RefinementSettings {
    RefinementSettings(
      appearanceWeight: 2, thetaAlphaMillimetres: Spacing(4), thetaBeta: 30, smoothnessWeight: 1,
      thetaGammaMillimetres: Spacing(2))
  }

  func unary() throws -> Unary {
    try Unary(probabilities: probabilities, classCount: classCount, size: size)
  }

  func crf(spacing: Spacing = Spacing(1)) throws -> DenseCRF {
    try DenseCRF(image: image, size: size, spacing: spacing, intensityRange: -50...170)
  }

  /// Images that see the edge through different noise, the first this case's own.
  func images(_ count: Int) -> [DenseCRF.Image] {
    var random = SplitMix64(seed: 11)
    return (0..<count).map { index in
      let noise = random.floats(size.voxelCount)
      return DenseCRF.Image(
        voxels: index == 0
          ? image : zip(image, noise).map { 100 - $0 * Float(index) / 3 + 25 * $1 },
        intensityRange: -200...200)
    }
  }

  /// The same with axes i, j, k in another order: axis a of the result is axis `order[a]` of this.
  func permuted(_ order: [Int]) -> RandomCase {
    var result = self
    result.size = GridSize(size[order[0]], size[order[1]], size[order[2]])
    let sources = (0..<size.voxelCount).map { offset in
      let index = result.size.index(offset: offset)
      var source = VoxelIndex(0, 0, 0)
      for axis in 0..<3 { source[order[axis]] = index[axis] }
      return size.offset(source)
    }
    result.image = sources.map { image[$0] }
    result.probabilities = (0..<classCount).flatMap { label in
      sources.map { probabilities[label * size.voxelCount + $0] }
    }
    return result
  }
}

/// The largest difference of two arrays of one length; infinite for different ones.
func largestDifference(_ a: [Float]?, _ b: [Float]?) -> Float {
  guard let a, let b, a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, $1.0.isNaN || $1.1.isNaN ? .infinity : abs($1.0 - $1.1)) }
}
