extension CTPatient {
  /// Aorta, vena cava, portal and splenic vein, renal and iliac vessels.
  mutating func vesselParts() -> [PhantomPart] {
    let width = random.uniform(0.85...1.25)
    let j = random.uniform(-4...4)
    let aorta = Tube([
      SIMD4(-14, -30, 240, 12 * width), SIMD4(-12, -34, 60, 11.5 * width),
      SIMD4(-8 + j, -30, -60, 11 * width),
      SIMD4(-7 + j, -23, -150, 9.5 * width), SIMD4(-3, -16, -232, 8 * width),
    ]).smoothed(steps: 3)
    let flat = random.uniform(0.8...1.15)
    let cava = Tube([
      SIMD4(14, -14, -238, 9 * flat), SIMD4(19, -20, -160, 10 * flat), SIMD4(22, -20, -90, 11.5 * flat),
      SIMD4(21, -14, -30, 12 * flat), SIMD4(18, -2, 12, 12 * flat), SIMD4(14, 10, 34, 14 * flat),
    ]).smoothed(steps: 3)
    // Below the renal veins the vena cava is less enhanced.
    var parts: [PhantomPart] = []
    for side: Float in [-1, 1] {
      let hilum = SIMD4(side * 46, -40, side > 0 ? -140 : -124, Float(3))
      let vein = side > 0 ? SIMD4(20, -20, -135, Float(4.5)) : SIMD4(-8, -8, -118, Float(4.5))
      parts.append(PhantomPart(shape: Tube([vein, hilum]), intensity: blood - 5, roughness: 1))
      parts.append(
        PhantomPart(
          shape: Tube([SIMD4(-7, -25, -128, 3), hilum + SIMD4(0, -5, 3, 0)]), intensity: blood, roughness: 1))
      parts.append(
        PhantomPart(
          shape: Tube([
            SIMD4(0, -15, -232, 6), SIMD4(side * 32, -20, -290, 6), SIMD4(side * 62, 28, -390, 5.5),
          ]),
          intensity: blood, roughness: 1.5))
    }
    parts += [
      PhantomPart(
        shape: Tube([
          SIMD4(-78, -24, -84, 3.5), SIMD4(-40, 4, -96, 4.5), SIMD4(6, 6, -114, 5.5), SIMD4(34, 3, -96, 6.5),
        ]).smoothed(steps: 3), intensity: portalBlood, roughness: 1),
      PhantomPart(
        shape: Tube([SIMD4(6, 6, -114, 6), SIMD4(8, 12, -160, 5), SIMD4(20, 25, -215, 3)]),
        intensity: portalBlood,
        roughness: 1),
      PhantomPart(
        shape: Tube([SIMD4(-7, -18, -105, 4), SIMD4(-4, 4, -130, 4), SIMD4(4, 22, -210, 3)]),
        intensity: blood,
        roughness: 1),
      PhantomPart(
        shape: aorta, intensity: blood, labelling: .set(AbdomenLabel.aorta), roughness: 1, texture: 2),
      PhantomPart(
        shape: cava, intensity: blood - random.uniform(2...28), labelling: .set(AbdomenLabel.venaCava),
        roughness: 2,
        texture: 6),
    ]
    if random.happens(0.3) {
      parts.append(
        PhantomPart(
          shape: Tube([SIMD4(-16 + j, -30, -160, 2), SIMD4(-14 + j, -27, -185, 2.5)]), intensity: 500,
          labelling: .keep))
    }
    return parts
  }

  /// Portal branches and hepatic veins inside the liver; their voxels keep the liver's label.
  mutating func liverVesselParts() -> [PhantomPart] {
    var parts: [PhantomPart] = []
    let portal = portalBlood
    let veins = blood + random.uniform(-25...10)
    func grow(
      _ from: SIMD4<Float>, _ direction: SIMD3<Float>, _ distance: Float, _ depth: Int, _ intensity: Float
    ) {
      let middle = SIMD3(from.x, from.y, from.z) + direction * (distance * 0.5) + random.jitter(4)
      let end = middle + direction * (distance * 0.5) + random.jitter(4)
      let radius = from.w * 0.77
      let tip = SIMD4(end.x, end.y, end.z, radius)
      parts.append(
        PhantomPart(
          shape: Tube([from, SIMD4(middle.x, middle.y, middle.z, (from.w + radius) / 2), tip]),
          intensity: intensity, labelling: .keep, confinedTo: AbdomenLabel.liver))
      guard depth > 0 else { return }
      for _ in 0..<2 {
        let branch = direction + random.jitter(0.85)
        grow(tip, branch / max(length(branch), 0.2), distance * 0.76, depth - 1, intensity)
      }
    }
    grow(SIMD4(34, 3, -96, 7), SIMD3(0.85, -0.1, 0.5), 36, 4, portal)
    grow(SIMD4(34, 3, -96, 6), SIMD3(-0.5, 0.75, 0.4), 46, 3, portal)
    let outlet = SIMD4(21, -12, -24, Float(6.5))
    grow(outlet, SIMD3(0.85, -0.1, -0.45), 50, 3, veins)
    grow(outlet, SIMD3(0.4, 0.75, -0.5), 50, 3, veins)
    grow(outlet, SIMD3(-0.5, 0.8, -0.25), 46, 2, veins)
    return parts
  }
}
