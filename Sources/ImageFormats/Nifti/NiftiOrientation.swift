import Foundation
import Volumes
import Work

extension NiftiHeaderCheck {
  /// The grid and the fields that state it.
  ///
  /// The sform counts when its code is above 0, else the qform when its code is above 0, else pixdim alone: i to the left
  /// and the origin in the volume's centre, as in nibabel. A qform that is an invertible map replaces an sform that is
  /// not.
  /// - Throws: ``InputError`` when the map that counts is not an invertible one of finite numbers, or its origin lies
  ///   farther away than any scanner's.
  mutating func source(size: GridSize) throws(InputError) -> ImageSource {
    var fields = header.geometry
    fields.axisCount = min(header.dimensions[0], 3)
    let affine = try affine(fields, size: size)
    let scale = millimetresPerUnit(fields)
    func scaled(_ point: WorldPoint) -> WorldPoint {
      WorldPoint(point.x * scale, point.y * scale, point.z * scale)
    }
    let inMillimetres = Affine(
      stepI: scaled(affine.stepI), stepJ: scaled(affine.stepJ), stepK: scaled(affine.stepK),
      origin: scaled(affine.origin))
    let origin = inMillimetres.origin
    if let far = [origin.x, origin.y, origin.z].first(where: { abs($0) > 1e7 }) {
      throw InputError(
        path, "the first voxel lies beyond any grid", found: "\(far) mm", expected: "within 10000000 mm of 0")
    }
    let grid = try VolumeGrid(size: size, affine: inMillimetres).validated(subject: path)
    return ImageSource(grid: grid, header: fields)
  }

  private mutating func affine(_ fields: NiftiGeometry, size: GridSize) throws(InputError) -> Affine {
    noteCode("sform_code", fields.sformCode)
    noteCode("qform_code", fields.qformCode)
    if fields.sformCode > 0 {
      do throws(InputError) { return try sform(fields) } catch {
        let before = findings
        guard fields.qformCode > 0, let affine = try? qform(fields) else {
          findings = before
          throw error
        }
        let problem =
          fields.srow.first { !$0.isFinite }.map { "sform holds \($0)" }
          ?? (fields.srow.allSatisfy { $0 == 0 } ? "sform is all 0" : "sform is not an invertible map")
        findings.append(Finding(problem, repair: "the qform is used"))
        return affine
      }
    }
    if fields.qformCode > 0 { return try qform(fields) }
    if header.kind != .analyze {
      findings.append(
        Finding(
          "neither sform nor qform is set",
          repair: "only the spacing is known: i is taken to run to the left, the centre is the origin"))
    }
    let spacing = try spacing()
    func centre(_ count: Int, _ step: Double) -> Double { -Double(count - 1) / 2 * step }
    return try checked(
      Affine(
        spacing: Spacing(-spacing.i, spacing.j, spacing.k),
        origin: WorldPoint(
          centre(size.i, -spacing.i), centre(size.j, spacing.j), centre(size.k, spacing.k))), "pixdim")
  }

  private mutating func sform(_ fields: NiftiGeometry) throws(InputError) -> Affine {
    let affine = try checked(fields.sformAffine, "sform (byte \(fields.version == 1 ? 280 : 400))")
    compareSpacing(affine)
    noteFactor(fields, repair: "it is not used, the sform states the grid")
    guard fields.qformCode > 0 else { return affine }
    if let problem = quaternionProblem(fields) {
      findings.append(
        Finding(
          "the qform's quaternion \(problem.finding)", repair: "it is not used, the sform states the grid"))
      return affine
    }
    if let number = fields.qoffset.first(where: { !$0.isFinite }) {
      findings.append(
        Finding("the qform's offset holds \(number)", repair: "it is not used, the sform states the grid"))
      return affine
    }
    let own = findings
    // What is odd in the qform's own fields matters only where it states the grid.
    let other = try? qform(fields)
    findings = own
    if let other, other.determinant * affine.determinant < 0 {
      findings.append(
        Finding("sform and qform are mirror images of each other", repair: "the sform decides"))
    }
    return affine
  }

  private mutating func qform(_ fields: NiftiGeometry) throws(InputError) -> Affine {
    let byteOffset = fields.version == 1 ? 256 : 352
    if let problem = quaternionProblem(fields) {
      throw InputError(
        path, "the qform's quaternion (byte \(byteOffset)) is not a rotation", found: problem.found,
        expected: problem.expected)
    }
    noteFactor(fields, repair: "it is read as \(fields.pixdim[0] < 0 ? -1 : 1)")
    return try checked(fields.qformAffine(spacing: try spacing()), "qform (byte \(byteOffset))")
  }

