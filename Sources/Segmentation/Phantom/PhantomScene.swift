import Volumes
import Work

/// A shape with an intensity and, as a rule, a label, which is painted over the parts before it.
struct PhantomPart: Sendable {
  /// The labels of voxels inside.
  enum Labelling: Sendable {
    /// The voxels get this label, 0 for none.
    case set(UInt16)
    /// Voxels keep their labels.
    case keep
  }

  let shape: any PhantomShape
  /// Intensity in the image's units.
  let intensity: Float
  var labelling = Labelling.set(0)
  /// Amplitude of the surface's random displacement in millimetres.
  var roughness: Float = 0
  /// Amplitude of the random texture inside, in intensity units.
  var texture: Float = 0
  /// The part is painted only on voxels of this label; nil for all voxels.
  var confinedTo: UInt16?
  /// Width of the surface's partial volume in voxels.
  var softness: Float = 1.2
}

/// The parts in painting order, and the pose of the reference body in the grid.
struct PhantomScene: Sendable {
  /// The intensity where there is nothing.
  var emptyIntensity: Float
  /// Painted first to last.
  var parts: [PhantomPart]
  /// Millimetres of the grid per millimetre of the reference body.
  var scale: SIMD3<Float>
  /// Position of the reference body's origin in millimetres from the grid's middle (x, y) and top (z).
  var offset: SIMD3<Float>
  /// Sine of the body's rotation about its long axis.
  var rotationSine: Float
  /// Displacements along x, y, z as fields of ±1, times `deformation` millimetres.
  var displacement: [SmoothField]
  var deformation: Float
  /// Displaces surfaces by ``PhantomPart/roughness``.
  var surfaceField: SmoothField
  /// Textures insides by ``PhantomPart/texture``.
  var textureField: SmoothField

  /// Paints the parts on a grid of `size` voxels of `spacing` millimetres.
  ///
  /// Its axes point to the left, back and head (LPS). The middle of its slices is at x = y = 0, the top slice at z = 0.
  /// - Throws: `Cancelled`.
  func painted(
    size: GridSize, spacing: Spacing, work: WorkContext
  ) throws(Cancelled) -> (intensities: [Float], labels: LabelVolume) {
    let origin = WorldPoint(
      Double(size.i - 1) / 2 * spacing.i, Double(size.j - 1) / 2 * spacing.j,
      -Double(size.k - 1) * spacing.k)
    let grid = VolumeGrid(
      size: size,
      affine: Affine(
        stepI: WorldPoint(-spacing.i, 0, 0), stepJ: WorldPoint(0, -spacing.j, 0),
        stepK: WorldPoint(0, 0, spacing.k), origin: origin))
    var image = [Float](repeating: emptyIntensity, count: size.voxelCount)
    var labels = [UInt16](repeating: 0, count: size.voxelCount)
    let planeCount = size.i * size.j
    try image.withUnsafeMutableBufferPointer { image throws(Cancelled) in
      let image = DisjointBuffer(image)
      try labels.withUnsafeMutableBufferPointer { labels throws(Cancelled) in
        let labels = DisjointBuffer(labels)
        try work.forEach(count: size.k) { k, _ in
          var canvas = SliceCanvas(scene: self, grid: grid, k: k)
          for part in parts { canvas.paint(part) }
          (image.start + k * planeCount).update(from: canvas.intensity, count: planeCount)
          (labels.start + k * planeCount).update(from: canvas.label, count: planeCount)
        }
      }
    }
    return (image, LabelVolume(grid: grid, voxels: labels))
  }
}

/// One slice while it is painted.
private struct SliceCanvas {
  var intensity: [Float]
  var label: [UInt16]
  private let points: [SIMD3<Float>]
  private let roughness: [Float]
  private let texture: [Float]
  private let bounds: ShapeBox
  private let voxelMillimetres: Float

  /// Slice `k` of the grid before any part is painted: for each voxel its point in the reference body (mm) and the values
  /// of the surface and texture fields.
  init(scene: PhantomScene, grid: VolumeGrid, k: Int) {
    let size = grid.size
    let count = size.i * size.j
    let start = grid.affine.world(VoxelIndex(0, 0, k))
    let stepX = Float(grid.affine.stepI.x)
    let (sine, cosine) = (scene.rotationSine, (1 - scene.rotationSine * scene.rotationSine).squareRoot())
    var points = [SIMD3<Float>](repeating: .zero, count: count)
    var roughness = [Float](repeating: 0, count: count)
    var texture = [Float](repeating: 0, count: count)
    var shifts = [Float](repeating: 0, count: 3 * size.i)
    var lower = SIMD3<Float>(repeating: 1e4)
    var upper = SIMD3<Float>(repeating: -1e4)
    for j in 0..<size.j {
      let rowStart = SIMD3(
        Float(start.x), Float(start.y) + Float(grid.affine.stepJ.y) * Float(j), Float(start.z))
      shifts.withUnsafeMutableBufferPointer { shifts in
        for axis in 0..<3 {
          scene.displacement[axis].fill(
            shifts.baseAddress! + axis * size.i, count: size.i, start: rowStart, stepX: stepX)
        }
      }
      roughness.withUnsafeMutableBufferPointer {
        scene.surfaceField.fill($0.baseAddress! + j * size.i, count: size.i, start: rowStart, stepX: stepX)
      }
      texture.withUnsafeMutableBufferPointer {
        scene.textureField.fill($0.baseAddress! + j * size.i, count: size.i, start: rowStart, stepX: stepX)
      }
      for i in 0..<size.i {
        let shift = SIMD3(shifts[i], shifts[size.i + i], shifts[2 * size.i + i]) * scene.deformation
        let world = SIMD3(rowStart.x + stepX * Float(i), rowStart.y, rowStart.z) - scene.offset
        let rotated = SIMD3(
          cosine * world.x + sine * world.y, cosine * world.y - sine * world.x, world.z)
        let point = (rotated + shift) / scene.scale
        points[j * size.i + i] = point
        lower = pointwiseMin(lower, point)
        upper = pointwiseMax(upper, point)
      }
    }
    self.points = points
    self.roughness = roughness
    self.texture = texture
    bounds = ShapeBox(lower: lower, upper: upper)
    intensity = [Float](repeating: scene.emptyIntensity, count: count)
    label = [UInt16](repeating: 0, count: count)
    voxelMillimetres = Float((grid.spacing.i + grid.spacing.j + grid.spacing.k) / 3)
  }

  mutating func paint(_ part: PhantomPart) { paint(part, part.shape) }

  /// Blends the part over the slice; its coverage of each voxel is computed from the distance to its surface.
  private mutating func paint(_ part: PhantomPart, _ shape: some PhantomShape) {
    let width = voxelMillimetres * part.softness
    let margin = width + 2 * part.roughness
    let box = shape.box
    let (lower, upper) = (box.lower - margin, box.upper + margin)
    if any(lower .> bounds.upper) || any(upper .< bounds.lower) { return }
    for index in points.indices {
      let point = points[index]
      if any(point .< lower .| point .> upper) { continue }
      if let confinedTo = part.confinedTo, label[index] != confinedTo { continue }
      let distance = shape.distance(point) + part.roughness * roughness[index]
      let coverage = 0.5 - distance / width
      if coverage <= 0 { continue }
      let value = part.intensity + part.texture * texture[index]
      intensity[index] += (value - intensity[index]) * min(coverage, 1)
      if coverage > 0.5, case .set(let value) = part.labelling { label[index] = value }
    }
  }
}
