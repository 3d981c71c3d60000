import Foundation
import ImageFormats
import Review
import Work

extension [FolderEntry] {
  /// The names in a folder whose path was typed, ascending: its folders, and the files of the kind `content`.
  ///
  /// In a folder of DICOM files, the series come first, in the order of their numbers: each as its first file, with its
  /// number and a summary. Their other files are not listed.
  /// Other images and folders get their summaries later (``FolderEntry/summary(of:_:)``).
  /// - Throws: ``InputError`` when the folder cannot be read; `Cancelled`.
  package init(namesIn folder: String, _ content: FolderContent, _ work: WorkContext) throws {
    let path = FilePath.expandingTilde(folder)
    let names = try FileSystem.names(in: path)
    let holdsDICOM = content == .images && DicomListing.holdsDICOM(folder: path)
    var entries: [FolderEntry] = try names.compactMap { name in
      try work.checkCancellation()
      let full = FilePath.joined(path, name)
      if FileSystem.isFolder(full) {
        return FolderEntry(name, isFolder: true, summary: content == .images ? nil : "")
      }
      switch content {
      case .images:
        return holdsDICOM || ImageName.suffix(of: name) == nil ? nil : FolderEntry(name, summary: nil)
      case .all: return FolderEntry(name)
      }
    }
    if holdsDICOM {
      let listing = try DicomListing(path.isEmpty ? "." : path, work: work)
      entries += names.filter { ImageName.suffix(of: $0) != nil && !DicomListing.hasSuffix($0) }.map {
        FolderEntry($0, summary: nil)
      }
      entries.sort { $0.name < $1.name }
      entries.insert(
        contentsOf: listing.series.map {
          FolderEntry(
            FilePath.name(of: $0.path),
            summary: "series \($0.number): \($0.summary), \(FolderEntry.text($0.byteCount))")
        }, at: 0)
    }
    self = entries
  }
}

extension FolderEntry {
  /// A file or folder in a few words: "512x512x300, 84 MB" for an image, "500 DICOM files, 252 MB" for a folder with
  /// such files; empty for any other folder.
  ///
  /// Only the header of an image is read. Where it cannot be read, the result is the problem.
  /// - Throws: `Cancelled`.
  package static func summary(of path: String, _ work: WorkContext) throws -> String {
    if FileSystem.isFolder(path) { return try summary(ofFolder: path, work) }
    try work.checkCancellation()
    do {
      // What is only listed is not an input, and may be written over.
      let image = try ReadFiles.withoutRegistering { Result { try ImageFile.open(path, work: work) } }.get()
      return "\(image.sizeText), \(text(image.byteCount))"
    } catch let error as InputError {
      return error.problem
    }
  }

  /// "500 DICOM files, 252 MB"; empty for any other folder.
  private static func summary(ofFolder path: String, _ work: WorkContext) throws -> String {
    guard DicomListing.holdsDICOM(folder: path) else { return "" }
    var (fileCount, byteCount) = (0, 0)
    for name in (try? FileSystem.names(in: path)) ?? [] where !name.hasPrefix(".") {
      try work.checkCancellation()
      guard let status = FileSystem.status(FilePath.joined(path, name)), status.st_mode & S_IFMT == S_IFREG
      else { continue }
      (fileCount, byteCount) = (fileCount + 1, byteCount + Int(status.st_size))
    }
    return "\(counted(fileCount, "DICOM file")), \(text(byteCount))"
  }

  /// "252 MB".
  fileprivate static func text(_ byteCount: Int) -> String {
    byteCount < 1_000_000 ? "\((byteCount + 999) / 1000) kB" : "\((byteCount + 500_000) / 1_000_000) MB"
  }
}
