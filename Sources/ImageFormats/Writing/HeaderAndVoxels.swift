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
    guard name?.contains(where: { $0 == "%" || $0.isNewline }) != true else {
      throw InputError(path, "has a name that its header cannot state", expected: "a name without %")
    }
    voxelFileName = name
    header = try OutputStream(path: path, compression: voxelFile == nil ? compression : nil, work: work)
    voxels =
      try voxelFile.map { file throws(InputError) in
        try OutputStream(path: file, compression: compression, work: work)
      } ?? header
  }

  /// Completes the files; the compression of the voxels must be finished.
  /// - Throws: ``InputError`` when the disk is full or fails.
  func completeFiles() throws(InputError) -> [PendingFile] {
    let file = try header.completeFile()
    return voxelFileName == nil ? [file] : [file, try voxels.completeFile()]
  }
}
