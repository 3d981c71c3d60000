import Volumes
import Work

/// Makes meaning of a header's fields: each is right, or repaired with a finding, or refused with one line.
struct NiftiHeaderCheck {
  let header: NiftiHeader
  let path: String
  var findings: [Finding] = []

  init(header: NiftiHeader, path: String) {
    self.header = header
    self.path = path
    if header.kind == .analyze {
      findings.append(
        Finding(
          "ANALYZE 7.5 does not say where left is",
          repair: "i is taken to run to the left, and the volume's centre as the origin"))
    }
  }

  private var version: Int { header.geometry.version }

  /// Voxels along i, j, k; axes that the header leaves out have one, and so have those from the third on that it states
  /// as 0.
  mutating func gridSize() throws(InputError) -> GridSize {
    let byteOffset = version == 1 ? 40 : 16
    let axes = header.dimensions[0]
    guard (1...7).contains(axes) else {
      throw InputError(path, "dim[0] (byte \(byteOffset)) is wrong", found: "\(axes)", expected: "1 to 7")
    }
    var total = 1
    for axis in 1...axes {
      let extent = extent(axis)
      guard extent >= 1 else {
        throw InputError(
          path, "dim[\(axis)] (byte \(byteOffset + axis * (version == 1 ? 2 : 8))) is wrong",
          found: "\(extent)",
          expected: "1 or more")
      }
      // 2^46 voxels of 32 bytes still count without overflow.
      let (product, overflow) = total.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 46 else {
        throw InputError(
          path, "dim (byte \(byteOffset)) states more voxels than any file holds",
          found: header.dimensions[1...axes].map { "\($0)" }.joined(separator: "x"))
      }
      total = product
    }
    for axis in 1...axes where header.dimensions[axis] == 0 {
      findings.append(
        Finding("dim[\(axis)] is 0", repair: axis == 3 ? "it is read as one slice" : "it is read as 1 frame"))
    }
    return GridSize(extent(1), extent(2), extent(3))
  }

  /// The voxels or frames along an axis.
  private func extent(_ axis: Int) -> Int {
    guard axis <= header.dimensions[0] else { return 1 }
    return axis >= 3 && header.dimensions[axis] == 0 ? 1 : header.dimensions[axis]
  }

  /// Extents beyond i, j, k, without the ones at the end.
  var frameSizes: [Int] {
    let axes = header.dimensions[0]
    guard axes > 3 else { return [] }
    var sizes = (4...axes).map { extent($0) }
    while sizes.last == 1 { sizes.removeLast() }
    return sizes
  }

  /// The stored type of a voxel.
  mutating func voxelType() throws(InputError) -> VoxelType {
    let byteOffset = version == 1 ? 70 : 12
    guard let type = NiftiHeader.datatypes[header.datatype] else {
      throw InputError(
        path, "datatype (byte \(byteOffset)) cannot be read", found: "\(header.datatype)",
        expected: "2, 4, 8, 16, 64, 256, 512, 768, 1024 or 1280")
    }
    if header.bitsPerVoxel != type.byteCount * 8 {
      findings.append(
        Finding(
          "bitpix is \(header.bitsPerVoxel) where \(type.rawValue) has \(type.byteCount * 8)",
          repair: "datatype decides"))
    }
    return type
  }

  /// First byte of the voxels.
  mutating func offset() throws(InputError) -> Int {
    let byteOffset = version == 1 ? 108 : 168
    let first = header.kind == .single ? NiftiHeader.byteCount(version: version) + 4 : 0
    let stated = header.voxelOffset
    if stated == 0, first > 0 {
      findings.append(
        Finding("vox_offset is 0", repair: "voxels are read from byte \(first), after the header"))
      return first
    }
    guard stated >= Double(first), stated == stated.rounded(), stated < 0x1p60 else {
      throw InputError(
        path, "vox_offset (byte \(byteOffset)) is wrong", found: "\(stated)",
        expected: "a whole number from \(first) on")
    }
    return Int(stated)
  }

  /// Slope and intercept; slope 0 means none by the standard, and so does a slope that is no number.
  mutating func scaling() -> VoxelScaling {
    let (slope, intercept) = (header.slope, header.intercept)
    if slope == 0 || (slope.isNaN && intercept.isNaN) { return VoxelScaling() }
    guard slope.isFinite else {
      findings.append(Finding("scl_slope is \(slope)", repair: "voxels are not scaled"))
      return VoxelScaling()
    }
    guard intercept.isFinite else {
      findings.append(Finding("scl_inter is \(intercept)", repair: "it is read as 0"))
      return VoxelScaling(slope: slope)
    }
    return VoxelScaling(slope: slope, intercept: intercept)
  }
}
