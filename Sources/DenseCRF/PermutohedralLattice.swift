import Foundation
import Work

/// A Gaussian filter on scattered points of many dimensions (Adams, Baek and Davis 2010).
///
/// Points are embedded in the lattice of simplices A*_d, whose vertices are stored in a hash table. Values are splatted
/// to the d + 1 corners of their simplices with barycentric weights, vertices are blurred with 1/4, 1/2, 1/4 along the
/// d + 1 directions of the lattice, and values are sliced with the same weights. The result approximates the Gaussian
/// exp(-|f - g|²/2) of the features within about a tenth of its peak, at a cost linear in points and dimensions.
/// Memory: 8 (d + 1) bytes per point, and 8 (d + 1) + 24 per vertex.
struct PermutohedralLattice: Sendable {
  /// The maximum number of dimensions: three of space and five of intensity.
  static let maximumDimensions = 8

  /// d, the number of features of a point.
  let dimensions: Int
  let count: Int
  /// Number of vertices of occupied simplices.
  let vertexCount: Int
  /// d + 1 vertices of each point, counted from 1.
  private let vertices: AlignedStorage<UInt32>
  private let weights: AlignedStorage<Float>
  /// Per direction and vertex the vertices on both sides, counted from 1; 0 means no vertex, and its value is 0.
  private let neighbours: AlignedStorage<UInt32>

  /// The lattice of `count` points; `feature` writes the `dimensions` features of a point in units of the kernel's
  /// standard deviation.
  /// - Complexity: O(points · dimensions²).
  init(
    dimensions: Int, count: Int, work: WorkContext,
    feature: @Sendable (_ point: Int, _ features: UnsafeMutablePointer<Float>) -> Void
  ) throws(Cancelled) {
    precondition((1...Self.maximumDimensions).contains(dimensions), "\(dimensions) dimensions")
    let corners = dimensions + 1
    self.dimensions = dimensions
    self.count = count
    let vertices = try AlignedStorage<UInt32>(count: count * corners)
    let weights = try AlignedStorage<Float>(count: count * corners)
    let embedding = SimplexEmbedding(dimensions: dimensions)
    let chunk = 32_768
    let keys = try AlignedStorage<VertexKey>(count: chunk * corners)
    var table = VertexTable()
    for start in stride(from: 0, to: count, by: chunk) {
      let points = min(chunk, count - start)
      try work.forEach(count: points, grain: 512) { index, _ in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.maximumDimensions) { features in
          feature(start + index, features.baseAddress!)
          embedding.embed(
            features.baseAddress!, keys: keys.start + index * corners,
            weights: weights.start + (start + index) * corners)
        }
      }
      for corner in 0..<points * corners {
        vertices.start[start * corners + corner] = table.vertex(keys.start[corner]) + 1
      }
      work.report(0.8 * Double(start + points) / Double(count))
    }
    vertexCount = table.keys.count
    let total = vertexCount
    let neighbours = try AlignedStorage<UInt32>(count: 2 * corners * (total + 1))
    let known = table
    try work.forEach(count: total, grain: 1024) { vertex, _ in
      for direction in 0..<corners {
        let pair = neighbours.start + 2 * (direction * (total + 1) + vertex + 1)
        let (before, after) = known.keys[vertex].neighbours(direction, dimensions: dimensions)
        pair[0] = known.find(before).map { $0 + 1 } ?? 0
        pair[1] = known.find(after).map { $0 + 1 } ?? 0
      }
    }
    work.report(1)
    self.vertices = vertices
    self.weights = weights
    self.neighbours = neighbours
  }

  /// Scratch memory for ``filter(_:to:scratch:work:)``.
  func scratch() throws(Cancelled) -> AlignedStorage<Float> {
    try AlignedStorage(count: 2 * (vertexCount + 1))
  }

  /// Writes the filtered `values` of all points to `result`, which may be the same memory.
  func filter(
    _ values: AlignedStorage<Float>, to result: AlignedStorage<Float>, scratch: AlignedStorage<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    let corners = dimensions + 1
    let total = vertexCount + 1
    var current = DisjointBuffer(UnsafeMutableBufferPointer(start: scratch.start, count: total))
    var other = DisjointBuffer(UnsafeMutableBufferPointer(start: scratch.start + total, count: total))
    current.start.update(repeating: 0, count: total)
    // Serially, since several points add to one vertex and sums must not depend on the number of threads.
    for start in stride(from: 0, to: count, by: 65_536) {
      try work.checkCancellation()
      for point in start..<min(start + 65_536, count) {
        let value = values.start[point]
        for corner in point * corners..<(point + 1) * corners {
          current.start[Int(vertices.start[corner])] += weights.start[corner] * value
        }
      }
    }
    for direction in 0..<corners {
      let sides = neighbours.start + 2 * direction * total
      let shared = SharedBuffer(UnsafeBufferPointer(start: sides, count: 2 * total))
      let (from, to) = (current, other)
      to[0] = 0
      try work.forEach(count: total - 1, grain: 8192) { vertex, _ in
        let sum = from[Int(shared[2 * vertex + 2])] + from[Int(shared[2 * vertex + 3])]
        to[vertex + 1] = from[vertex + 1] + 0.5 * sum
      }
      swap(&current, &other)
    }
    // Normalises the blur's weights (1, 2, 1)/2 and the overlap of the simplices.
    let scale = 1 / (1 + Float(Foundation.pow(2, -Double(dimensions))))
    let blurred = current
    try work.forEach(count: count, grain: 8192) { point, _ in
      var sum: Float = 0
      for corner in point * corners..<(point + 1) * corners {
        sum += weights.start[corner] * blurred[Int(vertices.start[corner])]
      }
      result.start[point] = scale * sum
    }
  }
}