  /// The standard has -1 and 1; programs that ignore qfac write 0.
  private mutating func noteFactor(_ fields: NiftiGeometry, repair: String) {
    guard ![-1, 0, 1].contains(fields.pixdim[0]) else { return }
    findings.append(Finding("pixdim[0] (qfac) is \(significant(fields.pixdim[0]))", repair: repair))
  }

  /// The standard has codes from 0 to 5.
  private mutating func noteCode(_ name: String, _ code: Int) {
    guard !(0...5).contains(code) else { return }
    findings.append(
      Finding(
        "\(name) is \(code), which is unknown", repair: "it is taken as \(code > 0 ? "set" : "not set")"))
  }

  /// The reason why a quaternion is not a rotation, as a finding and as an error say it; nil where it is one.
  private func quaternionProblem(
    _ fields: NiftiGeometry
  ) -> (finding: String, found: String, expected: String)? {
    if let number = fields.quaternion.first(where: { !$0.isFinite }) {
      return ("holds \(number)", "\(number)", "finite numbers")
    }
    let length = fields.quaternion.map { $0 * $0 }.reduce(0, +).squareRoot()
    return length <= 1 + 1e-5 ? nil : ("is longer than 1", "length \(length)", "1 or less")
  }

  private func checked(_ affine: Affine, _ name: String) throws(InputError) -> Affine {
    guard affine.isFinite else {
      let numbers = [affine.stepI, affine.stepJ, affine.stepK, affine.origin].flatMap { [$0.x, $0.y, $0.z] }
      let found = numbers.first { !$0.isFinite } ?? .nan
      throw InputError(path, "\(name) is not an affine map", found: "\(found)", expected: "finite numbers")
    }
    let spacing = affine.spacing
    for axis in 0..<3 {
      guard (1e-6...1e6).contains(spacing[axis]) else {
        throw InputError(
          path, "\(name) cannot be inverted", found: "a voxel of \(spacing[axis]) along axis \(axis)",
          expected: "0.000001 to 1000000")
      }
    }
    try affine.requireThreeDirections(subject: path, name)
    return affine
  }

  /// pixdim[1...3] where they alone give the spacing.
  private mutating func spacing() throws(InputError) -> Spacing {
    var spacing = Spacing(1)
    for axis in 0..<3 {
      let stated = header.geometry.pixdim[axis + 1]
      if stated == 0 {
        // Axes beyond the image's dimensions often have 0, which is not a defect.
        if axis < header.dimensions[0] {
          findings.append(Finding("pixdim[\(axis + 1)] is 0", repair: "it is read as 1 mm"))
        }
      } else if stated.isFinite {
        spacing[axis] = abs(stated)
        if stated < 0, axis < header.dimensions[0] {
          findings.append(
            Finding(
              "pixdim[\(axis + 1)] is \(significant(stated))", repair: "it is read as \(significant(-stated))"
            ))
        }
      } else {
        throw InputError(
          path,
          "pixdim[\(axis + 1)] (byte \((header.geometry.version == 1 ? 80 : 112) + axis * (header.geometry.version == 1 ? 4 : 8))) is wrong",
          found: "\(stated)", expected: "a finite spacing")
      }
    }
    return spacing
  }

  private mutating func compareSpacing(_ affine: Affine) {
    let spacing = affine.spacing
    for axis in 0..<min(header.dimensions[0], 3) {
      let stated = header.geometry.pixdim[axis + 1]
      let isSameLength = abs(abs(stated) - spacing[axis]) <= 0.01 * spacing[axis]
      if isSameLength, stated > 0 { continue }
      let comparison = isSameLength ? "" : " where the sform has \(significant(spacing[axis]))"
      findings.append(
        Finding("pixdim[\(axis + 1)] is \(significant(stated))\(comparison)", repair: "the sform decides"))
    }
  }

  private mutating func millimetresPerUnit(_ fields: NiftiGeometry) -> Double {
    if header.kind == .analyze { return 1 }
    if fields.xyztUnits & 7 > 3 {
      findings.append(
        Finding(
          "the unit of lengths is \(fields.xyztUnits & 7), which is unknown",
          repair: "they are read as millimetres"))
    }
    let (name, scale): (String, Double) =
      switch fields.xyztUnits & 7 {
      case 1: ("metres", 1000)
      case 3: ("micrometres", 0.001)
      default: ("millimetres", 1)
      }
    if scale != 1 {
      findings.append(
        Finding("lengths are stated in \(name)", repair: "they are read as millimetres times \(scale)"))
    }
    return scale
  }
}

/// Six digits, as many as a 32-bit float holds.
