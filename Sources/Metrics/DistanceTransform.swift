import Volumes
import Work

/// Distances of every voxel of a box to the nearest of some of them.
enum DistanceTransform {
  /// Squared Euclidean distances in mm² between voxel centres; exact up to the rounding of 32-bit floats.
  ///
  /// The lower envelope of parabolas along each axis in turn (Felzenszwalb and Huttenlocher 2012).
  ///
  /// - Parameters:
  ///   - sites: 1 where the distance is 0; without any, every distance is infinite.
  ///   - spacing: Millimetres between neighbouring voxels.
  /// - Complexity: O(n) for n voxels, shared by the threads; 4 bytes per voxel.
  static func squaredDistances(
    to sites: [UInt8], size: GridSize, spacing: Spacing, work: WorkContext
  ) throws(Cancelled) -> [Float] {
    try AvailableMemory.requireAllocation(sites.count * MemoryLayout<Float>.stride)
    var squares = [Float](unsafeUninitializedCapacity: sites.count) { squares, count in
      for index in sites.indices { squares[index] = sites[index] != 0 ? 0 : .infinity }
      count = sites.count
    }
    let bundle = 16
    let bundleStarts = Array(stride(from: 0, to: size.i, by: bundle))
    try squares.withUnsafeMutableBufferPointer { buffer throws(Cancelled) in
      let squares = DisjointBuffer(buffer)
      try transformLines(
        squares, axis: LineAxis(count: size.i, stride: 1, spacing: spacing.i), bundle: 1,
        starts: (0..<size.j * size.k).map { $0 * size.i }, work: work)
      try transformLines(
        squares, axis: LineAxis(count: size.j, stride: size.i, spacing: spacing.j), bundle: bundle,
        starts: (0..<size.k).flatMap { k in bundleStarts.map { k * size.i * size.j + $0 } }, work: work,
        rowLength: size.i)
      try transformLines(
        squares, axis: LineAxis(count: size.k, stride: size.i * size.j, spacing: spacing.k), bundle: bundle,
        starts: (0..<size.j).flatMap { j in bundleStarts.map { j * size.i + $0 } }, work: work,
        rowLength: size.i)
    }
    return squares
  }

  /// Transforms bundles of neighbouring lines, whose voxels are in the same cache lines.
  private static func transformLines(
    _ squares: DisjointBuffer<Float>, axis: LineAxis, bundle: Int, starts: [Int], work: WorkContext,
    rowLength: Int = 1
  ) throws(Cancelled) {
    var scratch = [Double](repeating: 0, count: work.threadCount * axis.count * (bundle + 3))
    try scratch.withUnsafeMutableBufferPointer { buffer throws(Cancelled) in
      let scratch = DisjointBuffer(buffer)
      try work.withoutProgress.forEach(count: starts.count, grain: 4) { number, worker in
        let start = starts[number]
        let lines = min(bundle, rowLength - start % rowLength)
        let values = scratch.start + worker * axis.count * (bundle + 3)
        for position in 0..<axis.count {
          let source = squares.start + start + position * axis.stride
          for line in 0..<lines { values[line * axis.count + position] = Double(source[line]) }
        }
        for line in 0..<lines {
          axis.transform(values + line * axis.count, envelope: values + bundle * axis.count)
        }
        for position in 0..<axis.count {
          let target = squares.start + start + position * axis.stride
          for line in 0..<lines { target[line] = Float(values[line * axis.count + position]) }
        }
      }
    }
  }
}

/// One axis of a box, and the transform of a line along it.
private struct LineAxis: Sendable {
  let count: Int
  /// Elements between neighbours in memory.
  let stride: Int
  /// Millimetres between neighbours.
  let spacing: Double

  /// Replaces f(q) by min over p of f(p) + (x_q - x_p)²; `envelope` is scratch of 3 * count elements.
  func transform(_ line: UnsafeMutablePointer<Double>, envelope: UnsafeMutablePointer<Double>) {
    // Position and height of each parabola of the envelope, and where it takes over from the one before.
    let (positions, heights, begins) = (envelope, envelope + count, envelope + 2 * count)
    var last = -1
    for index in 0..<count where line[index] < .infinity {
      let position = Double(index) * spacing
      let height = line[index]
      var begin = -Double.infinity
      while last >= 0 {
        let difference = (height + position * position) - (heights[last] + positions[last] * positions[last])
        begin = difference / (2 * (position - positions[last]))
        if begin > begins[last] { break }
        last -= 1
      }
      if last < 0 { begin = -.infinity }
      last += 1
      (positions[last], heights[last], begins[last]) = (position, height, begin)
    }
    guard last >= 0 else { return }
    var current = 0
    for index in 0..<count {
      let position = Double(index) * spacing
      while current < last, begins[current + 1] < position { current += 1 }
      let distance = position - positions[current]
      line[index] = distance * distance + heights[current]
    }
  }
}