/// The first d of a vertex's d + 1 coordinates, whose sum is 0.
private struct VertexKey: BitwiseCopyable, Equatable {
  var coordinates: SIMD8<Int16>

  /// The neighbouring vertices along a direction of the lattice.
  func neighbours(_ direction: Int, dimensions: Int) -> (VertexKey, VertexKey) {
    var before = self
    var after = self
    for axis in 0..<dimensions {
      before.coordinates[axis] &-= 1
      after.coordinates[axis] &+= 1
    }
    if direction < dimensions {
      before.coordinates[direction] = coordinates[direction] &+ Int16(dimensions)
      after.coordinates[direction] = coordinates[direction] &- Int16(dimensions)
    }
    return (before, after)
  }

  var hash: UInt64 {
    let halves = unsafeBitCast(coordinates, to: SIMD2<UInt64>.self)
    let mixed = (halves.x &* 0x9E37_79B9_7F4A_7C15) ^ (halves.y &* 0xD1B5_4A32_D192_ED03)
    return mixed ^ (mixed >> 29)
  }
}

/// Vertices by their keys: open addressing, at most half full.
private struct VertexTable: Sendable {
  private(set) var keys: [VertexKey] = []
  /// Vertices counted from 1; 0 is free.
  private var slots = [UInt32](repeating: 0, count: 1 << 16)

  func find(_ key: VertexKey) -> UInt32? {
    let slot = slots[slot(of: key)]
    return slot == 0 ? nil : slot - 1
  }

  /// The vertex of `key`; it is added where there is none.
  mutating func vertex(_ key: VertexKey) -> UInt32 {
    let slot = slot(of: key)
    if slots[slot] > 0 { return slots[slot] - 1 }
    keys.append(key)
    slots[slot] = UInt32(keys.count)
    if keys.count * 2 > slots.count { grow() }
    return UInt32(keys.count - 1)
  }

  /// The slot of `key`, or the free slot for it.
  private func slot(of key: VertexKey) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.hash) & mask
    while slots[slot] > 0, keys[Int(slots[slot]) - 1] != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: 2 * slots.count)
    for (vertex, key) in keys.enumerated() { slots[slot(of: key)] = UInt32(vertex + 1) }
  }
}

/// The embedding of features in the lattice (Adams, Baek and Davis 2010, section 3.1).
private struct SimplexEmbedding: Sendable {
  private let dimensions: Int
  /// Scales of the features along the hyperplane's axes, so that the blur's width becomes 1.
  private let scales: [Float]

  init(dimensions: Int) {
    self.dimensions = dimensions
    let width = Float((2.0 / 3.0).squareRoot()) * Float(dimensions + 1)
    scales = (0..<dimensions).map { width / Float(($0 + 1) * ($0 + 2)).squareRoot() }
  }

  /// Writes the keys and barycentric weights of the d + 1 corners around `features`.
  func embed(
    _ features: UnsafePointer<Float>, keys: UnsafeMutablePointer<VertexKey>,
    weights: UnsafeMutablePointer<Float>
  ) {
    let d = dimensions
    var elevated = SIMD16<Float>(repeating: 0)
    var sum: Float = 0
    for axis in stride(from: d, to: 0, by: -1) {
      let scaled = features[axis - 1] * scales[axis - 1]
      elevated[axis] = sum - Float(axis) * scaled
      sum += scaled
    }
    elevated[0] = sum
    // The nearest point whose coordinates are all multiples of d + 1, and how far each is from it.
    var remainder = SIMD16<Int32>(repeating: 0)
    var rank = SIMD16<Int32>(repeating: 0)
    var steps: Int32 = 0
    for axis in 0...d {
      let coordinate = (elevated[axis] / Float(d + 1)).rounded()
      // `LatticeKernel.maximumRange` bounds features far below this, so that the sums below cannot overflow.
      let nearest = Int32(min(max(coordinate, -0x1p26), 0x1p26))  // cannot trap: clamped
      remainder[axis] = nearest * Int32(d + 1)
      steps += nearest
    }
    for a in 0..<d {
      let distance = elevated[a] - Float(remainder[a])
      for b in a + 1...d {
        if distance < elevated[b] - Float(remainder[b]) { rank[a] += 1 } else { rank[b] += 1 }
      }
    }
    // Coordinates must add up to 0: those with the largest rounding errors are corrected.
    for axis in 0...d {
      rank[axis] += steps
      if rank[axis] < 0 {
        rank[axis] += Int32(d + 1)
        remainder[axis] += Int32(d + 1)
      } else if rank[axis] > Int32(d) {
        rank[axis] -= Int32(d + 1)
        remainder[axis] -= Int32(d + 1)
      }
    }
    var barycentric = SIMD16<Float>(repeating: 0)
    for axis in 0...d {
      let weight = (elevated[axis] - Float(remainder[axis])) / Float(d + 1)
      barycentric[d - Int(rank[axis])] += weight
      barycentric[d + 1 - Int(rank[axis])] -= weight
    }
    barycentric[0] += 1 + barycentric[d + 1]
    for corner in 0...d {
      weights[corner] = barycentric[corner]
      var key = VertexKey(coordinates: SIMD8(repeating: 0))
      for axis in 0..<d {
        let shift = Int(rank[axis]) > d - corner ? corner - (d + 1) : corner
        key.coordinates[axis] = Int16(truncatingIfNeeded: Int(remainder[axis]) + shift)
      }
      keys[corner] = key
    }
  }
}
