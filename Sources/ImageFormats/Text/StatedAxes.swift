import Volumes
import Work

extension Affine {
  /// Refuses axes that lie in one plane, or nearly so.
  /// - Parameter field: The field of a header that states them.
  func requireThreeDirections(subject: String, _ field: String) throws(InputError) {
    let spacing = spacing
    guard abs(determinant) / (spacing.i * spacing.j * spacing.k) <= 1e-6 else { return }
    throw InputError(
      subject, "\(field) cannot be inverted", found: "axes in one plane", expected: "three directions")
  }

  /// The affine whose columns and origin are given in LPS millimetres, the frame of DICOM and ITK.
  /// - Parameter steps: The world step of one voxel along each of the first one, two or three axes, three numbers each.
  ///   A direction that is missing is perpendicular to the others, with a step of 1 mm.
  init(lpsSteps steps: [[Double]], origin: [Double]) {
    func world(_ numbers: [Double]) -> WorldPoint { WorldPoint(0 - numbers[0], 0 - numbers[1], numbers[2]) }
    var columns = steps.map(world)
    if columns.count == 1 {
      // Any direction that is not the first one's will do.
      let first = columns[0]
      let other = abs(first.x) <= abs(first.y) ? WorldPoint(1, 0, 0) : WorldPoint(0, 1, 0)
      columns.append(first.cross(other).normalised)
    }
    if columns.count == 2 { columns.append(columns[0].cross(columns[1]).normalised) }
    self.init(stepI: columns[0], stepJ: columns[1], stepK: columns[2], origin: world(origin))
  }

  /// The columns and the origin in LPS millimetres.
  var lps: (steps: [[Double]], origin: [Double]) {
    func numbers(_ point: WorldPoint) -> [Double] { [0 - point.x, 0 - point.y, point.z] }
    return ([stepI, stepJ, stepK].map(numbers), numbers(origin))
  }
}

extension WorldPoint {
  fileprivate func cross(_ other: WorldPoint) -> WorldPoint {
    WorldPoint(y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
  }

  fileprivate var normalised: WorldPoint {
    let length = (x * x + y * y + z * z).squareRoot()
    return WorldPoint(x / length, y / length, z / length)
  }
}
