import Work

/// The image series in the folders below a folder, as the list shows them when the folder itself is opened.
struct DicomSubfolders {
  /// "study/2: CT, Phantom, 24 files, 512x512x24, IM0001", a line for each series; the last line counts what is left out.
  private(set) var lines: [String] = []
  private var folderCount = 0

  // A whole disk may be given by mistake.
  private static let maximumNesting = 4
  private static let maximumFolderCount = 2000
  private static let maximumLineCount = 500

  /// Searches the folders below `path`; those that cannot be read are skipped.
  /// - Throws: ``InputError`` when one has too many files; ``Cancelled``.
  init(_ path: String) throws {
    try search(path, name: "", depth: 0)
    if lines.count > Self.maximumLineCount { lines[Self.maximumLineCount...] = ["and more"] }
  }

  private mutating func search(_ path: String, name: String, depth: Int) throws {
    for entry in (try? FileSystem.names(in: path)) ?? [] where !entry.hasPrefix(".") {
      let folder = FilePath.joined(path, entry)
      guard lines.count <= Self.maximumLineCount, folderCount < Self.maximumFolderCount,
        FileSystem.isFolder(folder)
      else {
        continue
      }
      folderCount += 1
      let ownName = FilePath.joined(name, entry)
      if DicomListing.holdsDICOM(folder: folder) {
        lines += try DicomFolder(folder).imageSeries.map { "\(ownName): \($0.summary)" }
      }
      if depth + 1 < Self.maximumNesting { try search(folder, name: ownName, depth: depth + 1) }
    }
  }
}
