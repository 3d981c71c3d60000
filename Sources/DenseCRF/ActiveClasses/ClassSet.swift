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
