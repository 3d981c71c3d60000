import Volumes

/// The fields of a NIfTI header that define the grid, as stored; NIfTI-1's 32-bit floats are preserved exactly.
struct NiftiGeometry: Hashable, Sendable {
  /// 1 or 2, which decides the width of every number.
  var version: Int
  /// 1, 2 or 3 spatial axes.
  var axisCount: Int
  /// pixdim[0...7]: qfac, spacing, and the steps of further axes.
  var pixdim: [Double]
  var qformCode = 0
  var sformCode = 0
  /// quatern_b, quatern_c, quatern_d.
  var quaternion: [Double] = [0, 0, 0]
  /// qoffset_x, qoffset_y, qoffset_z.
  var qoffset: [Double] = [0, 0, 0]
  /// srow_x, srow_y, srow_z.
  var srow = [Double](repeating: 0, count: 12)
  /// Spatial and temporal unit codes in one byte.
  var xyztUnits = 0
}

extension NiftiGeometry {
  /// Whether two headers state the same grid, in either version of the format; NaN equals NaN.
  static func == (one: NiftiGeometry, other: NiftiGeometry) -> Bool {
    let codes = { (fields: NiftiGeometry) in
      [fields.axisCount, fields.qformCode, fields.sformCode, fields.xyztUnits]
    }
    return codes(one) == codes(other)
      && one.numbers.elementsEqual(other.numbers) { $0 == $1 || $0.isNaN && $1.isNaN }
  }

  func hash(into hasher: inout Hasher) {
    for number in numbers where !number.isNaN { hasher.combine(number) }
  }

  private var numbers: [Double] { pixdim + quaternion + qoffset + srow }
}

extension NiftiGeometry {
  /// The fields for a grid that no NIfTI header stated.
  init(grid: VolumeGrid) {
    let affine = grid.affine
    let spacing = grid.spacing
    self.init(
      version: 1, axisCount: 3, pixdim: [1, spacing.i, spacing.j, spacing.k, 1, 1, 1, 1], sformCode: 1,
      srow: (0..<3).flatMap { row in
        [affine.stepI[row], affine.stepJ[row], affine.stepK[row], affine.origin[row]]
      }, xyztUnits: 2)
    guard let (quaternion, qfac) = rotation(of: affine) else { return }
    qformCode = 1
    self.quaternion = quaternion
    qoffset = [affine.origin.x, affine.origin.y, affine.origin.z]
    pixdim[0] = qfac
  }

  /// The affine that srow states, in the header's own unit.
  var sformAffine: Affine {
    Affine(
      stepI: WorldPoint(srow[0], srow[4], srow[8]), stepJ: WorldPoint(srow[1], srow[5], srow[9]),
      stepK: WorldPoint(srow[2], srow[6], srow[10]), origin: WorldPoint(srow[3], srow[7], srow[11]))
  }

  /// The affine that quaternion, qoffset, pixdim and qfac state (NIfTI-1 standard, method 2), in the header's own unit.
  func qformAffine(spacing: Spacing) -> Affine {
    var (b, c, d) = (quaternion[0], quaternion[1], quaternion[2])
    var a = 0.0
    let rest = 1 - (b * b + c * c + d * d)
    if rest < 1e-7 {
      // Rounding may carry a half turn beyond unit length.
      let length = (b * b + c * c + d * d).squareRoot()
      (b, c, d) = (b / length, c / length, d / length)
    } else {
      a = rest.squareRoot()
    }
    let k = pixdim[0] < 0 ? -spacing.k : spacing.k
    let (i, j) = (spacing.i, spacing.j)
    return Affine(
      stepI: WorldPoint(
        (a * a + b * b - c * c - d * d) * i, 2 * (b * c + a * d) * i, 2 * (b * d - a * c) * i),
      stepJ: WorldPoint(
        2 * (b * c - a * d) * j, (a * a + c * c - b * b - d * d) * j, 2 * (c * d + a * b) * j),
      stepK: WorldPoint(
        2 * (b * d + a * c) * k, 2 * (c * d - a * b) * k, (a * a + d * d - c * c - b * b) * k),
      origin: WorldPoint(qoffset[0], qoffset[1], qoffset[2]))
  }
}

/// The unit quaternion (b, c, d; a ≥ 0) and qfac of an affine, or nil when its axes are not perpendicular.
private func rotation(of affine: Affine) -> (quaternion: [Double], qfac: Double)? {
  let spacing = affine.spacing
  let columns = (0..<3).map { axis in (0..<3).map { affine[axis][$0] / spacing[axis] } }
  func dot(_ one: [Double], _ other: [Double]) -> Double { zip(one, other).map(*).reduce(0, +) }
  let largestCosine = [(0, 1), (0, 2), (1, 2)].map { abs(dot(columns[$0], columns[$1])) }.max() ?? 0
  guard largestCosine < 1e-5 else { return nil }
  let qfac = affine.determinant < 0 ? -1.0 : 1
  func element(_ row: Int, _ column: Int) -> Double { columns[column][row] * (column == 2 ? qfac : 1) }
  let (r11, r22, r33) = (element(0, 0), element(1, 1), element(2, 2))
  // The largest of the four is divided by: the others would lose their digits (niftilib, nifti_mat44_to_quatern).
  let squares = [1 + r11 + r22 + r33, 1 + r11 - r22 - r33, 1 - r11 + r22 - r33, 1 - r11 - r22 + r33]
  let largest = squares.indices.max { squares[$0] < squares[$1] } ?? 0
  let half = squares[largest].squareRoot() / 2
  let quarter = 0.25 / half
  var (a, b, c, d): (Double, Double, Double, Double)
  switch largest {
  case 0:
    a = half
    b = quarter * (element(2, 1) - element(1, 2))
    c = quarter * (element(0, 2) - element(2, 0))
    d = quarter * (element(1, 0) - element(0, 1))
  case 1:
    b = half
    c = quarter * (element(0, 1) + element(1, 0))
    d = quarter * (element(0, 2) + element(2, 0))
    a = quarter * (element(2, 1) - element(1, 2))
  case 2:
    c = half
    b = quarter * (element(0, 1) + element(1, 0))
    d = quarter * (element(1, 2) + element(2, 1))
    a = quarter * (element(0, 2) - element(2, 0))
  default:
    d = half
    b = quarter * (element(0, 2) + element(2, 0))
    c = quarter * (element(1, 2) + element(2, 1))
    a = quarter * (element(1, 0) - element(0, 1))
  }
  if a < 0 { (b, c, d) = (-b, -c, -d) }
  return ([b, c, d], qfac)
}
