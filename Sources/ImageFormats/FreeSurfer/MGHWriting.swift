import Volumes
import Work

extension MGHFormat: WritableImageFormat {
  static let writtenSuffixes = [".mgz", ".mgh"]
  static let writtenTypes: Set<VoxelType> = [.uint8, .int16, .int32, .float32]
  static let holdsScaling = false

  static func compressesVoxels(of path: String) -> Bool { FilePath.hasSuffix(".mgz", path) }

  static func writer(for path: String, of image: WrittenImage, work: WorkContext) throws -> any ImageWriter {
    try MGHWriter(path: path, image, work: work)
  }

  /// The header of an image; like the voxels, it is big-endian.
  fileprivate static func header(_ image: WrittenImage) -> [UInt8] {
    let grid = image.source.grid
    let (affine, spacing) = (grid.affine, grid.spacing)
    let size = grid.size
    var bytes: [UInt8] = []
    func put(_ number: Int) { withUnsafeBytes(of: Int32(number).bigEndian) { bytes += $0 } }
    func put(_ number: Double) { withUnsafeBytes(of: Float(number).bitPattern.bigEndian) { bytes += $0 } }
    put(1)
    for extent in [size.i, size.j, size.k, image.frameSizes.reduce(1, *)] { put(extent) }
    put(types.first { $0.value == image.voxelType }!.key)
    put(0)
    bytes += [0, 1]
    for axis in 0..<3 { put(spacing[axis]) }
    for axis in 0..<3 { for row in 0..<3 { put(affine[axis][row] / spacing[axis]) } }
    let centre = affine.world(Double(size.i) / 2, Double(size.j) / 2, Double(size.k) / 2)
    for row in 0..<3 { put(centre[row]) }
    return bytes + [UInt8](repeating: 0, count: headerByteCount - bytes.count)
  }
}

/// An `.mgh` or `.mgz` that is being written.
private final class MGHWriter: ImageWriter {
  private let stream: OutputStream
  private let type: VoxelType
  private let secondsPerFrame: Double?

  init(path: String, _ image: WrittenImage, work: WorkContext) throws {
    type = image.voxelType
    secondsPerFrame = image.secondsPerFrame
    for extent in [image.source.grid.size.i, image.source.grid.size.j, image.source.grid.size.k]
    where extent > Int(Int32.max) {
      throw InputError(
        path, "has too many voxels along an axis", found: "\(extent)", expected: "\(Int32.max)")
    }
    stream = try OutputStream(
      path: path,
      compression: MGHFormat.compressesVoxels(of: path) ? .init(.gzip, level: image.compressionLevel) : nil,
      work: work)
    try MGHFormat.header(image).withUnsafeBytes { try stream.write($0) }
  }

  func write(_ voxels: UnsafeRawBufferPointer) throws {
    guard type.byteCount > 1 else { return try stream.write(voxels) }
    let window = 1 << 20
    let swapped = UnsafeMutableRawBufferPointer.allocate(byteCount: min(window, voxels.count), alignment: 64)
    defer { swapped.deallocate() }
    for start in stride(from: 0, to: voxels.count, by: window) {
      let piece = UnsafeRawBufferPointer(rebasing: voxels[start..<min(start + window, voxels.count)])
      swapped.copyMemory(from: piece)
      let part = UnsafeMutableRawBufferPointer(rebasing: swapped[..<piece.count])
      swapBytes(part, width: type.byteCount)
      try stream.write(UnsafeRawBufferPointer(part))
    }
  }

  func complete() throws -> [PendingFile] {
    if let secondsPerFrame {
      // The repetition time in milliseconds, flip angle, echo time, inversion time and field of view.
      var bytes = [UInt8](repeating: 0, count: 20)
      withUnsafeBytes(of: Float(secondsPerFrame * 1000).bitPattern.bigEndian) {
        bytes.replaceSubrange(0..<4, with: $0)
      }
      try bytes.withUnsafeBytes { try stream.write($0) }
    }
    return [try stream.complete()]
  }
}
