import Work

/// A k-d tree of points in space, for nearest-neighbour queries.
///
/// It is used where ``DistanceTransform`` cannot be: on grids whose axes are not perpendicular.
struct PointTree: Sendable {
  /// A part of the points and the box around it.
  private struct Node {
    var lower, upper: SIMD3<Double>
    /// The points of the part, next to each other.
    var first, count: Int
    /// Its two halves, next to each other; nil where it is not divided.
    var halves: Int?
  }

  private var points: [SIMD3<Double>]
  private var nodes: [Node]
  private static let maximumLeafCount = 8

  /// A tree of at least one point, no two of them the same.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(n log n) for n points of a lattice; about 60 bytes for each.
  init(_ points: [SIMD3<Double>], work: WorkContext) throws(Cancelled) {
    precondition(!points.isEmpty, "a tree without a point")
    self.points = points
    nodes = [Node(lower: .zero, upper: .zero, first: 0, count: points.count, halves: nil)]
    var next = 0
    var sincePoll = 0
    while next < nodes.count {
      sincePoll += nodes[next].count
      if sincePoll > 1 << 18 {
        try work.checkCancellation()
        sincePoll = 0
      }
      divide(next)
      next += 1
    }
  }

  /// Finds the box of a node and divides it in the middle of its longest side, unless it holds few points.
  private mutating func divide(_ number: Int) {
    let (first, end) = (nodes[number].first, nodes[number].first + nodes[number].count)
    var (lower, upper) = (points[first], points[first])
    for index in first..<end {
      lower = pointwiseMin(lower, points[index])
      upper = pointwiseMax(upper, points[index])
    }
    nodes[number].lower = lower
    nodes[number].upper = upper
    let sides = upper - lower
    let longest = sides.max()
    guard end - first > Self.maximumLeafCount, longest > 0 else { return }
    let axis = (0..<3).first { sides[$0] == longest } ?? 0
    let middle = lower[axis] + longest / 2
    var border = first
    for index in first..<end where points[index][axis] < middle {
      points.swapAt(index, border)
      border += 1
    }
    guard border > first, border < end else { return }
    nodes[number].halves = nodes.count
    nodes.append(Node(lower: .zero, upper: .zero, first: first, count: border - first, halves: nil))
    nodes.append(Node(lower: .zero, upper: .zero, first: border, count: end - border, halves: nil))
  }

  /// The squared distance of each query to its nearest point.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(log n) for a query near the points; O(n) where many points are about as near as the nearest.
  func squaredDistances(from queries: [SIMD3<Double>], work: WorkContext) throws(Cancelled) -> [Double] {
    let grain = 16
    var squares = [Double](repeating: 0, count: queries.count)
    try squares.withUnsafeMutableBufferPointer { buffer throws(Cancelled) in
      let squares = DisjointBuffer(buffer)
      try work.withoutProgress.forEach(count: (queries.count + grain - 1) / grain) { chunk, _ in
        // Neighbouring queries have similar nearest points: the search starts at the previous one's.
        var nearest = 0
        for index in chunk * grain..<min((chunk + 1) * grain, queries.count) {
          var square = squaredLength(points[nearest] - queries[index])
          search(0, from: queries[index], &square, &nearest)
          squares[index] = square
        }
      }
    }
    return squares
  }

  private func search(_ number: Int, from query: SIMD3<Double>, _ square: inout Double, _ nearest: inout Int)
  {
    guard let halves = nodes[number].halves else {
      for index in nodes[number].first..<nodes[number].first + nodes[number].count {
        let own = squaredLength(points[index] - query)
        if own < square { (square, nearest) = (own, index) }
      }
      return
    }
    let bounds = (squaredDistance(from: query, to: halves), squaredDistance(from: query, to: halves + 1))
    let order = bounds.0 <= bounds.1 ? (halves, halves + 1) : (halves + 1, halves)
    if min(bounds.0, bounds.1) < square { search(order.0, from: query, &square, &nearest) }
    if max(bounds.0, bounds.1) < square { search(order.1, from: query, &square, &nearest) }
  }

  /// To the box of a node.
  private func squaredDistance(from query: SIMD3<Double>, to number: Int) -> Double {
    let nearest = pointwiseMin(pointwiseMax(query, nodes[number].lower), nodes[number].upper)
    return squaredLength(nearest - query)
  }
}

private func squaredLength(_ step: SIMD3<Double>) -> Double { (step * step).sum() }
