import ImageFormats
import Work

/// Where a command writes: checked before any work begins, and held against whatever is read while it lasts.
struct OutputPath {
  /// What is written, which decides how its name may end.
  enum Kind {
    /// An image or mask, NAME.nii or NAME.nii.gz.
    case image
    /// A model, NAME.safetensors.
    case model
    /// Anything else, under any name.
    case any
  }

  /// The path as the user gave it.
  let path: String
  /// The files that stand there already, the place itself first, then its companions.
  let existing: [String]
  private let claims: [OutputClaim]

  /// A place that may be written: its folder exists, nothing that is read and no other output has it, under whatever name
  /// (links are followed), and what stands there may be replaced.
  ///
  /// - Parameters:
  ///   - companions: Files that are written with it, to which the same applies.
  ///   - byteCount: Bytes that will certainly be written, which the disk must have room for.
  /// - Throws: ``InputError`` when the name ends wrongly, `path` is a folder or device, lies in a read-only folder, exists
  ///   and `isForced` is false, or is a file that is read, which no flag allows.
  init(
    _ path: String, isForced: Bool, companions: [String] = [], kind: Kind = .any, byteCount: Int = 0
  ) throws(InputError) {
    self.path = path
    try Self.checkEnding(path, kind)
    var claims: [OutputClaim] = []
    var existing: [String] = []
    for file in [path] + companions {
      let destination = try FileDestination(file)
      try destination.requireFreeSpace(for: file == path ? byteCount : 0)
      claims.append(try OutputClaim(destination))
      if destination.exists { existing.append(file) }
    }
    self.claims = claims
    self.existing = existing
    if let first = existing.first, !isForced {
      throw InputError(first, "exists", expected: "another name, or --force to replace it")
    }
  }

  /// The place of a mask on an image's grid, with its record and the names of its labels.
  init(maskAt path: String, of image: ImageFile, isForced: Bool) throws(InputError) {
    try self.init(
      path, isForced: isForced, companions: MaskRecord.companions(ofMask: path), kind: .image,
      byteCount: path.lowercased().hasSuffix(".gz") ? 0 : image.grid.size.voxelCount)
  }

  private static func checkEnding(_ path: String, _ kind: Kind) throws(InputError) {
    let name = path.lowercased()
    switch kind {
    case .image where !name.hasSuffix(".nii") && !name.hasSuffix(".nii.gz"):
      throw InputError(path, "cannot be written as an image", expected: "a name that ends in .nii or .nii.gz")
    case .model where !name.hasSuffix(".safetensors"):
      throw InputError(path, "cannot be written as a model", expected: "a name that ends in .safetensors")
    default: break
    }
  }
}
