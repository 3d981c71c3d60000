import Volumes

/// The partition of a volume into bricks of 32 x 8 x 8 voxels, others at its upper ends.
///
/// The last brick along i has less than 16 voxels more, or 16 and more of 32, because short rows cost as much as long ones.
/// Which classes are active is known for each brick, and more finely for each cube of 8 x 8 x 8 voxels, of which a brick
/// has up to six in a row. Bricks begin at multiples of ``GaussianAxis/maximumStep``, so that they consist of whole
/// blocks of voxels of every kernel.
struct Bricks: Sendable {
  /// Voxels of a brick along each axis: rows of at least two vectors, and cells that fit the first cache.
  static let extent = GridSize(32, 8, 8)
  /// Voxels of a cube along each axis.
  static let cube = 8
  /// Voxels of a brick at most.
  static let maximumVoxelCount = (extent.i + shortestRow) * extent.j * extent.k
  private static let shortestRow = 16

  /// Voxels of the volume.
  let volume: GridSize
  /// Bricks along each axis.
  let size: GridSize
  /// Cubes along each axis.
  let cubes: GridSize

  init(_ volume: GridSize) {
    self.volume = volume
    func parts(_ extent: GridSize) -> GridSize {
      GridSize(
        (volume.i + extent.i - 1) / extent.i, (volume.j + extent.j - 1) / extent.j,
        (volume.k + extent.k - 1) / extent.k)
    }
    size = GridSize(
      max(1, (volume.i + Self.extent.i - Self.shortestRow) / Self.extent.i), parts(Self.extent).j,
      parts(Self.extent).k)
    cubes = parts(GridSize(Self.cube, Self.cube, Self.cube))
  }

  var count: Int { size.voxelCount }

  /// The voxels of a brick.
  func box(_ brick: Int) -> VoxelBounds {
    voxels(VoxelBounds(lower: size.index(offset: brick), upper: size.index(offset: brick)))
  }

  /// The voxels of a box of bricks.
  func voxels(_ bricks: VoxelBounds) -> VoxelBounds {
    var box = bricks
    for axis in 0..<3 {
      box.lower[axis] *= Self.extent[axis]
      box.upper[axis] =
        bricks.upper[axis] + 1 == size[axis]
        ? volume[axis] - 1 : (bricks.upper[axis] + 1) * Self.extent[axis] - 1
    }
    return box
  }

  /// The cubes of a brick, which lie next to each other.
  func cubes(_ brick: Int) -> Range<Int> {
    let index = size.index(offset: brick)
    let perBrick = Self.extent.i / Self.cube
    let row = (index.k * cubes.j + index.j) * cubes.i
    return row + index.i * perBrick..<row + (index.i + 1 == size.i ? cubes.i : (index.i + 1) * perBrick)
  }

  /// The bricks that lie in planes `planes` of voxels, which begin and end at bricks.
  func bricks(inPlanes planes: Range<Int>) -> Range<Int> {
    let layer = size.i * size.j
    let layers = planes.lowerBound / Self.extent.k..<(planes.upperBound + Self.extent.k - 1) / Self.extent.k
    return layers.lowerBound * layer..<layers.upperBound * layer
  }

  /// For each brick the union of the sets of its cubes.
  func union(of sets: ClassSets) -> ClassSets {
    var result = ClassSets(size)
    for brick in 0..<count {
      for cube in cubes(brick) { result.sets[brick].formUnion(sets.sets[cube]) }
    }
    return result
  }

  /// As many points of a lattice of parts of `extent` voxels as `voxels` reach at most.
  static func radius(_ voxels: [Int], parts extent: GridSize) -> GridSize {
    func parts(_ axis: Int) -> Int { (voxels[axis] + extent[axis] - 1) / extent[axis] }
    return GridSize(parts(0), parts(1), parts(2))
  }
}
