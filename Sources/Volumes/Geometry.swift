/// A voxel of a grid: i, j, k count from 0, i runs fastest in memory.
package struct VoxelIndex: Hashable, Sendable, Codable {
  /// Position along each axis of the grid.
  package var i, j, k: Int

  package init(_ i: Int, _ j: Int, _ k: Int) {
    self.i = i
    self.j = j
    self.k = k
  }

  /// The voxel that lies `steps` further along each axis.
  package static func + (one: VoxelIndex, steps: VoxelIndex) -> VoxelIndex {
    VoxelIndex(one.i + steps.i, one.j + steps.j, one.k + steps.k)
  }

  /// The steps along each axis that lead from `other` to `one`.
  package static func - (one: VoxelIndex, other: VoxelIndex) -> VoxelIndex {
    VoxelIndex(one.i - other.i, one.j - other.j, one.k - other.k)
  }

  /// The coordinate along axis 0, 1 or 2.
  package subscript(axis: Int) -> Int {
    get { axis == 0 ? i : axis == 1 ? j : k }
    set {
      switch axis {
      case 0: i = newValue
      case 1: j = newValue
      default: k = newValue
      }
    }
  }
}

/// Voxels along i, j, k.
package struct GridSize: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Voxels along each axis, at least 1 in any volume.
  package var i, j, k: Int

  /// The size i x j x k.
  package init(_ i: Int, _ j: Int, _ k: Int) {
    self.i = i
    self.j = j
    self.k = k
  }

  /// All voxels.
  package var voxelCount: Int { i * j * k }

  /// The extent along axis 0, 1 or 2.
  package subscript(axis: Int) -> Int {
    get { axis == 0 ? i : axis == 1 ? j : k }
    set {
      switch axis {
      case 0: i = newValue
      case 1: j = newValue
      default: k = newValue
      }
    }
  }

  /// Position of a voxel in memory.
  package func offset(_ index: VoxelIndex) -> Int {
    assert(contains(index), "\(index) outside of \(self)")
    return (index.k * j + index.j) * i + index.i
  }

  /// The voxel at a position in memory.
  package func index(offset: Int) -> VoxelIndex {
    assert((0..<voxelCount).contains(offset), "\(offset) of \(voxelCount) voxels")
    return VoxelIndex(offset % i, offset / i % j, offset / (i * j))
  }

  /// Whether the voxel lies inside.
  package func contains(_ index: VoxelIndex) -> Bool {
    (0..<i).contains(index.i) && (0..<j).contains(index.j) && (0..<k).contains(index.k)
  }

  /// As commands write it: "160x160x72".
  package var description: String { "\(i)x\(j)x\(k)" }
}

/// A point in the scanner's frame: millimetres to the patient's right, front and head (RAS+).
package struct WorldPoint: Hashable, Sendable, Codable {
  /// Millimetres towards the patient's right (x), anterior (y) and superior (z).
  package var x, y, z: Double

  package init(_ x: Double, _ y: Double, _ z: Double) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// The coordinate along world axis 0, 1 or 2.
  package subscript(axis: Int) -> Double { axis == 0 ? x : axis == 1 ? y : z }
}

