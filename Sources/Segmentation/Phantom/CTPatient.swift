/// The random parameters of a generated patient: build, contrast phase, tissue intensities.
struct CTPatient: Sendable {
  /// The generator of all later random draws.
  var random: PhantomRandom
  /// The contrast enhancement of vessels and organs: 0 none, 1 a strong portal venous phase.
  let enhancement: Float
  /// Millimetres of fat under the skin at the side.
  let fatMillimetres: Float
  let cavity: Trunk
  let diaphragm: Diaphragm
  /// Intensities in Hounsfield units.
  let liver, spleen, cortex, blood, portalBlood, muscle, fat: Float
  /// Content of stomach and bowel: water, food or positive contrast.
  let oralContrast: Float

  init(seed: UInt64) {
    var random = PhantomRandom(seed: seed, stream: 1)
    enhancement = random.happens(0.12) ? random.uniform(0...0.15) : random.uniform(0.5...1.1)
    let build = random.uniform(0...1)
    fatMillimetres = 7 + 34 * build * (0.4 + 0.6 * build)
    let deep = random.uniform(-6...8) + 10 * build
    cavity = Trunk(
      halfWidth: Profile(knots: [
        SIMD2(-420, 128), SIMD2(-310, 124), SIMD2(-190, 121 + random.uniform(-6...5)),
        SIMD2(-60, 132 + random.uniform(-4...4)), SIMD2(60, 126), SIMD2(220, 92),
      ]),
      front: Profile(knots: [
        SIMD2(-420, 55 + deep / 2), SIMD2(-280, 70 + deep), SIMD2(-120, 82 + deep), SIMD2(10, 80 + deep / 2),
        SIMD2(180, 58),
      ]),
      back: Profile(knots: [SIMD2(-420, 78), SIMD2(-260, 80), SIMD2(-60, 86), SIMD2(120, 84), SIMD2(220, 70)])
    )
    diaphragm = Diaphragm(
      cavity: cavity, leftHeight: random.uniform(-26...(-4)), fall: random.uniform(65...100))
    let phase = enhancement
    // A fatty liver is darker than the spleen.
    let fattyLiver = random.happens(0.2) ? random.uniform(10...35) : 0
    liver = 54 + 46 * phase + random.uniform(-10...12) - fattyLiver
    spleen = 46 + 68 * phase + random.uniform(-9...12)
    cortex = 32 + 135 * phase + random.uniform(-18...22)
    blood = 40 + 112 * phase + random.uniform(-14...18)
    portalBlood = 40 + 118 * phase + random.uniform(-12...14)
    muscle = 48 + 12 * phase + random.uniform(-5...6)
    fat = random.uniform(-112...(-92))
    oralContrast = random.happens(0.45) ? random.uniform(120...420) : random.uniform(5...45)
    self.random = random
  }

  /// The muscular wall around the cavity.
  var wall: Trunk { cavity.grown(side: 13, front: 11, back: 26) }

  var skin: Trunk {
    wall.grown(side: fatMillimetres + 2, front: fatMillimetres * 1.15 + 2, back: fatMillimetres * 0.75 + 2)
  }
}
