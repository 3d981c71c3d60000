import Volumes
import Work

/// The noise of a simulated scanner.
enum AcquisitionNoise {
  /// Gaussian noise of variance 1, correlated between neighbours (binomial smoothing along each axis).
  ///
  /// Each slice draws from a stream of its own, so that the result is the same for any number of threads.
  /// - Throws: `Cancelled`.
  static func correlated(
    size: GridSize, seed: UInt64, firstStream: UInt64, work: WorkContext
  ) throws(Cancelled) -> [Float] {
    let plane = size.i * size.j
    var white = [Float](repeating: 0, count: size.voxelCount)
    try white.withUnsafeMutableBufferPointer { white throws(Cancelled) in
      let white = DisjointBuffer(white)
      try work.forEach(count: size.k) { k, _ in
        var random = PhantomRandom(seed: seed, stream: firstStream &+ UInt64(k))
        var slice = (0..<plane).map { _ in random.normal() }
        // (1 2 1) / sqrt 6 keeps the variance at 1 away from the border.
        smooth(&slice, count: size.i, stride: 1, lines: size.j, lineStride: size.i)
        smooth(&slice, count: size.j, stride: size.i, lines: size.i, lineStride: 1)
        (white.start + k * plane).update(from: slice, count: plane)
      }
    }
    var noise = [Float](repeating: 0, count: size.voxelCount)
    try noise.withUnsafeMutableBufferPointer { noise throws(Cancelled) in
      let noise = DisjointBuffer(noise)
      try white.withUnsafeBufferPointer { white throws(Cancelled) in
        let white = SharedBuffer(white)
        try work.forEach(count: size.k) { k, _ in
          let here = white.start + k * plane
          let below = white.start + max(k - 1, 0) * plane
          let above = white.start + min(k + 1, size.k - 1) * plane
          let to = noise.start + k * plane
          for x in 0..<plane { to[x] = (below[x] + 2 * here[x] + above[x]) * 0.408_248_3 }
        }
      }
    }
    return noise
  }

  /// Binomial smoothing of every line of a slice, the border repeated.
  private static func smooth(
    _ slice: inout [Float], count: Int, stride: Int, lines: Int, lineStride: Int
  ) {
    for line in 0..<lines {
      let start = line * lineStride
      var before = slice[start]
      for n in 0..<count {
        let here = slice[start + n * stride]
        let after = n + 1 < count ? slice[start + (n + 1) * stride] : here
        slice[start + n * stride] = (before + 2 * here + after) * 0.408_248_3
        before = here
      }
    }
  }
}
