import Volumes
import Work

/// FreeSurfer's volumes: `.mgh`, and `.mgz`, which is the same in gzip.
enum MGHFormat: ImageFormat {
  static let name = "FreeSurfer MGH"
  static let suffixes = [".mgz", ".mgh", ".mgh.gz"]

  /// Bytes of the header, which the voxels follow.
  static let headerByteCount = 284

  /// Voxel types by their codes in the header.
  static let types: [Int: VoxelType] = [0: .uint8, 1: .int32, 3: .float32, 4: .int16, 10: .uint16]

  /// The version number 1 alone is weak evidence, so extents, frames, type and flag must be plausible too.
  static func recognises(_ beginning: [UInt8]) -> Bool {
    guard beginning.count >= headerByteCount else { return false }
    let fields = HeaderBytes(bytes: beginning, isByteSwapped: true)
    return fields.int32(0) == 1 && (4...16).allSatisfy { $0 % 4 != 0 || fields.int32($0) >= 1 }
      && (0...20).contains(fields.int32(20)) && (-1...1).contains(fields.int16(28))
  }

  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile {
    let stream = try ByteStream(path: path)
    let bytes = try [UInt8](count: headerByteCount) { buffer throws(InputError) in
      try stream.read(into: buffer)
    }
    guard bytes.count == headerByteCount else {
      throw InputError(
        path, "the header ends early", found: counted(bytes.count, "byte"), expected: "\(headerByteCount)")
    }
    let fields = HeaderBytes(bytes: bytes, isByteSwapped: true)
    guard fields.int32(0) == 1 else {
      throw InputError(path, "version (byte 0) is wrong", found: "\(fields.int32(0))", expected: "1")
    }
    let extents = (1...4).map { fields.int32(4 * $0) }
    if let axis = extents.firstIndex(where: { $0 < 1 }) {
      throw InputError(
        path, "extent \(axis + 1) (byte \(4 * axis + 4)) is wrong", found: "\(extents[axis])",
        expected: "1 or more")
    }
    let text = HeaderValue(extents.map(String.init).joined(separator: " "), path: path, name: "size (byte 4)")
    _ = try CheckedExtents.product(extents, of: text)
    guard let type = types[fields.int32(20)] else {
      throw InputError(
        path, "type (byte 20) cannot be read", found: "\(fields.int32(20))", expected: "0, 1, 3, 4 or 10")
    }
    let size = GridSize(extents[0], extents[1], extents[2])
    var findings: [Finding] = []
    let grid = try grid(fields, size, path: path, &findings)
    let voxels = RawVoxelFile(
      [VoxelBytes(path: path, offset: headerByteCount)], type: type, isByteSwapped: true,
      voxelsPerFrame: size.voxelCount, frameCount: extents[3], endsWithVoxels: false)
    try voxels.checkSize()
    return ImageFile(
      path: path, storage: "FreeSurfer MGH" + (stream.isCompressed ? ", gzip" : ""),
      source: ImageSource(grid: grid), voxelType: type, scaling: VoxelScaling(),
      frameSizes: extents[3] > 1 ? [extents[3]] : [],
      frameStep: { try frameStep(of: path, after: headerByteCount + voxels.byteCount) }, files: [path],
      reader: voxels, findings: findings)
  }

  /// The repetition time, which follows the voxels in milliseconds; nil where it is 0 or missing.
  private static func frameStep(of path: String, after byteCount: Int) throws(InputError) -> FrameStep? {
    let stream = try ByteStream(path: path)
    while stream.position < byteCount {
      let step = min(byteCount - stream.position, 1 << 22)
      guard try stream.skip(step) == step else { return nil }
    }
    let bytes = try [UInt8](count: 4) { buffer throws(InputError) in try stream.read(into: buffer) }
    guard bytes.count == 4 else { return nil }
    let milliseconds = HeaderBytes(bytes: bytes, isByteSwapped: true).float32(0)
    return milliseconds > 0 ? FrameStep(milliseconds, unit: "ms", isTime: true) : nil
  }

  /// The grid from voxel sizes, direction cosines and the RAS position of the centre voxel.
  private static func grid(
    _ fields: HeaderBytes, _ size: GridSize, path: String, _ findings: inout [Finding]
  ) throws(InputError) -> VolumeGrid {
    var spacing = [1.0, 1, 1]
    // FreeSurfer's default: the axes of coronal slices.
    var cosines: [Double] = [-1, 0, 0, 0, 0, -1, 0, 1, 0]
    var centre = [0.0, 0, 0]
    if fields.int16(28) > 0 {
      spacing = (0..<3).map { fields.float32(30 + 4 * $0) }
      cosines = (0..<9).map { fields.float32(42 + 4 * $0) }
      centre = (0..<3).map { fields.float32(78 + 4 * $0) }
    } else {
      findings.append(
        Finding(
          "goodRASFlag is 0: the directions of the axes are not stated",
          repair: "they are taken as coronal with voxels of 1 mm, as in FreeSurfer"))
    }
    for axis in 0..<3 where spacing[axis] < 0 {
      findings.append(
        Finding(
          "the voxel size along axis \(axis) is \(significant(spacing[axis]))",
          repair: "it is read as \(significant(-spacing[axis]))"))
      spacing[axis] = -spacing[axis]
    }
    let columns = (0..<3).map { axis in
      WorldPoint(
        cosines[3 * axis] * spacing[axis], cosines[3 * axis + 1] * spacing[axis],
        cosines[3 * axis + 2] * spacing[axis])
    }
    var affine = Affine(
      stepI: columns[0], stepJ: columns[1], stepK: columns[2], origin: WorldPoint(0, 0, 0))
    let middle = affine.world(Double(size.i) / 2, Double(size.j) / 2, Double(size.k) / 2)
    affine.origin = WorldPoint(centre[0] - middle.x, centre[1] - middle.y, centre[2] - middle.z)
    return try VolumeGrid(size: size, affine: affine).validated(subject: path)
  }
}
