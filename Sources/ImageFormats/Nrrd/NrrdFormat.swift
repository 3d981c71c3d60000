import Volumes
import Work

/// NRRD: `.nrrd`, a header `.nhdr` with its voxels in other files, and 3D Slicer's segmentations `.seg.nrrd`.
enum NrrdFormat: ImageFormat {
  static let name = "NRRD"
  static let suffixes = [".nrrd", ".nhdr"]
  static let choices: Set<ImageReadingOptions.Choice> = [.segment, .layer]

  static func recognises(_ beginning: [UInt8]) -> Bool { beginning.starts(with: Array("NRRD000".utf8)) }

  /// The names of each type; the first one is written.
  static let typeNames: [(type: VoxelType, names: [String])] = [
    (.int8, ["signed char", "int8", "int8_t"]),
    (.uint8, ["uchar", "unsigned char", "uint8", "uint8_t"]),
    (.int16, ["short", "short int", "signed short", "signed short int", "int16", "int16_t"]),
    (.uint16, ["ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"]),
    (.int32, ["int", "signed int", "int32", "int32_t"]),
    (.uint32, ["uint", "unsigned int", "uint32", "uint32_t"]),
    (
      .int64,
      [
        "int64", "longlong", "long long", "long long int", "signed long long", "signed long long int",
        "int64_t",
      ]
    ),
    (.uint64, ["uint64", "ulonglong", "unsigned long long", "unsigned long long int", "uint64_t"]),
    (.float32, ["float"]), (.float64, ["double"]),
  ]

  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile {
    let header = try NrrdHeader(path: path)
    let space = try NrrdSpace(header)
    let type = try type(header)
    let components = space.componentSizes.reduce(1, *)
    let frames = space.frameSizes.reduce(1, *)
    let content = try NrrdContent(
      header, type: type, voxelsPerFrame: components * space.grid.size.voxelCount, frameCount: frames)
    var reader = content.reader
    if components > 1 {
      reader = InterleavedVoxels(
        stored: reader, componentCount: components, path: path, type: type,
        voxelsPerFrame: space.grid.size.voxelCount)
    }
    var frameSizes = space.componentSizes + space.frameSizes
    while frameSizes.last == 1 { frameSizes.removeLast() }
    if frameSizes.allSatisfy({ $0 == 1 }) { frameSizes = [] }
    let step = space.frameStep
    let stored = ImageFile(
      path: path, storage: content.storage, source: ImageSource(grid: space.grid), voxelType: type,
      scaling: VoxelScaling(), frameSizes: frameSizes, frameStep: { step }, files: content.files,
      reader: reader,
      findings: space.findings)
    guard let segmentation = try NrrdSegmentation(header, layerCount: components * frames) else {
      try options.requireOnly([], of: path, "an image without segments")
      return stored
    }
    return try segmentation.image(stored, reader: reader, options)
  }

  private static func type(_ header: NrrdHeader) throws(InputError) -> VoxelType {
    let text = try header.required("type")
    let name = text.words.joined(separator: " ").lowercased()
    guard let type = typeNames.first(where: { $0.names.contains(name) })?.type else {
      throw text.refusal("short, uchar, float or another number")
    }
    return type
  }
}
