/// Label values of the generated abdomens, those of the BTCV challenge.
enum AbdomenLabel {
  static let spleen: UInt16 = 1
  static let rightKidney: UInt16 = 2
  static let leftKidney: UInt16 = 3
  static let gallbladder: UInt16 = 4
  static let liver: UInt16 = 6
  static let stomach: UInt16 = 7
  static let aorta: UInt16 = 8
  static let venaCava: UInt16 = 9
  static let pancreas: UInt16 = 11
}

extension CTPatient {
  /// The organs of the upper abdomen in painting order, later ones over earlier ones.
  mutating func organParts() -> [PhantomPart] {
    spleenParts() + stomachParts() + pancreasParts() + liverParts() + kidneyParts() + gallbladderParts()
  }

  /// The space below the diaphragm and inside the ribs.
  private func belowDiaphragm(_ gap: Float) -> Intersection<Trunk, Diaphragm> {
    Intersection(cavity.grown(side: -gap, front: -gap, back: -gap), diaphragm.moved(-gap))
  }

  private mutating func spleenParts() -> [PhantomPart] {
    let size = random.uniform(0.8...1.25)
    let centre = SIMD3<Float>(-94, -38, -62) + random.jitter(7)
    let shape = Ellipsoid(
      centre, SIMD3(36, 52, 58) * size, lean: SIMD2(-0.1, 0.25 + random.uniform(-0.15...0.15)), twist: 0.25)
    return [
      PhantomPart(
        shape: Intersection(shape, belowDiaphragm(3)), intensity: spleen,
        labelling: .set(AbdomenLabel.spleen),
        roughness: 4,
        texture: 3)
    ]
  }

  private mutating func stomachParts() -> [PhantomPart] {
    let fill = random.uniform(0.7...1.25)
    let j = random.jitter(8)
    let path = Tube([
      SIMD4(-62 + j.x, -8, -38, 34 * fill), SIMD4(-66 + j.x, 22 + j.y, -72, 31 * fill),
      SIMD4(-48, 46 + j.y, -108 + j.z, 25 * fill), SIMD4(-14, 52, -128 + j.z, 19 * fill),
      SIMD4(18, 46, -118 + j.z, 14), SIMD4(32, 30, -112, 10),
    ]).smoothed(steps: 3)
    let outer = Intersection(path, belowDiaphragm(3))
    let inner = Intersection(path.grown(by: -4), belowDiaphragm(7))
    let level = random.uniform(26...62)
    return [
      PhantomPart(
        shape: outer, intensity: muscle + 22 * enhancement, labelling: .set(AbdomenLabel.stomach),
        roughness: 3),
      PhantomPart(
        shape: inner, intensity: oralContrast, labelling: .keep, roughness: 4,
        texture: random.happens(0.4) ? 30 : 3),
      PhantomPart(
        shape: Intersection(inner, HalfSpace(normal: SIMD3(0, 1, 0), offset: level)), intensity: -960,
        labelling: .keep,
        roughness: 2),
    ]
  }

  private mutating func pancreasParts() -> [PhantomPart] {
    let j = random.jitter(7)
    let width = random.uniform(0.8...1.2)
    let path = Tube([
      SIMD4(30, 2, -138 + j.z, 17 * width), SIMD4(24, 12, -120 + j.z, 17 * width),
      SIMD4(2, 20 + j.y, -108, 12 * width), SIMD4(-28, 12 + j.y, -98, 14 * width),
      SIMD4(-58, -8, -86 + j.z, 14 * width), SIMD4(-74, -20, -80 + j.z, 10 * width),
    ]).smoothed(steps: 3)
    return [
      PhantomPart(
        shape: path, intensity: 42 + 50 * enhancement, labelling: .set(AbdomenLabel.pancreas), roughness: 5,
        texture: 14)
    ]
  }

