/// A box in the reference body's millimetres.
struct ShapeBox: Sendable {
  var lower, upper: SIMD3<Float>

  static let everywhere = ShapeBox(lower: SIMD3(repeating: -1e4), upper: SIMD3(repeating: 1e4))

  /// The intersection of both.
  func intersection(_ other: ShapeBox) -> ShapeBox {
    ShapeBox(
      lower: pointwiseMax(lower, other.lower), upper: pointwiseMin(upper, other.upper))
  }

  /// The smallest box around both.
  func union(_ other: ShapeBox) -> ShapeBox {
    ShapeBox(
      lower: pointwiseMin(lower, other.lower), upper: pointwiseMax(upper, other.upper))
  }
}

/// A solid in the reference body: x to the right, y to the front, z to the head, millimetres.
protocol PhantomShape: Sendable {
  /// A box that contains the shape.
  var box: ShapeBox { get }
  /// About the distance to the surface, negative inside; accurate near the surface.
  func distance(_ point: SIMD3<Float>) -> Float
}

/// The Euclidean length of a vector.
@inline(__always)
func length(_ vector: SIMD3<Float>) -> Float { (vector * vector).sum().squareRoot() }

/// An ellipsoid, leaning by shears so that its axes need no trigonometry.
struct Ellipsoid: PhantomShape {
  let centre: SIMD3<Float>
  let radii: SIMD3<Float>
  /// The shift of x and y per millimetre along z.
  var lean = SIMD2<Float>(0, 0)
  /// The shift of y per millimetre along x.
  var twist: Float = 0

  init(_ centre: SIMD3<Float>, _ radii: SIMD3<Float>, lean: SIMD2<Float> = SIMD2(0, 0), twist: Float = 0) {
    self.centre = centre
    self.radii = radii
    self.lean = lean
    self.twist = twist
  }

  var box: ShapeBox {
    let halfExtent = SIMD3(
      radii.x + abs(lean.x) * radii.z,
      radii.y + abs(lean.y) * radii.z + abs(twist) * (radii.x + abs(lean.x) * radii.z), radii.z)
    return ShapeBox(lower: centre - halfExtent, upper: centre + halfExtent)
  }

  func distance(_ point: SIMD3<Float>) -> Float {
    var p = point - centre
    p.y -= twist * p.x
    p.x -= lean.x * p.z
    p.y -= lean.y * p.z
    let scaled = p / radii
    let k0 = length(scaled)
    let k1 = length(scaled / radii)
    return k1 < 1e-6 ? -radii.min() : k0 * (k0 - 1) / k1
  }
}

/// A chain of balls and the cones between them: vessels, bowel, ribs.
struct Tube: PhantomShape {
  /// Centre (x, y, z) and radius (w) of each ball.
  let nodes: [SIMD4<Float>]

  init(_ nodes: [SIMD4<Float>]) {
    precondition(nodes.count >= 2, "\(nodes.count) nodes")
    self.nodes = nodes
  }

  /// The same chain with other radii.
  func grown(by millimetres: Float) -> Tube {
    Tube(nodes.map { SIMD4($0.x, $0.y, $0.z, max($0.w + millimetres, 0.5)) })
  }

  /// The chain with `steps` nodes per segment along a Catmull-Rom spline.
  func smoothed(steps: Int) -> Tube {
    var fine: [SIMD4<Float>] = []
    for index in 0..<nodes.count - 1 {
      let (a, b) = (nodes[max(index - 1, 0)], nodes[index])
      let (c, d) = (nodes[index + 1], nodes[min(index + 2, nodes.count - 1)])
      for step in 0..<steps {
        let t = Float(step) / Float(steps)
        // The Catmull-Rom basis, including its factor of one half.
        let weightA: Float = 0.5 * t * (t * (2 - t) - 1)
        let weightB: Float = 0.5 * (t * t * (3 * t - 5) + 2)
        let weightC: Float = 0.5 * t * (t * (4 - 3 * t) + 1)
        let weightD: Float = 0.5 * t * t * (t - 1)
        var node: SIMD4<Float> = a * weightA
        node += b * weightB
        node += c * weightC
        node += d * weightD
        fine.append(node)
      }
    }
    return Tube(fine + [nodes[nodes.count - 1]])
  }

  var box: ShapeBox {
    var box: ShapeBox?
    for node in nodes {
      let centre = SIMD3(node.x, node.y, node.z)
      let ball = ShapeBox(lower: centre - node.w, upper: centre + node.w)
      box = box?.union(ball) ?? ball
    }
    return box!
  }

  func distance(_ point: SIMD3<Float>) -> Float {
    nodes.withUnsafeBufferPointer { nodes in
      var nearest = Float.infinity
      for index in 0..<nodes.count - 1 {
        let (a, b) = (nodes[index], nodes[index + 1])
        let start = SIMD3(a.x, a.y, a.z)
        let along = SIMD3(b.x, b.y, b.z) - start
        let from = point - start
        let t = min(max((from * along).sum() / max((along * along).sum(), 1e-6), 0), 1)
        nearest = min(nearest, length(from - along * t) - (a.w + (b.w - a.w) * t))
      }
      return nearest
    }
  }
}

/// The intersection of two shapes.
struct Intersection<First: PhantomShape, Second: PhantomShape>: PhantomShape {
  let first: First
  let second: Second

  init(_ first: First, _ second: Second) {
    self.first = first
    self.second = second
  }

  var box: ShapeBox { first.box.intersection(second.box) }

  func distance(_ point: SIMD3<Float>) -> Float { max(first.distance(point), second.distance(point)) }
}

/// The smooth union of ellipsoids.
struct BlendedEllipsoids: PhantomShape {
  let parts: [Ellipsoid]
  /// Width of the fillet between two of them.
  let blend: Float

  var box: ShapeBox {
    var box = parts[0].box
    for part in parts.dropFirst() { box = box.union(part.box) }
    return ShapeBox(lower: box.lower - blend, upper: box.upper + blend)
  }

  func distance(_ point: SIMD3<Float>) -> Float {
    parts.withUnsafeBufferPointer { parts in
      var total = parts[0].distance(point)
      for index in 1..<max(parts.count, 1) {
        let other = parts[index].distance(point)
        let overlap = max(blend - abs(total - other), 0) / blend
        total = min(total, other) - overlap * overlap * blend * 0.25
      }
      return total
    }
  }
}

/// The half-space of points with normal · point > offset.
struct HalfSpace: PhantomShape {
  let normal: SIMD3<Float>
  let offset: Float

  let box = ShapeBox.everywhere

  func distance(_ point: SIMD3<Float>) -> Float { offset - (normal * point).sum() }
}
