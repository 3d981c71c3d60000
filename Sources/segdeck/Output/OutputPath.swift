import ImageFormats
import Networks
import ONNX
import Work

/// The path of an output file.
///
/// It is checked before any work begins. During the life of this value, no input may be the same file.
struct OutputPath {
  /// The kind of file, which determines the permitted suffixes.
  enum Kind {
    /// An image or mask, NAME.nii.gz or another suffix of a format that is written.
    case image
    /// A model or checkpoint, NAME.safetensors.
    case model
    /// A network for other programs, NAME.onnx.
    case network
    /// Names of labels, in one of the forms of ``LabelNamesFormat``.
    case labelNames
    /// CRF settings, NAME.json.
    case settings
    /// Losses or trials as JSON lines, NAME.jsonl.
    case log
    /// A picture, NAME.svg.
    case picture
    /// A picture in pixels, NAME.png.
    case pixels
    /// A worklist, NAME.csv or NAME.tsv.
    case worklist
    /// A page, NAME.html.
    case page

    /// Refuses an output name without the suffix of this kind of file.
    func requireName(_ path: String) throws(InputError) {
      switch self {
      case .image: try ImageName.requireWritable(path)
      case .model: try FilePath.requireSuffix([ModelFile.suffix], of: path, toWrite: "a model")
      case .network: try FilePath.requireSuffix([ModelProto.suffix], of: path, toWrite: "a network")
      case .labelNames: _ = try LabelNamesFormat(ofFile: path)
      case .settings: try FilePath.requireSuffix([".json"], of: path, toWrite: "CRF settings")
      case .log: try FilePath.requireSuffix([".jsonl"], of: path, toWrite: "JSON lines")
      case .picture: try FilePath.requireSuffix([".svg"], of: path, toWrite: "a picture")
      case .pixels: try FilePath.requireSuffix([".png"], of: path, toWrite: "a picture")
      case .page: try FilePath.requireSuffix([".html"], of: path, toWrite: "a page")
      case .worklist: try FilePath.requireSuffix([".csv", ".tsv"], of: path, toWrite: "a worklist")
      }
    }
  }

  /// The path as the user gave it.
  let path: String
  /// The files that exist already: the output itself first, then its companions.
  let existing: [String]
  private let claims: [OutputClaim]

  /// Checks that a file may be written: its folder exists, it is neither an input nor another output under any name
  /// (links are followed), and an existing file may be replaced.
  ///
  /// - Parameters:
  ///   - companions: Files that are written with it, which are checked too, as are those with the voxels of an image.
  ///   - isCompressed: Whether the voxels of an image are compressed where its format leaves that open.
  ///   - byteCount: A lower bound of the file's size in bytes, which the disk must have free.
  /// - Throws: ``InputError`` when the suffix is wrong; when `path` is a folder or device or lies in a read-only
  ///   folder; when it exists and `isForced` is false; or when it is an input, which no flag allows.
  init(
    _ path: String, kind: Kind, isForced: Bool, companions: [String] = [], byteCount: Int = 0,
    isCompressed: Bool = true
  ) throws(InputError) {
    self.path = path
    try kind.requireName(path)
    var claims: [OutputClaim] = []
    var existing: [String] = []
    let voxelFiles = kind == .image ? ImageName.voxelFiles(ofWritten: path, isCompressed: isCompressed) : []
    for file in [path] + voxelFiles + companions {
      let destination = try FileDestination(file)
      try destination.requireFreeSpace(for: file == path ? byteCount : 0)
      if file == path, companions.contains(MaskRecord.path(besideMask: path)) {
        try Self.requireRecord(of: destination)
      }
      claims.append(try OutputClaim(destination))
      if destination.exists { existing.append(file) }
    }
    self.claims = claims
    self.existing = existing
    if let first = existing.first, !isForced {
      throw InputError(first, "exists", expected: "another name, or --force to replace it")
    }
  }

  /// Refuses a link to a mask that has a record of its own: the new record would be beside the link, and the old one
  /// would describe the new mask.
  private static func requireRecord(of destination: FileDestination) throws(InputError) {
    guard FileEntry(path: destination.path) != FileEntry(path: destination.target) else { return }
    let record = MaskRecord.path(besideMask: destination.target)
    guard ImageName.suffix(of: destination.target) != nil, FileSystem.exists(record),
      FileSystem.resolved(record) != FileSystem.resolved(MaskRecord.path(besideMask: destination.path))
    else { return }
    throw InputError(
      destination.path, "leads to a mask with a record of its own", found: record,
      expected: "\(destination.target), or another name")
  }

  /// The output path of a mask on an image's grid, with its record and label names as companions.
  /// - Parameter hasSegmentation: Whether a DICOM segmentation is written with the mask of a DICOM image.
  init(
    maskAt path: String, of image: ImageFile, isForced: Bool, hasSegmentation: Bool = false
  ) throws(InputError) {
    let segmentation = hasSegmentation ? ImageName.segmentation(besideMask: path, of: image.source) : nil
    try self.init(
      path, kind: .image, isForced: isForced,
      companions: MaskRecord.companions(ofMask: path) + [segmentation].compactMap(\.self),
      byteCount: ImageName.isCompressed(path) ? 0 : image.grid.size.voxelCount)
  }
}