  /// The liver: lobes that flow into each other, cut by the ribs and the diaphragm, with fissures and lesions.
  private mutating func liverParts() -> [PhantomPart] {
    let size = random.uniform(0.88...1.12)
    let left = random.uniform(0.75...1.25)
    let tip = random.uniform(0.7...1.3)
    let lobes = BlendedEllipsoids(
      parts: [
        Ellipsoid(
          SIMD3(70, -6, -72) + random.jitter(5), SIMD3(70, 86, 80) * size, lean: SIMD2(0.12, 0.1)),
        Ellipsoid(
          SIMD3(-4, 44, -52) + random.jitter(6), SIMD3(78 * left, 34, 38 * left), lean: SIMD2(-0.2, 0.3),
          twist: random.uniform(-0.15...0.1)),
        Ellipsoid(
          SIMD3(92, 4, -128) + random.jitter(6), SIMD3(36, 52, 58 * tip) * size, lean: SIMD2(-0.1, 0)),
        Ellipsoid(SIMD3(18, -22, -62), SIMD3(20, 17, 30)),
      ], blend: 26)
    let h = AbdomenLabel.liver
    let fissure = random.uniform(2...5)
    var parts = [
      PhantomPart(
        shape: Intersection(lobes, belowDiaphragm(3)), intensity: liver, labelling: .set(h), roughness: 6,
        texture: 4),
      // The fissure of the round ligament and the porta hepatis, both fat.
      PhantomPart(
        shape: Ellipsoid(SIMD3(6, 62, -92) + random.jitter(5), SIMD3(fissure, 26, 30), lean: SIMD2(0.2, 0)),
        intensity: fat, roughness: 2),
      PhantomPart(
        shape: Ellipsoid(SIMD3(28, 2, -104) + random.jitter(4), SIMD3(20, 9, 12)), intensity: fat + 25,
        roughness: 3),
    ]
    if random.happens(0.3) {
      for _ in 0..<random.whole(1...4) {
        let isCyst = random.happens(0.4)
        let centre = SIMD3(random.uniform(20...110), random.uniform(-50...55), random.uniform(-120...(-25)))
        let radius = random.uniform(4...20)
        parts.append(
          PhantomPart(
            shape: Ellipsoid(centre, SIMD3(radius, radius * 0.9, radius)),
            intensity: isCyst ? 8 : liver - random.uniform(20...50), labelling: .keep, roughness: 3,
            texture: 6,
            confinedTo: h))
      }
    }
    return parts + liverVesselParts()
  }

  private mutating func kidneyParts() -> [PhantomPart] {
    var parts: [PhantomPart] = []
    for side: Float in [-1, 1] {
      let centre =
        SIMD3(side * 59, -44, side > 0 ? -144 : -136)
        + SIMD3(side * 4, random.uniform(-6...6), random.uniform(-14...12))
      let size = random.uniform(0.88...1.12)
      let lean = SIMD2(-side * 0.22, random.uniform(0.02...0.2))
      let kidney = Ellipsoid(centre, SIMD3(28, 25, 54) * size, lean: lean, twist: -side * 0.3)
      let capsule = Ellipsoid(
        centre, SIMD3(28, 25, 54) * size + random.uniform(2...7), lean: lean, twist: -side * 0.3)
      let label = side > 0 ? AbdomenLabel.rightKidney : AbdomenLabel.leftKidney
      parts += [
        PhantomPart(shape: Intersection(capsule, belowDiaphragm(4)), intensity: fat + 4, roughness: 4),
        PhantomPart(
          shape: Intersection(kidney, belowDiaphragm(5)), intensity: cortex, labelling: .set(label),
          roughness: 3,
          texture: 6),
        // The more contrast, the darker the medulla beside the cortex; the sinus is fat around the renal pelvis.
        PhantomPart(
          shape: Ellipsoid(
            centre - SIMD3(side * 3, 0, 0), SIMD3(19, 16, 42) * size, lean: lean, twist: -side * 0.3),
          intensity: cortex - random.uniform(5...40) * enhancement, labelling: .keep, roughness: 6,
          texture: 14,
          confinedTo: label),
        PhantomPart(
          shape: Ellipsoid(centre - SIMD3(side * 18, -2, 0), SIMD3(17, 9, 21) * size, lean: lean),
          intensity: fat + 25, roughness: 4, texture: 20),
        PhantomPart(
          shape: Ellipsoid(centre - SIMD3(side * 17, 0, 2), SIMD3(11, 5, 12) * size), intensity: 15,
          roughness: 2),
      ]
    }
    return parts
  }

  private mutating func gallbladderParts() -> [PhantomPart] {
    guard random.happens(0.88) else { return [] }
    let fill = random.uniform(0.65...1.2)
    let centre = SIMD3(
      48 + random.uniform(-10...12), 36 + random.uniform(-8...12), -128 + random.uniform(-14...10))
    return [
      PhantomPart(
        shape: Ellipsoid(centre, SIMD3(13, 15, 27) * fill, lean: SIMD2(-0.2, -0.5)),
        intensity: random.uniform(2...22),
        labelling: .set(AbdomenLabel.gallbladder), roughness: 2, texture: 2)
    ]
  }
}
