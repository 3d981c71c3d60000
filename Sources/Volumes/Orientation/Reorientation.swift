import Work

/// An index permutation with flips: the map from the voxel order of one grid to that of the same grid along other axes.
package struct Reorientation: Hashable, Sendable {
  /// For each new axis, the old axis that it runs along.
  package let oldAxes: [Int]
  /// For each new axis, whether its direction is opposite to the old one's.
  package let isFlipped: [Bool]

  /// The same axes in the same directions.
  package static let identity = Reorientation(oldAxes: [0, 1, 2], isFlipped: [false, false, false])

  /// All 48, the identity first.
  package static let all: [Reorientation] = {
    let permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    return permutations.flatMap { axes in
      (0..<8).map { bits in Reorientation(oldAxes: axes, isFlipped: (0..<3).map { bits >> $0 & 1 == 1 }) }
    }
  }()

  /// The permutation of axes `oldAxes` (0, 1, 2 in any order) with flips.
  package init(oldAxes: [Int], isFlipped: [Bool]) {
    precondition(oldAxes.sorted() == [0, 1, 2] && isFlipped.count == 3, "\(oldAxes) \(isFlipped)")
    self.oldAxes = oldAxes
    self.isFlipped = isFlipped
  }

  /// The reorientation from voxels stored along `old` to voxels stored along `new`.
  package init(from old: Orientation, to new: Orientation) {
    let axes = (0..<3).map { axis in (0..<3).first { old[$0].worldAxis == new[axis].worldAxis }! }
    self.init(oldAxes: axes, isFlipped: (0..<3).map { old[axes[$0]] != new[$0] })
  }

  /// Whether nothing changes.
  package var isIdentity: Bool { self == .identity }

  package var inverse: Reorientation {
    var axes = [0, 0, 0]
    var flips = [false, false, false]
    for axis in 0..<3 {
      axes[oldAxes[axis]] = axis
      flips[oldAxes[axis]] = isFlipped[axis]
    }
    return Reorientation(oldAxes: axes, isFlipped: flips)
  }

  /// The extents after it.
  package func size(_ old: GridSize) -> GridSize {
    GridSize(old[oldAxes[0]], old[oldAxes[1]], old[oldAxes[2]])
  }

  /// The grid with the same points in space and the new indices.
  package func grid(_ old: VolumeGrid) -> VolumeGrid {
    var affine = old.affine
    var corner = VoxelIndex(0, 0, 0)
    for axis in 0..<3 {
      let step = old.affine[oldAxes[axis]]
      if isFlipped[axis] {
        corner[oldAxes[axis]] = old.size[oldAxes[axis]] - 1
        // Subtracted from zero, since a negated zero would print as "-0".
        affine[axis] = WorldPoint(0 - step.x, 0 - step.y, 0 - step.z)
      } else {
        affine[axis] = step
      }
    }
    affine.origin = old.affine.world(corner)
    return VolumeGrid(size: size(old.size), affine: affine)
  }

  /// The new index of the voxel `old` of a grid of size `oldSize`.
  package func newIndex(_ old: VoxelIndex, oldSize: GridSize) -> VoxelIndex {
    var new = VoxelIndex(0, 0, 0)
    for axis in 0..<3 {
      let position = old[oldAxes[axis]]
      new[axis] = isFlipped[axis] ? oldSize[oldAxes[axis]] - 1 - position : position
    }
    return new
  }

  /// The values of voxels (i fastest) in their new order.
  /// - Throws: `Cancelled`.
  package func reordered(
    _ old: [Float], size oldSize: GridSize, work: WorkContext
  ) throws(Cancelled) -> [Float] {
    try reorderedElements(old, size: oldSize, work: work)
  }

  /// As ``reordered(_:size:work:)``, for elements of any type; not for other targets, where it would not be specialised.
  func reorderedElements<Element: BitwiseCopyable & Sendable>(
    _ old: [Element], size oldSize: GridSize, work: WorkContext
  ) throws(Cancelled) -> [Element] {
    precondition(old.count == oldSize.voxelCount, "\(old.count) voxels for \(oldSize)")
    guard !old.isEmpty, !isIdentity else { return old }
    return try old.withUnsafeBufferPointer { old throws(Cancelled) in
      try reordered(SharedBuffer(old), size: oldSize, work: work)
    }
  }

  /// The voxels of `old` (i fastest) in their new order.
  /// - Throws: `Cancelled`.
  func reordered<Element: BitwiseCopyable & Sendable>(
    _ old: SharedBuffer<Element>, size oldSize: GridSize, work: WorkContext
  ) throws(Cancelled) -> [Element] {
    let newSize = size(oldSize)
    let (steps, start) = memorySteps(oldSize)
    return try [Element](count: old.count) { output throws(Cancelled) in
      try work.forEach(count: newSize.k) { k, _ in
        Reorientation.copySlice(k, newSize, steps, start, output) { old[$0] }
      }
    }
  }

  /// Writes the values of new slice `k` of the voxels `old` of a grid of size `oldSize`, new first axis fastest.
  package func writeSlice(
    _ k: Int, of old: IntensityVoxels, size oldSize: GridSize, to target: UnsafeMutablePointer<Float>
  ) {
    precondition(old.count == oldSize.voxelCount, "\(old.count) voxels for \(oldSize)")
    old.run(SliceWriting(reorientation: self, k: k, oldSize: oldSize, target: target))
  }

  fileprivate func writeSlice<Number: StoredIntensity>(
    _ k: Int, of old: StoredValues<Number>, size oldSize: GridSize, to target: UnsafeMutablePointer<Float>
  ) {
    let newSize = size(oldSize)
    let count = newSize.i * newSize.j
    if isIdentity { return old.write(k * count..<(k + 1) * count, to: target) }
    let (steps, start) = memorySteps(oldSize)
    let slice = DisjointBuffer(UnsafeMutableBufferPointer(start: target, count: count))
    Reorientation.copySlice(0, newSize, steps, start + k * steps[2], slice) { old[$0] }
  }

  /// The step in old memory of one voxel along each new axis, and where new voxel (0, 0, 0) was.
  private func memorySteps(_ oldSize: GridSize) -> (steps: [Int], start: Int) {
    let newSize = size(oldSize)
    let oldSteps = [1, oldSize.i, oldSize.i * oldSize.j]
    let steps = (0..<3).map { (isFlipped[$0] ? -1 : 1) * oldSteps[oldAxes[$0]] }
    let start = (0..<3).reduce(0) { $0 + (isFlipped[$1] ? (newSize[$1] - 1) * oldSteps[oldAxes[$1]] : 0) }
    return (steps, start)
  }

  /// One new slice of the elements that `old` gives for an offset, in tiles of 16 x 16 so that a transposed read uses
  /// whole cache lines.
  @inline(__always)
  private static func copySlice<Element>(
    _ k: Int, _ size: GridSize, _ steps: [Int], _ start: Int, _ output: DisjointBuffer<Element>,
    of old: (Int) -> Element
  ) {
    let (stepI, stepJ) = (steps[0], steps[1])
    let tile = abs(stepI) == 1 ? size.i : 16
    for tileJ in stride(from: 0, to: size.j, by: 16) {
      for tileI in stride(from: 0, to: size.i, by: tile) {
        for j in tileJ..<min(tileJ + 16, size.j) {
          let from = start + k * steps[2] + j * stepJ
          let to = output.start + (k * size.j + j) * size.i
          for i in tileI..<min(tileI + tile, size.i) { to[i] = old(from + i * stepI) }
        }
      }
    }
  }
}

