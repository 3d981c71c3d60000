import Volumes
import Work

extension MetaImageFormat: WritableImageFormat {
  static let writtenSuffixes = [".mha", ".mhd"]
  static let writtenTypes = Set(types.values)
  static let holdsScaling = false

  /// `NAME.zraw` of the header `NAME.mhd`.
  static func voxelFiles(of path: String) -> [String] {
    FilePath.hasSuffix(".mhd", path) ? [path.dropLast(".mhd".count) + ".zraw"] : []
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
    let sizes = [size.i, size.j, size.k] + (axes == 4 ? [frames] : [])
    let type = types.filter { $0.value == image.voxelType }.keys.sorted { $0.count < $1.count }[0]
    return """
      ObjectType = Image
      NDims = \(axes)
      BinaryData = True
      BinaryDataByteOrderMSB = False
      CompressedData = True
      CompressedDataSize = \(String(repeating: " ", count: 20 - count.count) + count)
      TransformMatrix = \(headerText(matrix))
      Offset = \(headerText(padded(origin, 0)))
      CenterOfRotation = \(headerText([Double](repeating: 0, count: axes)))
      ElementSpacing = \(headerText(padded([spacing.i, spacing.j, spacing.k], 1)))
      DimSize = \(sizes.map(String.init).joined(separator: " "))
      ElementType = \(type)
      ElementDataFile = \(dataFile)

      """
  }
}

/// A MetaImage that is being written: one file, or a header and the file of its voxels.
private final class MetaImageWriter: ImageWriter {
  private let image: WrittenImage
  private let header: OutputStream
  /// The stream of the voxels: the header's own, or another file's.
  private let voxels: OutputStream
  private let dataFile: String
  private let headerByteCount: Int

  init(path: String, _ image: WrittenImage, work: WorkContext) throws {
    self.image = image
    let compression = OutputStream.Compression(.zlib, level: image.compressionLevel)
    let other = MetaImageFormat.voxelFiles(of: path).first
    dataFile = other.map(FilePath.name) ?? "LOCAL"
    guard !dataFile.contains("%"), !dataFile.contains(where: \.isNewline) else {
      throw InputError(path, "cannot be the name of a MetaImage header", expected: "a name without %")
    }
    if let other {
      header = try OutputStream(path: path, compression: nil, work: work)
      voxels = try OutputStream(path: other, compression: compression, work: work)
    } else {
      header = try OutputStream(path: path, compression: compression, work: work)
      voxels = header
    }
    let text = MetaImageFormat.header(image, compressedByteCount: 0, dataFile: dataFile)
    headerByteCount = text.utf8.count
    try header.writeStored(Array(text.utf8))
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws { try voxels.write(bytes) }

  func complete() throws -> [PendingFile] {
    try voxels.finishCompression()
    let isOther = voxels !== header
    // Only now is it known how many compressed bytes there are.
    let count = voxels.byteCount - (isOther ? 0 : headerByteCount)
    let text = MetaImageFormat.header(image, compressedByteCount: count, dataFile: dataFile)
    try header.overwrite(Array(text.utf8), at: 0)
    return isOther ? [try header.completeFile(), try voxels.completeFile()] : [try header.completeFile()]
  }
}
