/// A number that changes smoothly along z, between knots.
struct Profile: Sendable {
  /// Positions (ascending) and values.
  let knots: [SIMD2<Float>]

  /// The value at z, constant beyond the first and last knot.
  func value(_ z: Float) -> Float {
    guard let first = knots.first, z > first.x else { return knots[0].y }
    for index in 1..<knots.count where z < knots[index].x {
      let (a, b) = (knots[index - 1], knots[index])
      let t = (z - a.x) / (b.x - a.x)
      return a.y + (b.y - a.y) * t * t * (3 - 2 * t)
    }
    return knots[knots.count - 1].y
  }
}

/// The trunk's cross-section along z: flatter than an ellipse, with depths of its own towards the front and the back.
struct Trunk: PhantomShape {
  /// Half width, depth to the front and to the back of the body cavity in millimetres.
  var halfWidth, front, back: Profile
  /// Added to the side, the front and the back.
  var insets = SIMD3<Float>(0, 0, 0)

  let box = ShapeBox(lower: SIMD3(-260, -220, -2000), upper: SIMD3(260, 240, 2000))

  /// The cavity grown by walls of the given thickness.
  func grown(side: Float, front: Float, back: Float) -> Trunk {
    var grown = self
    grown.insets += SIMD3(side, front, back)
    return grown
  }

  /// Position relative to the outline: 1 on it.
  @inline(__always)
  func relativeRadius(_ point: SIMD3<Float>) -> Float {
    let width = halfWidth.value(point.z) + insets.x
    let depth = point.y >= 0 ? front.value(point.z) + insets.y : back.value(point.z) + insets.z
    let (u, v) = (point.x / width, point.y / depth)
    return max(u * u + v * v - 0.32 * u * u * v * v, 0).squareRoot()
  }

  func distance(_ point: SIMD3<Float>) -> Float {
    let relative = relativeRadius(point)
    if relative < 0.05 { return -60 }
    // Beyond the squircle's corners the formula folds back; the plain radius keeps those points outside.
    let radius = (point.x * point.x + point.y * point.y).squareRoot()
    if radius > 250 { return radius - 240 }
    return radius * (1 - 1 / relative)
  }
}

/// The half-space on one side of the diaphragm: two domes that fall to the ribs.
struct Diaphragm: PhantomShape {
  let cavity: Trunk
  /// Height of the left dome; the right one is at 0.
  let leftHeight: Float
  /// The drop towards the side wall, in millimetres.
  let fall: Float
  /// The shift of the surface upwards, in millimetres.
  var lift: Float = 0
  /// Whether the shape lies above the diaphragm rather than below.
  var isAbove = false

  let box = ShapeBox(lower: SIMD3(-260, -220, -2000), upper: SIMD3(260, 240, 2000))

  /// The same surface moved up, seen from one of its sides.
  func moved(_ lift: Float, above: Bool = false) -> Diaphragm {
    var moved = self
    moved.lift = lift
    moved.isAbove = above
    return moved
  }

  /// Height of the surface.
  @inline(__always)
  func height(_ point: SIMD3<Float>) -> Float {
    let side = min(max((point.x + 45) / 90, 0), 1)
    let dome = leftHeight * (1 - side * side * (3 - 2 * side))
    let dip = 9 / (1 + point.x * point.x / 500)
    let relative = min(cavity.relativeRadius(SIMD3(point.x, point.y - 8, -40)), 1.15)
    let slope = 1 - 0.004 * min(max(point.y, -90), 90)
    let square = relative * relative
    return dome - dip - fall * slope * square * square * square + lift
  }

  func distance(_ point: SIMD3<Float>) -> Float {
    let above = (point.z - height(point)) * 0.75
    return isAbove ? -above : above
  }
}

/// The spine: vertebral bodies with discs between, or the tissue at their back.
struct Spine: PhantomShape {
  enum Part: Sendable { case bodies, discs, arches }

  let part: Part
  /// Front-back position of the bodies' middle along z.
  let course: Profile
  /// Sideways bend: millimetres per (100 mm)².
  let bend: Float
  /// Millimetres from one vertebra to the next.
  let period: Float
  let phase: Float
  /// Shrinks the bodies, for the marrow inside.
  var shrink: Float = 0

  var box: ShapeBox { ShapeBox(lower: SIMD3(-75, -125, -470), upper: SIMD3(75, 10, 400)) }

  func distance(_ point: SIMD3<Float>) -> Float {
    let x = point.x - bend * (point.z / 100 + 1) * (point.z / 100 + 1)
    let y = point.y - course.value(point.z)
    let cycle = (point.z - phase) / period
    let along = (cycle - cycle.rounded()) * period
    // Lumbar bodies are wider than thoracic ones.
    let size = 1 - min(max((point.z + 220) / 1000, 0), 0.25)
    switch part {
    case .bodies, .discs:
      let (u, v) = (x / (23 * size), y / (17 * size))
      let radial = ((u * u + v * v).squareRoot() - 1) * 18 * size + shrink
      let half = part == .bodies ? period / 2 - 4 - shrink : period / 2 + 1
      return max(radial, abs(along) - half)
    case .arches:
      let ring = abs((x * x + (y + 26) * (y + 26)).squareRoot() - 11) - 3
      let spinous = max(abs(x) - 3, max(abs(y + 48) - 14, abs(along + 6 + (y + 48) * 0.2) - 9))
      let transverse = max(abs(y + 24 + 0.15 * abs(x)) - 4, max(abs(x) - 38 * size, abs(along) - 6))
      return min(max(ring, abs(along) - 11), min(spinous, transverse))
    }
  }
}
