import Work

/// The parts that the voxels along one axis have in the pixels of a pane.
///
/// A pixel is the mean over a box around its centre that is as long as the pixel, and at least as long as a voxel; each
/// voxel counts with the fraction of the box that it fills. For pixels larger than a voxel this is the average over their
/// area, for smaller ones the linear interpolation between voxels, and between both there is no jump. A box that reaches
/// beyond the image is cut off there. Pixels whose centre lies beyond the image show nothing, so its edge is sharp.
struct PixelWeights {
  /// The pixels that show the image; the other properties are empty where there are none.
  let pixels: Range<Int>
  /// The voxels that have a part in a pixel.
  let voxels: Range<Int>
  /// Terms of each mean, the same number for every pixel; unused ones have weight 0.
  let tapCount: Int
  /// The first voxel of each pixel's mean, counted from the first of `voxels`; all `tapCount` of them exist.
  let first: [Int]
  /// `tapCount` weights for each pixel, whose sum is 1.
  let weights: [Float]

  /// Voxels that fill less of a box than this are where they are by rounding.
  private static let leastPart = 1e-6

  /// Weights for `pixelCount` pixels whose edges lie at the continuous voxel indices `edge(n)` and `edge(n + 1)`, over
  /// `count` voxels.
  init(pixelCount: Int, over count: Int, edge: (Int) -> Double) {
    var means: [(pixel: Int, first: Int, weights: [Double])] = []
    for pixel in 0..<pixelCount {
      let (one, other) = (edge(pixel), edge(pixel + 1))
      let centre = (one + other) / 2
      guard centre >= -0.5, centre < Double(count) - 0.5 else { continue }
      let length = max(1, abs(other - one))
      let lower = max(centre - length / 2, -0.5)
      let upper = min(centre + length / 2, Double(count) - 0.5)
      let margin = length * PixelWeights.leastPart
      let first = min(max(0, Int(saturating: (lower + 0.5 + margin).rounded(.down))), count - 1)
      let end = min(max(first + 1, Int(saturating: (upper + 0.5 - margin).rounded(.up))), count)
      let parts = (first..<end).map { voxel in
        max(0, min(upper, Double(voxel) + 0.5) - max(lower, Double(voxel) - 0.5))
      }
      let sum = parts.reduce(0, +)
      means.append(
        (pixel, first, sum > 0 ? parts.map { $0 / sum } : parts.map { _ in 1 / Double(parts.count) }))
    }
    let start = means.map(\.first).min() ?? 0
    let end = means.map { $0.first + $0.weights.count }.max() ?? start
    let taps = means.map(\.weights.count).max() ?? 0
    // Indices grow or fall evenly from pixel to pixel, so those inside the image follow each other.
    pixels = (means.first?.pixel ?? 0)..<(means.last.map { $0.pixel + 1 } ?? 0)
    voxels = start..<end
    tapCount = taps
    first = means.map { min($0.first, end - taps) - start }
    weights = means.flatMap { mean in
      let shift = mean.first - min(mean.first, end - taps)
      return (0..<taps).map { tap in
        mean.weights.indices.contains(tap - shift) ? Float(mean.weights[tap - shift]) : 0
      }
    }
  }

  /// Writes the mean of lines of voxels that makes a row of pixels.
  /// - Parameters:
  ///   - position: The row of pixels, counted from the first of `pixels`.
  ///   - line: The values of a voxel of this axis, counted from the first of `voxels`, along the other one.
  func writeMean(
    _ position: Int, of line: (Int) -> UnsafePointer<Float>, count: Int,
    to mean: UnsafeMutablePointer<Float>
  ) {
    var isFirst = true
    for tap in 0..<tapCount {
      let weight = weights[position * tapCount + tap]
      guard weight != 0 else { continue }
      let values = line(first[position] + tap)
      if isFirst {
        for voxel in 0..<count { mean[voxel] = values[voxel] * weight }
      } else {
        for voxel in 0..<count { mean[voxel] += values[voxel] * weight }
      }
      isFirst = false
    }
  }

  /// Writes the mean of each pixel over the values of a line of voxels.
  func writeMeans(of line: UnsafePointer<Float>, to means: UnsafeMutablePointer<Float>) {
    first.withUnsafeBufferPointer { first in
      weights.withUnsafeBufferPointer { weights in
        // SAFETY: there is a first voxel for each pixel, and `tapCount` voxels and weights from it on.
        guard let firsts = first.baseAddress, var weight = weights.baseAddress else { return }
        switch tapCount {
        case 1: for pixel in 0..<first.count { means[pixel] = line[firsts[pixel]] }
        case 2:
          for pixel in 0..<first.count {
            let from = line + firsts[pixel]
            means[pixel] = from[0] * weight[0] + from[1] * weight[1]
            weight += 2
          }
        case 3:
          for pixel in 0..<first.count {
            let from = line + firsts[pixel]
            means[pixel] = from[0] * weight[0] + from[1] * weight[1] + from[2] * weight[2]
            weight += 3
          }
        default:
          for pixel in 0..<first.count {
            let from = line + firsts[pixel]
            var sum: Float = 0
            for tap in 0..<tapCount { sum += from[tap] * weight[tap] }
            means[pixel] = sum
            weight += tapCount
          }
        }
      }
    }
  }
}
