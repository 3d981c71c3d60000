import Work

/// The output of a text header and of its voxels, to one file or to two.
struct HeaderAndVoxels {
  let header: OutputStream
  /// The stream of the voxels: the header's own, or another file's.
  let voxels: OutputStream
  /// The name of the file with the voxels; nil where they follow the header.
  let voxelFileName: String?

  /// Opens the temporary files.
  /// - Parameters:
  ///   - voxelFile: The path of the file with the voxels; nil where they follow the header.
  ///   - compression: nil where voxels are stored as they are.
  /// - Throws: ``InputError`` for a name that a header cannot state, and as ``OutputStream/init(path:compression:work:)``.
  init(
    path: String, voxelFile: String?, compression: OutputStream.Compression?, work: WorkContext
  ) throws(InputError) {
    let name = voxelFile.map(FilePath.name)
    if let name, !Self.canState(name) {
      throw InputError(
        path, "has a name that its header cannot state",
        expected: "a name without % that does not begin with a blank, ~ or LIST")
    }
    voxelFileName = name
    header = try OutputStream(path: path, compression: voxelFile == nil ? compression : nil, work: work)
    voxels =
      try voxelFile.map { file throws(InputError) in
        try OutputStream(path: file, compression: compression, work: work)
      } ?? header
  }

  /// Whether a header can name a file.
  ///
  /// Readers trim blanks, take % for a pattern of several files, and whatever begins with LIST for a list (MetaIO and Teem
  /// look no further); this program reads no file of another folder.
  private static func canState(_ name: String) -> Bool {
    name == name.trimmingSpaces && !name.hasPrefix("~") && !name.uppercased().hasPrefix("LIST")
      && !name.unicodeScalars.contains {
        $0 == "%" || Character($0).isNewline || $0.properties.generalCategory == .control
      }
  }

  /// Completes the files; the compression of the voxels must be finished.
  /// - Throws: ``InputError`` when the disk is full or fails.
  func completeFiles() throws(InputError) -> [PendingFile] {
    let file = try header.completeFile()
    return voxelFileName == nil ? [file] : [file, try voxels.completeFile()]
  }
}
