import ImageFormats
import Review
import Work

extension [FolderEntry] {
  /// The names in a folder as it was typed, ascending: its folders, and those files that `content` says.
  /// - Throws: ``InputError`` when it is no folder that can be read; `Cancelled`.
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