private struct SliceWriting: IntensityLoop {
  let reorientation: Reorientation
  let k: Int
  let oldSize: GridSize
  let target: UnsafeMutablePointer<Float>

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) {
    reorientation.writeSlice(k, of: values, size: oldSize, to: target)
  }
}

/// A grid and the same grid stored along other axes; it maps voxels and volumes in both directions.
package struct ReorientedGrid: Hashable, Sendable {
  /// The grid as stored in the file.
  package let original: VolumeGrid
  /// The same grid along the requested axes.
  package let grid: VolumeGrid
  /// The reorientation from ``original`` to ``grid``.
  package let reorientation: Reorientation

  /// `original` stored along `orientation`.
  package init(_ original: VolumeGrid, orientation: Orientation) {
    self.original = original
    reorientation = Reorientation(from: original.orientation, to: orientation)
    grid = reorientation.isIdentity ? original : reorientation.grid(original)
  }

  /// The index in ``grid`` of the voxel `index` of ``original``.
  package func reoriented(_ index: VoxelIndex) -> VoxelIndex {
    reorientation.newIndex(index, oldSize: original.size)
  }

  /// The index in ``original`` of the voxel `index` of ``grid``.
  package func original(_ index: VoxelIndex) -> VoxelIndex {
    reorientation.inverse.newIndex(index, oldSize: grid.size)
  }

  /// An image on ``original``, reoriented to ``grid``.
  package func reoriented(_ volume: ScalarVolume, work: WorkContext) throws(Cancelled) -> ScalarVolume {
    precondition(volume.grid == original, "a volume of another grid")
    return ScalarVolume(
      grid: grid, voxels: try volume.voxels.reordered(by: reorientation, size: original.size, work: work))
  }

  /// A mask on ``original``, reoriented to ``grid``.
  package func reoriented(_ volume: LabelVolume, work: WorkContext) throws(Cancelled) -> LabelVolume {
    precondition(volume.grid == original, "a volume of another grid")
    return LabelVolume(
      grid: grid, voxels: try reorientation.reorderedElements(volume.voxels, size: original.size, work: work),
      coding: volume.coding)
  }

  /// A mask on ``grid``, restored to exactly ``original``.
  package func restored(_ volume: LabelVolume, work: WorkContext) throws(Cancelled) -> LabelVolume {
    precondition(volume.grid == grid, "a volume of another grid")
    return LabelVolume(
      grid: original,
      voxels: try reorientation.inverse.reorderedElements(volume.voxels, size: grid.size, work: work),
      coding: volume.coding)
  }

  /// An image on ``grid``, restored to exactly ``original``.
  package func restored(_ volume: ScalarVolume, work: WorkContext) throws(Cancelled) -> ScalarVolume {
    precondition(volume.grid == grid, "a volume of another grid")
    return ScalarVolume(
      grid: original,
      voxels: try volume.voxels.reordered(by: reorientation.inverse, size: grid.size, work: work))
  }

  /// Class probabilities on ``grid``, restored to exactly ``original``.
  package func restored(_ volume: ProbabilityVolume, work: WorkContext) throws(Cancelled) -> ProbabilityVolume
  {
    precondition(volume.grid == grid, "a volume of another grid")
    if reorientation.isIdentity { return volume }
    let count = grid.size.voxelCount
    try AvailableMemory.requireAllocation(volume.values.count * MemoryLayout<Float>.stride)
    var values: [Float] = []
    values.reserveCapacity(volume.values.count)
    for index in 0..<volume.classCount {
      let part = Array(volume.values[index * count..<(index + 1) * count])
      values += try reorientation.inverse.reordered(part, size: grid.size, work: work)
    }
    return ProbabilityVolume(grid: original, classCount: volume.classCount, values: values)
  }
}
