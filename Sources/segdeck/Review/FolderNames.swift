import ImageFormats
import Review
import Work

extension [FolderEntry] {
  /// The names in a folder whose path was typed, ascending: its folders, and the files of the kind `content`.
  /// - Throws: ``InputError`` when the folder cannot be read; `Cancelled`.
  init(namesIn folder: String, _ content: FolderContent, _ work: WorkContext) throws {
    let path = FilePath.expandingTilde(folder)
    self = try FileSystem.names(in: path).compactMap { name in
      try work.checkCancellation()
      if FileSystem.isFolder(FilePath.joined(path, name)) { return FolderEntry(name, isFolder: true) }
      switch content {
      case .images: return ImageName.suffix(of: name) == nil ? nil : FolderEntry(name)
      case .all: return FolderEntry(name)
      }
    }
  }
}
