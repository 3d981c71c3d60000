import Volumes
import Work

/// The borders of one structure in two masks, and the Euclidean distances between them.
enum StructureBorders {
  /// As voxels of a box, for the distance transform.
  case grids(reference: [UInt8], other: [UInt8], size: GridSize, spacing: Spacing)
  /// As points in millimetres, for a k-d tree: where axes are not perpendicular, and for few voxels in a large box,
  /// over which a distance transform would be slow.
  case points(reference: [SIMD3<Double>], other: [SIMD3<Double>])

  /// The borders of a structure that both masks have.
  /// - Parameters:
  ///   - box: Holds both versions of it.
  ///   - extents: Those of the masks.
  /// - Throws: `Cancelled`.
  init(
    _ structure: MatchedStructure, _ reference: LabelVolume, _ other: LabelVolume, box: VoxelBounds,
    _ extents: LabelExtents, work: WorkContext
  ) throws(Cancelled) {
    let affine = reference.grid.affine
    let masks = [(reference, structure.referenceValues), (other, structure.otherValues)]
    let overlap = extents.extent(of: structure).overlap
    if box.size.voxelCount / 64 > overlap.referenceVoxelCount + overlap.otherVoxelCount,
      let first = try extents.referenceOffsets.offsets(of: structure.referenceValues, reference, work: work),
      let second = try extents.otherOffsets.offsets(of: structure.otherValues, other, work: work)
    {
      let borders = zip(masks, [first, second]).map { mask, offsets in
        borderPoints(offsets, mask.0, values: mask.1, from: box.lower)
      }
      self = .points(reference: borders[0], other: borders[1])
      return
    }
    var borders: [[UInt8]] = []
    for (mask, values) in masks {
      borders.append(try StructureMask(mask, values: values, box: box).border(work: work))
    }
    guard affine.hasPerpendicularAxes else {
      self = .points(
        reference: voxelPositions(borders[0], size: box.size, affine: affine),
        other: voxelPositions(borders[1], size: box.size, affine: affine))
      return
    }
    self = .grids(reference: borders[0], other: borders[1], size: box.size, spacing: affine.spacing)
  }

  /// The distance of each voxel of the reference's border to the other, in the order of memory.
  func distancesFromReference(work: WorkContext) throws(Cancelled) -> [Double] {
    switch self {
    case .grids(let reference, let other, let size, let spacing):
      try gridDistances(from: reference, to: other, size: size, spacing: spacing, work: work)
    case .points(let reference, let other): try treeDistances(from: reference, to: other, work: work)
    }
  }

  /// The distance of each voxel of the other mask's border to the reference's, in the order of memory.
  func distancesFromOther(work: WorkContext) throws(Cancelled) -> [Double] {
    switch self {
    case .grids(let reference, let other, let size, let spacing):
      try gridDistances(from: other, to: reference, size: size, spacing: spacing, work: work)
    case .points(let reference, let other): try treeDistances(from: other, to: reference, work: work)
    }
  }
}

extension StructureBorders {
  /// The voxel at a position of ``distancesFromReference(work:)``, on a grid whose box `lower` begins.
  /// - Complexity: O(voxels of the box).
  func referenceVoxel(_ position: Int, from lower: VoxelIndex, _ affine: Affine) -> VoxelIndex {
    switch self {
    case .grids(let reference, _, let size, _): lower + gridVoxel(position, of: reference, size: size)
    case .points(let reference, _): lower + latticeVoxel(reference[position], affine)
    }
  }

  /// The voxel at a position of ``distancesFromOther(work:)``, on a grid whose box `lower` begins.
  /// - Complexity: O(voxels of the box).
  func otherVoxel(_ position: Int, from lower: VoxelIndex, _ affine: Affine) -> VoxelIndex {
    switch self {
    case .grids(_, let other, let size, _): lower + gridVoxel(position, of: other, size: size)
    case .points(_, let other): lower + latticeVoxel(other[position], affine)
    }
  }
}

/// The voxel of a border at a position in the order of memory.
private func gridVoxel(_ position: Int, of border: [UInt8], size: GridSize) -> VoxelIndex {
  var before = 0
  for offset in border.indices where border[offset] != 0 {
    if before == position { return size.index(offset: offset) }
    before += 1
  }
  preconditionFailure("a border of \(before) voxels has none at \(position)")
}

/// The voxel at a point in millimetres from the first.
private func latticeVoxel(_ point: SIMD3<Double>, _ affine: Affine) -> VoxelIndex {
  let origin = affine.origin
  let index = affine.continuousIndex(
    WorldPoint(origin.x + point.x, origin.y + point.y, origin.z + point.z))
  return VoxelIndex(
    Int(saturating: index.x.rounded()), Int(saturating: index.y.rounded()), Int(saturating: index.z.rounded())
  )
}

private func treeDistances(
  from border: [SIMD3<Double>], to target: [SIMD3<Double>], work: WorkContext
) throws(Cancelled) -> [Double] {
  try PointTree(target, work: work).squaredDistances(from: border, work: work).map { $0.squareRoot() }
}

private func gridDistances(
  from border: [UInt8], to target: [UInt8], size: GridSize, spacing: Spacing, work: WorkContext
) throws(Cancelled) -> [Double] {
  let squares = try DistanceTransform.squaredDistances(to: target, size: size, spacing: spacing, work: work)
  var distances: [Double] = []
  for index in border.indices where border[index] != 0 {
    distances.append(Double(squares[index]).squareRoot())
  }
  return distances
}

/// The positions of a border's voxels in millimetres from the box's first voxel.
private func voxelPositions(_ border: [UInt8], size: GridSize, affine: Affine) -> [SIMD3<Double>] {
  let steps = LatticeSteps(affine)
  var points: [SIMD3<Double>] = []
  for k in 0..<size.k {
    for j in 0..<size.j {
      let start = size.offset(VoxelIndex(0, j, k))
      for i in 0..<size.i where border[start + i] != 0 { points.append(steps.point(VoxelIndex(i, j, k))) }
    }
  }
  return points
}

/// The positions, in millimetres from `origin`, of a structure's voxels with one of their 26 neighbours outside it.
/// - Parameter offsets: All of its voxels.
/// - Complexity: O(offsets).
private func borderPoints(
  _ offsets: [UInt32], _ volume: LabelVolume, values: [UInt16], from origin: VoxelIndex
) -> [SIMD3<Double>] {
  let size = volume.grid.size
  let steps = LatticeSteps(volume.grid.affine)
  let isMember = Set(values)
  func isInside(_ index: VoxelIndex) -> Bool {
    for k in index.k - 1...index.k + 1 {
      for j in index.j - 1...index.j + 1 {
        for i in index.i - 1...index.i + 1 {
          let neighbour = VoxelIndex(i, j, k)
          guard size.contains(neighbour), isMember.contains(volume.voxels[size.offset(neighbour)]) else {
            return false
          }
        }
      }
    }
    return true
  }
  return offsets.compactMap { offset in
    let index = size.index(offset: Int(offset))
    return isInside(index) ? nil : steps.point(index - origin)
  }
}

/// The steps from a voxel to the next along each axis, in millimetres.
private struct LatticeSteps {
  private let i, j, k: SIMD3<Double>

  init(_ affine: Affine) {
    func step(_ axis: Int) -> SIMD3<Double> { SIMD3(affine[axis].x, affine[axis].y, affine[axis].z) }
    (i, j, k) = (step(0), step(1), step(2))
  }

  func point(_ index: VoxelIndex) -> SIMD3<Double> {
    Double(index.j) * j + Double(index.k) * k + Double(index.i) * i
  }
}
