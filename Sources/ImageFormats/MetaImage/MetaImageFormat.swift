import Volumes
import Work

/// MetaImage, the format of ITK: `.mha`, or a header `.mhd` with its voxels in other files.
enum MetaImageFormat: ImageFormat {
  static let name = "MetaImage"
  static let suffixes = [".mha", ".mhd"]

  static func recognises(_ beginning: [UInt8]) -> Bool { MetaImageHeader.recognises(beginning) }

  /// The type of a voxel by its name; `MET_LONG` has 4 bytes on every machine.
  static let types: [String: VoxelType] = [
    "MET_CHAR": .int8, "MET_UCHAR": .uint8, "MET_SHORT": .int16, "MET_USHORT": .uint16, "MET_INT": .int32,
    "MET_UINT": .uint32, "MET_LONG": .int32, "MET_ULONG": .uint32, "MET_LONG_LONG": .int64,
    "MET_ULONG_LONG": .uint64, "MET_FLOAT": .float32, "MET_DOUBLE": .float64,
  ]

  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile {
    var check = MetaImageParsing(header: try MetaImageHeader(path: path))
    try check.requireImage()
    let sizes = try check.sizes()
    let (type, channels) = try check.voxelType(sizes: sizes)
    let grid = try check.grid(sizes: sizes)
    let frames = sizes.dropFirst(3).reduce(1, *)
    var reader = try check.voxels(sizes: sizes, type: type, channels: channels)
    if channels > 1 {
      reader = InterleavedVoxels(
        stored: reader, componentCount: channels, path: path, type: type, voxelsPerFrame: grid.size.voxelCount
      )
    }
    let step = check.frameStep
    let frameSizes = (channels > 1 ? [channels] : []) + (frames > 1 ? [frames] : [])
    return ImageFile(
      path: path, storage: check.storage, source: ImageSource(grid: grid), voxelType: type,
      scaling: VoxelScaling(), frameSizes: frameSizes, frameStep: { step }, files: check.files,
      reader: reader,
      findings: [check.header.spellingFinding].compactMap(\.self) + check.findings)
  }
}
