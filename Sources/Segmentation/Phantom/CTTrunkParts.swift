extension CTPatient {
  /// Table, skin, fat, muscle, lungs with the diaphragm, and heart, painted before the organs.
  mutating func trunkParts() -> [PhantomPart] {
    var parts = tableParts()
    if random.happens(0.15) { parts += armParts() }
    let wallHU = muscle
    parts += [
      PhantomPart(shape: skin, intensity: 12, roughness: 3),
      PhantomPart(shape: skin.grown(side: -3, front: -3, back: -3), intensity: fat, roughness: 3, texture: 6),
      PhantomPart(shape: wall, intensity: wallHU, roughness: 3, texture: 12),
      PhantomPart(shape: cavity, intensity: fat + 6, roughness: 1.5, texture: 14),
    ]
    for side: Float in [-1, 1] {
      // Erector spinae at the back, psoas and quadratus lumborum beside the spine, glutei below.
      let column: [SIMD4<Float>] = [
        SIMD4(side * 30, -98, -330, 17), SIMD4(side * 34, -94, -150, 21), SIMD4(side * 30, -100, 40, 15),
        SIMD4(side * 26, -98, 200, 13),
      ]
      let psoas: [SIMD4<Float>] = [
        SIMD4(side * 30, -52, -110, 6), SIMD4(side * 37, -45, -190, 17), SIMD4(side * 48, -28, -270, 22),
        SIMD4(side * 72, 12, -370, 17),
      ]
      parts += [
        PhantomPart(shape: Tube(column), intensity: wallHU + 2, roughness: 2, texture: 14),
        PhantomPart(shape: Tube(psoas).smoothed(steps: 3), intensity: wallHU + 3, roughness: 2, texture: 5),
        PhantomPart(
          shape: Ellipsoid(SIMD3(side * 66, -70, -160), SIMD3(17, 11, 65)), intensity: wallHU, roughness: 2,
          texture: 5),
        PhantomPart(
          shape: Ellipsoid(SIMD3(side * 72, -84, -340), SIMD3(58, 34, 72)), intensity: wallHU, roughness: 3,
          texture: 14),
        PhantomPart(
          shape: Ellipsoid(SIMD3(side * 95, 0, -400), SIMD3(48, 52, 62)), intensity: wallHU, roughness: 3,
          texture: 14),
        PhantomPart(
          shape: Tube([SIMD4(side * 15, -30, -20, 5), SIMD4(side * 14, -30, -160, 5)]), intensity: wallHU,
          roughness: 1.5),
      ]
    }
    return parts + chestParts()
  }

  /// Diaphragm, lungs with their vessels, mediastinum and heart.
  private mutating func chestParts() -> [PhantomPart] {
    let chest = cavity.grown(side: -2, front: -2, back: -2)
    var parts = [
      PhantomPart(
        shape: Intersection(cavity, diaphragm.moved(-2, above: true)), intensity: muscle, roughness: 1,
        softness: 1.2),
      PhantomPart(
        shape: Intersection(chest, diaphragm.moved(1, above: true)), intensity: random.uniform(-875...(-790)),
        roughness: 1,
        texture: 25),
    ]
    for _ in 0..<26 {
      let side: Float = random.happens(0.5) ? 1 : -1
      let start = SIMD4(side * 28, random.uniform(-40...20), random.uniform(20...90), 4.5)
      let middle = SIMD4(side * 60, random.uniform(-60...40), random.uniform(-30...90), 2.5)
      let end = SIMD4(
        side * random.uniform(70...112), random.uniform(-70...55), random.uniform(-70...90), 1.2)
      parts.append(
        PhantomPart(
          shape: Intersection(Tube([start, middle, end]), diaphragm.moved(2, above: true)),
          intensity: blood - 60,
          labelling: .keep))
    }
    let base = diaphragm.height(SIMD3(-25, 35, 0))
    let heart = SIMD3<Float>(-24 + random.uniform(-8...6), 26 + random.uniform(-6...6), base + 34)
    parts += [
      PhantomPart(
        shape: Tube([
          SIMD4(0, -18, 240, 30), SIMD4(2, -14, 60, 28), SIMD4(2, -30, -30, 17), SIMD4(2, -34, -70, 11),
        ]),
        intensity: fat + 60, roughness: 3, texture: 40),
      PhantomPart(
        shape: Ellipsoid(heart, SIMD3(64, 54, 44), lean: SIMD2(0.25, -0.1)), intensity: fat + 45,
        roughness: 3,
        texture: 30),
      PhantomPart(
        shape: Ellipsoid(heart + SIMD3(2, -2, 2), SIMD3(57, 47, 40), lean: SIMD2(0.25, -0.1)),
        intensity: muscle + 40 * enhancement, roughness: 2, texture: 5),
      PhantomPart(
        shape: Ellipsoid(heart + SIMD3(-22, 2, 2), SIMD3(22, 19, 26)), intensity: blood, roughness: 2),
      PhantomPart(
        shape: Ellipsoid(heart + SIMD3(24, 8, 4), SIMD3(24, 22, 27)), intensity: blood + 5, roughness: 2),
      PhantomPart(
        shape: Tube([SIMD4(-6, -36, 220, 8), SIMD4(-6, -34, 20, 8), SIMD4(-22, -8, -26, 9)]),
        intensity: muscle,
        roughness: 1.5),
    ]
    return parts
  }

  /// The couch: a thin shell bent up at the sides, and often a mattress.
  private mutating func tableParts() -> [PhantomPart] {
    let back = skin.back.value(-100) + skin.insets.z + random.uniform(3...14)
    let thickness = random.uniform(1.4...2.6)
    return [
      PhantomPart(
        shape: CouchShell(back: back + 12, rise: random.uniform(0.0006...0.0014), thickness: thickness),
        intensity: random.uniform(-250...150)),
      PhantomPart(
        shape: CouchShell(back: back + 5, rise: random.uniform(0.0005...0.001), thickness: 5),
        intensity: random.uniform(-985...(-900))),
    ]
  }

  /// Arms beside the body.
  private mutating func armParts() -> [PhantomPart] {
    var parts: [PhantomPart] = []
    let x = skin.halfWidth.value(-100) + skin.insets.x + random.uniform(38...52)
    for side: Float in [-1, 1] {
      let y = random.uniform(-30...10)
      let arm = Tube([SIMD4(side * x, y, 200, 40), SIMD4(side * (x + 12), y + 10, -330, 27)])
      parts += [
        PhantomPart(shape: arm, intensity: fat, roughness: 2),
        PhantomPart(shape: arm.grown(by: -8), intensity: muscle, roughness: 3, texture: 15),
        PhantomPart(shape: Tube(arm.nodes.map { SIMD4($0.x, $0.y, $0.z, 10) }), intensity: 900),
        PhantomPart(shape: Tube(arm.nodes.map { SIMD4($0.x, $0.y, $0.z, 5) }), intensity: 120),
      ]
    }
    return parts
  }
}

/// A shell below the back that curves up at the sides.
private struct CouchShell: PhantomShape {
  let back: Float
  let rise: Float
  let thickness: Float

  var box: ShapeBox {
    ShapeBox(lower: SIMD3(-225, -back - 20, -3000), upper: SIMD3(225, -back + 90, 3000))
  }

  func distance(_ point: SIMD3<Float>) -> Float {
    let surface = -back + rise * point.x * point.x
    let slope = 2 * rise * point.x
    return max(abs(point.y - surface) / (1 + slope * slope).squareRoot() - thickness, abs(point.x) - 220)
  }
}
