import Volumes
import Work

/// Hearts like those of late-enhancement MR, from a seed: bright blood, dark lungs and myocardium.
///
/// The field of view is centred on the left atrium, which is label 1 with its appendage and the first
/// centimetres of its four pulmonary veins. Intensities are whole numbers 0...255 in arbitrary units, with
/// a coil's bias field and Rician noise. It is as reproducible as ``CTPhantom``.
package struct MRHeartPhantom: Sendable {
  /// The seed of all random draws.
  package let seed: UInt64

  /// The case of this seed.
  package init(seed: UInt64) { self.seed = seed }

  /// Label 1, the left atrium.
  package static let labels = LabelTable([
    Label(value: leftAtrium, name: "left atrium", colour: LabelTable.colour(ofValue: leftAtrium))
  ])

  private static let leftAtrium: UInt16 = 1

  /// Paints the case; 112 x 88 x 52 voxels of 1.25 mm have the extents and spacing of atrium scans.
  /// - Throws: `Cancelled`.
  package func generate(
    size: GridSize, spacing: Spacing, work: WorkContext
  ) throws(Cancelled) -> (image: ScalarVolume, labels: LabelVolume, table: LabelTable) {
    var random = PhantomRandom(seed: seed, stream: 3)
    let heightMillimetres = Float(size.k) * Float(spacing.k)
    let parts = MRHeartPhantom.parts(&random)
    let halfExtent = SIMD3<Float>(220, 220, 420)
    let scene = PhantomScene(
      emptyIntensity: 18, parts: parts,
      scale: SIMD3(random.uniform(0.9...1.12), random.uniform(0.9...1.12), random.uniform(0.9...1.12)),
      offset: SIMD3(0, 0, -heightMillimetres / 2) + random.jitter(5),
      rotationSine: random.uniform(-0.18...0.18),
      displacement: (0..<3).map { _ in SmoothField(halfExtent: halfExtent, wavelength: 55, random: &random) },
      deformation: random.uniform(3...6),
      surfaceField: SmoothField(halfExtent: halfExtent, wavelength: 22, random: &random),
      textureField: SmoothField(halfExtent: halfExtent, wavelength: 7, random: &random))
    var (intensities, labels) = try scene.painted(size: size, spacing: spacing, work: work.withoutProgress)
    work.report(0.6)
    let bias = SmoothField(halfExtent: halfExtent, wavelength: 140, random: &random)
    let strength = random.uniform(0.08...0.22)
    let level = random.uniform(6...12)
    let real = try AcquisitionNoise.correlated(
      size: size, seed: seed, firstStream: 5000, work: work.withoutProgress)
    let imaginary = try AcquisitionNoise.correlated(
      size: size, seed: seed, firstStream: 9000, work: work.withoutProgress)
    var row = [Float](repeating: 0, count: size.i)
    for k in 0..<size.k {
      try work.checkCancellation()
      for j in 0..<size.j {
        let start = labels.grid.affine.world(VoxelIndex(0, j, k))
        row.withUnsafeMutableBufferPointer {
          bias.fill(
            $0.baseAddress!, count: size.i, start: SIMD3(Float(start.x), Float(start.y), Float(start.z)),
            stepX: -Float(spacing.i))
        }
        for i in 0..<size.i {
          let offset = (k * size.j + j) * size.i + i
          let signal = intensities[offset] * (1 + strength * row[i]) + level * real[offset]
          let other = level * imaginary[offset]
          let magnitude = (signal * signal + other * other).squareRoot()
          intensities[offset] = min(max(magnitude.rounded(), 0), 255)
        }
      }
    }
    work.report(1)
    return (ScalarVolume(grid: labels.grid, voxels: intensities), labels, MRHeartPhantom.labels)
  }

  /// Chest, great vessels, chambers and the left atrium, millimetres from its middle.
  private static func parts(_ random: inout PhantomRandom) -> [PhantomPart] {
    let blood = random.uniform(140...195)
    let tissue = random.uniform(52...80)
    let myocardium = random.uniform(28...70)
    var parts = chestParts(tissue, &random)
    func bright(_ shape: some PhantomShape, _ factor: Float = 1) {
      parts.append(PhantomPart(shape: shape, intensity: blood * factor, roughness: 1.5, texture: 9))
    }
    let size = random.uniform(0.9...1.12)
    // The left ventricle inside its wall, the right heart, and the great vessels.
    let apex = SIMD3<Float>(-44, 46, -34) + random.jitter(4)
    parts.append(
      PhantomPart(
        shape: Ellipsoid(apex, SIMD3(34, 36, 48) * size, lean: SIMD2(0.5, -0.5)), intensity: myocardium,
        roughness: 2,
        texture: 8))
    bright(Ellipsoid(apex + SIMD3(2, 0, 3), SIMD3(23, 25, 38) * size, lean: SIMD2(0.5, -0.5)))
    bright(
      Ellipsoid(SIMD3(10, 66, -26) + random.jitter(4), SIMD3(40, 21, 30) * size, lean: SIMD2(0.2, -0.2)), 0.95
    )
    bright(Ellipsoid(SIMD3(47, 32, -10) + random.jitter(3), SIMD3(22, 26, 30) * size), 0.95)
    bright(Tube([SIMD4(36, 18, 5, 11), SIMD4(35, 14, 40, 9.5), SIMD4(34, 12, 120, 9)]), 0.97)
    bright(
      Tube([SIMD4(-16, 34, -14, 14), SIMD4(2, 34, 12, 16), SIMD4(14, 34, 45, 15), SIMD4(8, 24, 90, 14)])
        .smoothed(steps: 3))
    bright(
      Tube([
        SIMD4(-12, 62, -4, 13), SIMD4(-22, 46, 20, 14), SIMD4(-22, 22, 38, 13), SIMD4(10, 10, 40, 11),
        SIMD4(54, -2, 34, 9),
      ])
      .smoothed(steps: 3), 0.97)
    bright(Tube([SIMD4(-24, -42, -130, 11), SIMD4(-23, -40, 0, 11.5), SIMD4(-22, -38, 130, 12)]))
    return parts + atriumParts(size, blood, tissue, &random)
  }

  /// The chest around the heart.
  private static func chestParts(_ tissue: Float, _ random: inout PhantomRandom) -> [PhantomPart] {
    var parts: [PhantomPart] = []
    for _ in 0..<34 {
      let side: Float = random.happens(0.5) ? 1 : -1
      let root = SIMD4(
        side * random.uniform(45...60), random.uniform(-35...10), random.uniform(-30...30), 3.5)
      let tip =
        root + SIMD4(side * random.uniform(15...50), random.uniform(-40...25), random.uniform(-35...35), -2.2)
      parts.append(PhantomPart(shape: Tube([root, tip]), intensity: 95))
    }
    let marrow = random.uniform(45...75)
    parts += [
      PhantomPart(
        shape: Intersection(
          HalfSpace(normal: SIMD3(0, -1, 0), offset: 78),
          Tube([SIMD4(0, 0, -300, 125), SIMD4(0, 0, 300, 125)])),
        intensity: tissue, roughness: 4, texture: 22),
      PhantomPart(
        shape: Tube([SIMD4(2, -30, -300, 26), SIMD4(2, -30, 300, 26)]), intensity: tissue * 0.9, roughness: 4,
        texture: 25),
      PhantomPart(
        shape: Ellipsoid(SIMD3(-4, 34, -8), SIMD3(70, 64, 88), lean: SIMD2(0.2, -0.1)),
        intensity: tissue * 0.95,
        roughness: 4, texture: 28),
      PhantomPart(
        shape: Tube([SIMD4(4, -66, -300, 20), SIMD4(4, -66, 300, 20)]), intensity: marrow, roughness: 2,
        texture: 9
      ),
      PhantomPart(
        shape: Tube([SIMD4(4, -94, -300, 8), SIMD4(4, -94, 300, 8)]), intensity: 110, roughness: 1),
      PhantomPart(
        shape: Tube([SIMD4(-3, -30, -300, 7), SIMD4(-3, -29, 300, 7)]), intensity: tissue + 22, roughness: 2,
        texture: 15),
    ]
    return parts
  }

  /// The left atrium in its wall, with appendage and veins; the veins' far ends are bright but not labelled.
  private static func atriumParts(
    _ size: Float, _ blood: Float, _ tissue: Float, _ random: inout PhantomRandom
  ) -> [PhantomPart] {
    let label = PhantomPart.Labelling.set(leftAtrium)
    let body = BlendedEllipsoids(
      parts: [
        Ellipsoid(SIMD3(4, -2, 0), SIMD3(29, 18, 24) * size, lean: SIMD2(0.1, random.uniform(-0.3...0.1))),
        Ellipsoid(SIMD3(-14, 8, -6) + random.jitter(2), SIMD3(20, 17, 19) * size),
      ], blend: 10)
    let wall = BlendedEllipsoids(
      parts: body.parts.map { Ellipsoid($0.centre, $0.radii + 2.5, lean: $0.lean) }, blend: 10)
    // Root on the atrium, then the way to the lung: right superior and inferior, left superior and inferior.
    let courses: [[SIMD3<Float>]] = [
      [SIMD3(24, -4, 12), SIMD3(42, -8, 20), SIMD3(66, -10, 32)],
      [SIMD3(24, -8, -8), SIMD3(40, -16, -12), SIMD3(64, -26, -18)],
      [SIMD3(-22, -4, 12), SIMD3(-40, -8, 20), SIMD3(-64, -10, 32)],
      [SIMD3(-20, -8, -6), SIMD3(-37, -18, -9), SIMD3(-60, -30, -14)],
    ]
    var near: [PhantomPart] = []
    var far: [PhantomPart] = []
    for course in courses {
      let radius = random.uniform(6.5...9) * size
      let moved = course.enumerated().map { step, point in point + random.jitter(step == 0 ? 1.5 : 4) }
      func node(_ index: Int, _ radius: Float) -> SIMD4<Float> {
        SIMD4(moved[index].x, moved[index].y, moved[index].z, radius)
      }
      far.append(
        PhantomPart(
          shape: Tube([node(1, radius * 0.9), node(2, radius * 0.6)]), intensity: blood * 0.95, roughness: 1,
          texture: 8))
      near.append(
        PhantomPart(
          shape: Tube([node(0, radius * 1.2), node(1, radius * 0.9)]), intensity: blood, labelling: label,
          roughness: 1,
          texture: 9))
    }
    let appendage = Tube([
      SIMD4(-26, 8, 6, 9 * size), SIMD4(-38, 18, 10, 8 * size), SIMD4(-42, 28, 6, 5),
    ]).smoothed(steps: 3)
    near.append(
      PhantomPart(shape: appendage, intensity: blood * 0.95, labelling: label, roughness: 2, texture: 10))
    return [PhantomPart(shape: wall, intensity: tissue + 18, roughness: 1, texture: 18)] + far + near + [
      PhantomPart(shape: body, intensity: blood, labelling: label, roughness: 1.5, texture: 9)
    ]
  }
}
