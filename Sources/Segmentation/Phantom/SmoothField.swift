import Work

/// A random smooth function of position with values of about ±1: cubic B-splines over a lattice of uniform draws.
///
/// The lattice is refined by subdivision and then read by trilinear interpolation; beyond it the field repeats
/// its border. It depends on millimetres alone, so the same seed deforms any grid the same way.
struct SmoothField: Sendable {
  private let count: SIMD3<Int>
  private let origin: SIMD3<Float>
  private let step: Float
  private let values: [Float]

  /// A field over ±`halfExtent` millimetres whose maxima are about `wavelength` millimetres apart.
  init(halfExtent: SIMD3<Float>, wavelength: Float, random: inout PhantomRandom) {
    var counts = (0..<3).map { Int(saturating: (2 * halfExtent[$0] / wavelength).rounded(.up)) + 1 }
    var lattice = (0..<counts[0] * counts[1] * counts[2]).map { _ in random.uniform(-1...1) }
    var spacing = wavelength
    while spacing > 0.3 * wavelength {
      for axis in 0..<3 { lattice = SmoothField.refined(lattice, &counts, axis: axis) }
      spacing /= 2
    }
    // Subdivision to the spline reduces the range of uniform draws to about a third.
    values = lattice.map { $0 * 2.2 }
    count = SIMD3(counts[0], counts[1], counts[2])
    step = spacing
    origin = -halfExtent
  }

  /// One step of cubic B-spline subdivision along an axis: n samples become 2 n - 1.
  private static func refined(_ old: [Float], _ counts: inout [Int], axis: Int) -> [Float] {
    let stride = axis == 0 ? 1 : axis == 1 ? counts[0] : counts[0] * counts[1]
    let n = counts[axis]
    counts[axis] = 2 * n - 1
    let newStride = axis == 0 ? 1 : axis == 1 ? counts[0] : counts[0] * counts[1]
    var new = [Float](repeating: 0, count: counts[0] * counts[1] * counts[2])
    for line in 0..<old.count / n {
      let from = line / stride * stride * n + line % stride
      let to = line / newStride * newStride * counts[axis] + line % newStride
      func value(_ index: Int) -> Float { old[from + min(max(index, 0), n - 1) * stride] }
      for index in 0..<n {
        new[to + 2 * index * newStride] = (value(index - 1) + 6 * value(index) + value(index + 1)) / 8
        if index + 1 < n {
          new[to + (2 * index + 1) * newStride] = (value(index) + value(index + 1)) / 2
        }
      }
    }
    return new
  }

  /// The greatest absolute value anywhere.
  var bound: Float { values.reduce(0) { max($0, abs($1)) } }

  /// Writes the values at `count` points that start at `start` and step by `stepX` along x.
  func fill(_ output: UnsafeMutablePointer<Float>, count points: Int, start: SIMD3<Float>, stepX: Float) {
    func cell(_ position: Float, _ axis: Int) -> (Int, Float) {
      let scaled = min(max((position - origin[axis]) / step, 0), Float(count[axis] - 1))
      let lower = min(Int(scaled), count[axis] - 2)
      return (lower, scaled - Float(lower))
    }
    let (j, fj) = cell(start.y, 1)
    let (k, fk) = cell(start.z, 2)
    let (w00, w10, w01, w11) = ((1 - fj) * (1 - fk), fj * (1 - fk), (1 - fj) * fk, fj * fk)
    let (row, plane) = (count.x, count.x * count.y)
    let base = k * plane + j * row
    values.withUnsafeBufferPointer { values in
      for point in 0..<points {
        let (i, fi) = cell(start.x + stepX * Float(point), 0)
        let v = values.baseAddress! + base + i
        let low = v[0] * w00 + v[row] * w10 + v[plane] * w01 + v[plane + row] * w11
        let high = v[1] * w00 + v[row + 1] * w10 + v[plane + 1] * w01 + v[plane + row + 1] * w11
        output[point] = low + (high - low) * fi
      }
    }
  }
}
