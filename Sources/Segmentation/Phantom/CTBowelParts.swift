extension CTPatient {
  /// Duodenum, small bowel and colon, painted before the organs that lie against them.
  mutating func bowelParts() -> [PhantomPart] {
    duodenumParts() + smallBowelParts() + colonParts()
  }

  /// A wall around a content.
  private func gut(_ path: Tube, _ content: Float, texture: Float = 3) -> [PhantomPart] {
    [
      PhantomPart(shape: path, intensity: muscle + 25 * enhancement, roughness: 3),
      PhantomPart(shape: path.grown(by: -3), intensity: content, roughness: 4, texture: texture),
    ]
  }

  private mutating func duodenumParts() -> [PhantomPart] {
    gut(
      Tube([
        SIMD4(34, 28, -112, 11), SIMD4(46, 10, -122, 12), SIMD4(44, -4, -160, 12), SIMD4(20, -2, -178, 11),
        SIMD4(-14, 0, -172, 11), SIMD4(-28, 12, -150, 11),
      ]).smoothed(steps: 3), oralContrast * 0.8)
  }

  private mutating func smallBowelParts() -> [PhantomPart] {
    var parts: [PhantomPart] = []
    for _ in 0..<24 {
      var nodes: [SIMD4<Float>] = []
      var here = SIMD3(random.uniform(-78...70), random.uniform(0...62), random.uniform(-335...(-165)))
      for _ in 0..<5 {
        nodes.append(SIMD4(here.x, here.y, here.z, random.uniform(10...15)))
        here += random.jitter(32) + SIMD3(0, (30 - here.y) * 0.2, 0)
        here = pointwiseMin(pointwiseMax(here, SIMD3(-88, -12, -345)), SIMD3(84, 68, -150))
      }
      let path = Tube(nodes).smoothed(steps: 3)
      parts += gut(path, oralContrast * random.uniform(0.4...1.1), texture: 15)
      if random.happens(0.35) {
        parts.append(
          PhantomPart(
            shape: Intersection(
              path.grown(by: -3.5), HalfSpace(normal: SIMD3(0, 1, 0), offset: random.uniform(25...55))),
            intensity: -900, roughness: 3))
      }
    }
    return parts
  }

  /// The colon with its haustra, filled with stool, gas and fluid.
  private mutating func colonParts() -> [PhantomPart] {
    let wide = random.uniform(0.75...1.25)
    let j = random.jitter(9)
    let course: [SIMD3<Float>] = [
      SIMD3(84, 14, -318), SIMD3(94, 6, -270), SIMD3(98, 4, -225), SIMD3(94, 12, -188 + j.z),
      SIMD3(72, 44, -178 + j.z), SIMD3(40, 62, -176 + j.y), SIMD3(0, 66, -172 + j.y),
      SIMD3(-40, 60, -158 + j.y),
      SIMD3(-76, 36, -128), SIMD3(-100, 6, -112 + j.x), SIMD3(-108, -14, -150), SIMD3(-108, -20, -210),
      SIMD3(-100, -8, -270), SIMD3(-70, 12, -318), SIMD3(-28, -2, -348), SIMD3(0, -40, -375),
    ]
    var nodes: [SIMD4<Float>] = []
    for point in course {
      nodes.append(SIMD4(point.x, point.y, point.z, random.uniform(17...25) * wide))
    }
    // Haustra: the radius swells and shrinks between the nodes.
    let path = Tube(
      Tube(nodes).smoothed(steps: 4).nodes.map { node in
        SIMD4(node.x, node.y, node.z, node.w * random.uniform(0.78...1.12))
      })
    var parts: [PhantomPart] = []
    for start in stride(from: 0, to: path.nodes.count - 1, by: 4) {
      let piece = Tube(Array(path.nodes[start...min(start + 4, path.nodes.count - 1)]))
      let content = random.whole(0...2)
      parts += gut(
        piece, content == 0 ? -880 : content == 1 ? random.uniform(-120...40) : oralContrast,
        texture: content == 1 ? 220 : 5)
      if content == 2, random.happens(0.5) {
        parts.append(
          PhantomPart(
            shape: Intersection(
              piece.grown(by: -4), HalfSpace(normal: SIMD3(0, 1, 0), offset: piece.nodes[0].y + 4)),
            intensity: -900, roughness: 2))
      }
    }
    return parts
  }
}