/// The affine map from continuous voxel indices to world millimetres (RAS+): world = matrix · index + origin.
package struct Affine: Hashable, Sendable, Codable {
  /// Columns: the world step of one voxel along i, j, k.
  package var stepI, stepJ, stepK: WorldPoint
  /// World position of the centre of voxel (0, 0, 0).
  package var origin: WorldPoint

  /// The map with the given columns and origin.
  package init(stepI: WorldPoint, stepJ: WorldPoint, stepK: WorldPoint, origin: WorldPoint) {
    self.stepI = stepI
    self.stepJ = stepJ
    self.stepK = stepK
    self.origin = origin
  }

  /// Axes along R, A, S with the given spacing in millimetres.
  package init(spacing: Spacing, origin: WorldPoint = WorldPoint(0, 0, 0)) {
    self.init(
      stepI: WorldPoint(spacing.i, 0, 0), stepJ: WorldPoint(0, spacing.j, 0),
      stepK: WorldPoint(0, 0, spacing.k), origin: origin)
  }

  /// The column of axis 0, 1 or 2.
  package subscript(axis: Int) -> WorldPoint {
    get { axis == 0 ? stepI : axis == 1 ? stepJ : stepK }
    set {
      switch axis {
      case 0: stepI = newValue
      case 1: stepJ = newValue
      default: stepK = newValue
      }
    }
  }

  /// World position of a continuous voxel index.
  package func world(_ i: Double, _ j: Double, _ k: Double) -> WorldPoint {
    WorldPoint(
      stepI.x * i + stepJ.x * j + stepK.x * k + origin.x,
      stepI.y * i + stepJ.y * j + stepK.y * k + origin.y,
      stepI.z * i + stepJ.z * j + stepK.z * k + origin.z)
  }

  /// World position of a voxel's centre.
  package func world(_ index: VoxelIndex) -> WorldPoint {
    world(Double(index.i), Double(index.j), Double(index.k))
  }

  /// Signed volume of one voxel in mm³; 0 when the map cannot be inverted.
  package var determinant: Double {
    stepI.x * (stepJ.y * stepK.z - stepK.y * stepJ.z)
      - stepJ.x * (stepI.y * stepK.z - stepK.y * stepI.z)
      + stepK.x * (stepI.y * stepJ.z - stepJ.y * stepI.z)
  }

  /// The continuous voxel index (i, j, k as x, y, z) of a world point; the affine must be invertible.
  package func continuousIndex(_ point: WorldPoint) -> SIMD3<Double> {
    let x = point.x - origin.x
    let y = point.y - origin.y
    let z = point.z - origin.z
    let determinant = determinant
    precondition(determinant != 0, "a grid's affine is invertible")
    func solve(_ a: WorldPoint, _ b: WorldPoint, _ c: WorldPoint) -> Double {
      a.x * (b.y * c.z - c.y * b.z) - b.x * (a.y * c.z - c.y * a.z) + c.x * (a.y * b.z - b.y * a.z)
    }
    let right = WorldPoint(x, y, z)
    return SIMD3(
      solve(right, stepJ, stepK) / determinant, solve(stepI, right, stepK) / determinant,
      solve(stepI, stepJ, right) / determinant)
  }

  /// Distances between neighbouring voxels along i, j, k.
  package var spacing: Spacing {
    func length(_ step: WorldPoint) -> Double {
      (step.x * step.x + step.y * step.y + step.z * step.z).squareRoot()
    }
    return Spacing(length(stepI), length(stepJ), length(stepK))
  }

  /// The same directions with other lengths between neighbouring voxels.
  package func withSpacing(_ spacing: Spacing) -> Affine {
    var affine = self
    for axis in 0..<3 {
      let factor = spacing[axis] / self.spacing[axis]
      affine[axis] = WorldPoint(self[axis].x * factor, self[axis].y * factor, self[axis].z * factor)
    }
    return affine
  }

  /// The cosine of the angle between two of the axes 0, 1, 2.
  package func cosine(_ first: Int, _ second: Int) -> Double {
    let (one, two) = (self[first], self[second])
    return (one.x * two.x + one.y * two.y + one.z * two.z) / (spacing[first] * spacing[second])
  }

  /// Whether the axes are perpendicular within the precision of 32-bit headers: distances may then be taken along the
  /// axes, with a relative error of 0.00001 at most.
  package var hasPerpendicularAxes: Bool {
    [(0, 1), (0, 2), (1, 2)].allSatisfy { abs(cosine($0, $1)) <= 1e-5 }
  }

  /// Whether every element is a finite number.
  package var isFinite: Bool {
    [stepI, stepJ, stepK, origin].allSatisfy { $0.x.isFinite && $0.y.isFinite && $0.z.isFinite }
  }
}

/// Millimetres between neighbouring voxels along i, j, k; also any other length per axis in millimetres.
package struct Spacing: Hashable, Sendable, Codable {
  /// Millimetres along each axis.
  package var i, j, k: Double

  /// The spacing (i, j, k) in millimetres.
  package init(_ i: Double, _ j: Double, _ k: Double) {
    self.i = i
    self.j = j
    self.k = k
  }

  /// The same length along every axis.
  package init(_ isotropic: Double) { self.init(isotropic, isotropic, isotropic) }

  /// Millimetres along axis 0, 1 or 2.
  package subscript(axis: Int) -> Double {
    get { axis == 0 ? i : axis == 1 ? j : k }
    set {
      switch axis {
      case 0: i = newValue
      case 1: j = newValue
      default: k = newValue
      }
    }
  }
}

/// The size and affine of a volume.
package struct VolumeGrid: Hashable, Sendable, Codable {
  /// Voxels along each axis.
  package var size: GridSize
  /// Voxel indices to world millimetres.
  package var affine: Affine

  /// A grid; `affine` must be finite and invertible, which every reader has checked.
  package init(size: GridSize, affine: Affine) {
    self.size = size
    self.affine = affine
  }

  /// Millimetres between neighbouring voxels.
  package var spacing: Spacing { affine.spacing }

  /// Volume of one voxel in mm³.
  package var voxelVolume: Double { abs(affine.determinant) }

  /// The grid of the voxels inside `box`, where they lie.
  package func cropped(to box: VoxelBounds) -> VolumeGrid {
    var affine = affine
    affine.origin = affine.world(box.lower)
    return VolumeGrid(size: box.size, affine: affine)
  }

  /// The longest straight line in the image, from one corner to another, in millimetres.
  package var diagonalMillimetres: Double {
    func length(_ signJ: Double, _ signK: Double) -> Double {
      let (i, j, k) = (Double(size.i), signJ * Double(size.j), signK * Double(size.k))
      return (0..<3).reduce(0.0) { sum, axis in
        let side = i * affine.stepI[axis] + j * affine.stepJ[axis] + k * affine.stepK[axis]
        return sum + side * side
      }.squareRoot()
    }
    return max(length(1, 1), length(1, -1), length(-1, 1), length(-1, -1))
  }
}
