extension CTPatient {
  /// Spine, ribs with their cartilage, sternum and pelvis.
  mutating func skeletonParts() -> [PhantomPart] {
    let cortical = random.uniform(300...520)
    let marrow = random.uniform(130...240)
    let course = Profile(knots: [
      SIMD2(-360, -62), SIMD2(-250, -40 + random.uniform(-6...6)), SIMD2(-150, -46), SIMD2(0, -58),
      SIMD2(120, -64 + random.uniform(-4...4)),
    ])
    let bend = random.uniform(-2...2)
    let period = random.uniform(30...35)
    let phase = random.uniform(0...30)
    func spine(_ part: Spine.Part, shrink: Float = 0) -> Spine {
      Spine(part: part, course: course, bend: bend, period: period, phase: phase, shrink: shrink)
    }
    let canal = Tube(
      [(-450.0), -360, -250, -150, 0, 120, 300].map { z in SIMD4(0, course.value(Float(z)) - 26, Float(z), 8)
      })
    var parts = [
      PhantomPart(shape: spine(.discs), intensity: 85),
      PhantomPart(shape: spine(.bodies), intensity: cortical, roughness: 0.8),
      PhantomPart(shape: spine(.bodies, shrink: 3), intensity: marrow, roughness: 0.8, texture: 25),
      PhantomPart(shape: spine(.arches), intensity: cortical + 60),
      PhantomPart(shape: canal, intensity: 28),
    ]
    for level in 0..<12 {
      for side: Float in [-1, 1] { parts += ribParts(level, side, cortical, marrow) }
    }
    let sternum = SIMD3<Float>(0, cavity.front.value(70) + 4, 85)
    parts.append(
      PhantomPart(shape: Ellipsoid(sternum, SIMD3(19, 7, 75), lean: SIMD2(0, -0.2)), intensity: 190))
    return parts + pelvisParts(cortical, marrow)
  }

  /// One rib on its way around the cavity, bone and then cartilage.
  private mutating func ribParts(
    _ level: Int, _ side: Float, _ cortical: Float, _ marrow: Float
  ) -> [PhantomPart] {
    // Sine and minus cosine of the way around from the back: 8, 30, 55, 80, 105, 130 and 150 degrees.
    let directions: [SIMD2<Float>] = [
      SIMD2(0.14, -0.99), SIMD2(0.5, -0.866), SIMD2(0.82, -0.57), SIMD2(0.985, -0.17), SIMD2(0.966, 0.26),
      SIMD2(0.766, 0.64), SIMD2(0.5, 0.866),
    ]
    let count = level < 8 ? 7 : level < 10 ? 6 : level == 10 ? 5 : 4
    let head = 175 - 26 * Float(level) + random.uniform(-3...3)
    let drop: Float = 95 + random.uniform(-8...8)
    let nodes = directions.prefix(count).enumerated().map { step, direction -> SIMD4<Float> in
      let z = head - drop * Float(step) / 6
      let width = cavity.halfWidth.value(z) + 6
      let depth = direction.y >= 0 ? cavity.front.value(z) + 5 : cavity.back.value(z) + 7
      let bulge = 1 + 0.16 * direction.x * direction.x * direction.y * direction.y
      return SIMD4(side * width * direction.x * bulge, depth * direction.y * bulge, z, step == 0 ? 5 : 4.6)
    }
    let rib = Tube(nodes).smoothed(steps: 3)
    var parts = [PhantomPart(shape: rib, intensity: cortical, roughness: 0.5)]
    parts.append(PhantomPart(shape: rib.grown(by: -2.6), intensity: (marrow + cortical) / 2, roughness: 0.5))
    if level < 8, let tip = nodes.last {
      let end = SIMD4(side * 12, cavity.front.value(20) + 5, min(tip.z + 45, 60), Float(5))
      parts.append(
        PhantomPart(
          shape: Tube([tip, (tip + end) / 2 + SIMD4(0, 3, -6, 0), end]), intensity: 95, roughness: 1))
    }
    return parts
  }

  /// Sacrum, iliac wings, hips and bladder.
  private mutating func pelvisParts(_ cortical: Float, _ marrow: Float) -> [PhantomPart] {
    var parts: [PhantomPart] = []
    func bone(_ shape: Tube) {
      parts.append(PhantomPart(shape: shape, intensity: cortical, roughness: 1))
      parts.append(PhantomPart(shape: shape.grown(by: -2.5), intensity: marrow, roughness: 1))
    }
    for side: Float in [-1, 1] {
      for step in 0..<5 {
        let t = Float(step) / 4
        let crest = SIMD4(side * (62 + 55 * t), -58 + 78 * t, -262 - 38 * t * t, Float(6))
        let root = SIMD4(side * (40 + 42 * t), -66 + 66 * t, -330 - 30 * t, Float(5))
        bone(Tube([root, (root + crest) / 2 + SIMD4(side * 5, 0, 0, -1.5), crest]))
      }
      bone(Tube([SIMD4(side * 88, 4, -385, 23), SIMD4(side * 92, 4, -388, 22)]))
      bone(
        Tube([
          SIMD4(side * 100, 0, -395, 14), SIMD4(side * 132, -6, -412, 15), SIMD4(side * 128, 0, -560, 15),
        ]))
      bone(
        Tube([SIMD4(side * 72, 12, -372, 13), SIMD4(side * 22, 42, -392, 8), SIMD4(side * 4, 48, -400, 9)]))
      bone(Tube([SIMD4(side * 72, -10, -385, 14), SIMD4(side * 62, -34, -430, 12)]))
    }
    bone(Tube([SIMD4(0, -66, -290, 22), SIMD4(0, -86, -340, 17), SIMD4(0, -78, -400, 6)]))
    for side: Float in [-1, 1] {
      bone(Tube([SIMD4(side * 22, -68, -292, 17), SIMD4(side * 14, -84, -335, 14)]))
    }
    parts.append(
      PhantomPart(
        shape: Ellipsoid(SIMD3(0, 18, -375), SIMD3(40, 30, 30 + random.uniform(-8...10))), intensity: 8,
        roughness: 3))
    return parts
  }
}
