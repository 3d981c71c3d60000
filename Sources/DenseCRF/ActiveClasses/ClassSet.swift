import Volumes

/// A set of classes 0...255.
struct ClassSet: Hashable, Sendable {
  private var words = SIMD4<UInt64>()

  /// The empty set.
  init() {}

  /// The set of one class.
  init(_ index: Int) { insert(index) }

  /// The classes 0..<count.
  init(count: Int) {
    for index in 0..<count { insert(index) }
  }

  mutating func insert(_ index: Int) { words[index >> 6] |= 1 << UInt64(index & 63) }
  mutating func formUnion(_ other: ClassSet) { words |= other.words }
  func union(_ other: ClassSet) -> ClassSet {
    var all = self
    all.formUnion(other)
    return all
  }
  func intersection(_ other: ClassSet) -> ClassSet {
    var common = self
    common.words &= other.words
    return common
  }
  func contains(_ index: Int) -> Bool { words[index >> 6] >> UInt64(index & 63) & 1 == 1 }
  var isEmpty: Bool { words == SIMD4() }
  var count: Int { (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount } }

  /// The classes in ascending order.
  var elements: [Int] {
    var found: [Int] = []
    for word in 0..<4 {
      var bits = words[word]
      while bits != 0 {
        found.append(word * 64 + bits.trailingZeroBitCount)
        bits &= bits - 1
      }
    }
    return found
  }

  /// The only class of a set of one; nil for other sets.
  var only: Int? { count == 1 ? elements[0] : nil }
}

/// A set of classes for each point of a lattice.
struct ClassSets: Sendable {
  /// Points along each axis.
  let size: GridSize
  /// One set per point, i fastest.
  var sets: [ClassSet]

  init(_ size: GridSize) {
    self.size = size
    sets = Array(repeating: ClassSet(), count: size.voxelCount)
  }

  /// At each point the union of all sets within `radius` points along each axis.
  func dilated(by radius: GridSize) -> ClassSets {
    var result = self
    var step = 1
    for axis in 0..<3 {
      let extent = size[axis]
      let reach = min(radius[axis], extent - 1)
      if reach > 0 {
        let source = result.sets
        for offset in source.indices {
          let x = offset / step % extent
          var set = ClassSet()
          for y in max(0, x - reach)...min(extent - 1, x + reach) {
            set.formUnion(source[offset + (y - x) * step])
          }
          result.sets[offset] = set
        }
      }
      step *= extent
    }
    return result
  }

  /// At each point the union of all sets of points whose cubes, one unit wide, have a part within an ellipsoid around a
  /// part of this point's; `radii` are its semi-axes.
  func dilated(within radii: [Double]) -> ClassSets {
    let extents = (0..<3).map { Int(saturating: radii[$0].rounded(.up)) }
    // Larger ellipsoids have so many steps that their box is faster.
    guard extents.allSatisfy({ $0 <= 2 }) else {
      return dilated(by: GridSize(extents[0], extents[1], extents[2]))
    }
    func part(_ step: Int, _ axis: Int) -> Double {
      let gap = Double(max(0, abs(step) - 1))
      return gap == 0 ? 0 : gap * gap / (radii[axis] * radii[axis])
    }
    var result = self
    for k in -extents[2]...extents[2] {
      for j in -extents[1]...extents[1] {
        for i in -extents[0]...extents[0] where (i, j, k) != (0, 0, 0) {
          if part(i, 0) + part(j, 1) + part(k, 2) < 1 { result.formUnion(self, moved: VoxelIndex(i, j, k)) }
        }
      }
    }
    return result
  }

  /// Adds the sets of the points that lie `step` away, where there are such.
  private mutating func formUnion(_ other: ClassSets, moved step: VoxelIndex) {
    func range(_ axis: Int) -> Range<Int> {
      max(0, -step[axis])..<max(0, -step[axis], min(size[axis], size[axis] - step[axis]))
    }
    let distance = (step.k * size.j + step.j) * size.i + step.i
    for k in range(2) {
      for j in range(1) {
        let row = (k * size.j + j) * size.i
        for point in range(0) { sets[row + point].formUnion(other.sets[row + point + distance]) }
      }
    }
  }

  /// For each class of `classCount` the box of the points whose sets have it; nil where none has.
  func bounds(classCount: Int) -> [VoxelBounds?] {
    var found = [VoxelBounds?](repeating: nil, count: classCount)
    for (offset, set) in sets.enumerated() where !set.isEmpty {
      let point = size.index(offset: offset)
      for index in set.elements {
        let own = VoxelBounds(lower: point, upper: point)
        found[index] = found[index]?.union(own) ?? own
      }
    }
    return found
  }
}
