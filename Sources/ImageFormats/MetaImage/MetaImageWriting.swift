import Volumes
import Work

extension MetaImageFormat: WritableImageFormat {
  static let writtenSuffixes = [".mha", ".mhd"]
  static let writtenTypes = Set(types.values)
  static let holdsScaling = false

  static let compressionIsOptional = true

  /// The comment that an ElementSpacing of 1 along the fourth axis is a second, and not what stands for no step.
  static let secondComment = "one second from frame to frame"

  /// `NAME.zraw` of the header `NAME.mhd`, or `NAME.raw`.
  static func voxelFiles(of path: String, isCompressed: Bool) -> [String] {
    FilePath.hasSuffix(".mhd", path) ? [path.dropLast(".mhd".count) + (isCompressed ? ".zraw" : ".raw")] : []
  }

  static func compressesVoxels(of path: String) -> Bool { true }

  static func writer(for path: String, of image: WrittenImage, work: WorkContext) throws -> any ImageWriter {
    try MetaImageWriter(path: path, image, work: work)
  }

  /// The lines of a header up to the voxels or the name of their file.
  ///
  /// - Parameter compressedByteCount: Bytes of the compressed voxels, in a field of fixed width.
  fileprivate static func header(_ image: WrittenImage, compressedByteCount: Int, dataFile: String) -> String
  {
    let grid = image.source.grid
    let (steps, origin) = grid.affine.lps
    let (spacing, size) = (grid.spacing, grid.size)
    let frames = image.frameSizes.reduce(1, *)
    let axes = frames > 1 ? 4 : 3
    // The direction of an axis is one row; time is perpendicular to space.
    var matrix = (0..<axes * axes).map { $0 % (axes + 1) == 0 ? 1.0 : 0 }
    for axis in 0..<3 {
      for row in 0..<3 { matrix[axis * axes + row] = steps[axis][row] / spacing[axis] + 0 }
    }
    func padded(_ numbers: [Double], _ last: Double) -> [Double] { axes == 4 ? numbers + [last] : numbers }
    let count = String(compressedByteCount)
    let paddedCount = String(repeating: " ", count: 20 - count.count) + count
    let compression =
      image.isCompressed
      ? "CompressedData = True\nCompressedDataSize = \(paddedCount)" : "CompressedData = False"
    let sizes = [size.i, size.j, size.k] + (axes == 4 ? [frames] : [])
    let type = types.filter { $0.value == image.voxelType }.keys.sorted { $0.count < $1.count }[0]
    let comment = axes == 4 && image.secondsPerFrame == 1 ? "Comment = \(secondComment)\n" : ""
    return """
      ObjectType = Image
      \(comment)NDims = \(axes)
      BinaryData = True
      BinaryDataByteOrderMSB = False
      \(compression)
      TransformMatrix = \(headerText(matrix))
      Offset = \(headerText(padded(origin, 0)))
      CenterOfRotation = \(headerText([Double](repeating: 0, count: axes)))
      ElementSpacing = \(headerText(padded([spacing.i, spacing.j, spacing.k], image.secondsPerFrame ?? 1)))
      DimSize = \(sizes.map(String.init).joined(separator: " "))
      ElementType = \(type)
      ElementDataFile = \(dataFile)

      """
  }
}

/// A MetaImage that is being written: one file, or a header and the file of its voxels.
private final class MetaImageWriter: ImageWriter {
  private let image: WrittenImage
  private let output: HeaderAndVoxels
  private let headerByteCount: Int

  init(path: String, _ image: WrittenImage, work: WorkContext) throws {
    self.image = image
    output = try HeaderAndVoxels(
      path: path,
      voxelFile: MetaImageFormat.voxelFiles(of: path, isCompressed: image.isCompressed).first,
      compression: image.isCompressed ? .init(.zlib, level: image.compressionLevel) : nil, work: work)
    let text = Self.header(image, output, compressedByteCount: 0)
    headerByteCount = text.count
    try output.header.writeStored(text)
  }

  private static func header(
    _ image: WrittenImage, _ output: HeaderAndVoxels, compressedByteCount: Int
  ) -> [UInt8] {
    Array(
      MetaImageFormat.header(
        image, compressedByteCount: compressedByteCount, dataFile: output.voxelFileName ?? "LOCAL"
      ).utf8)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws { try output.voxels.write(bytes) }

  func complete() throws -> [PendingFile] {
    try output.voxels.finishCompression()
    // The number of compressed bytes is known only now.
    let count = output.voxels.byteCount - (output.voxelFileName == nil ? headerByteCount : 0)
    try output.header.overwrite(Self.header(image, output, compressedByteCount: count), at: 0)
    return try output.completeFiles()
  }
}
