import Foundation

/// Which file stands somewhere, whatever it is called.
struct FileIdentity: Hashable, Sendable {
  let device: UInt
  let inode: UInt

  init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }

  /// What stands at `path`, links followed; nil where nothing can be seen.
  init?(path: String) {
    var status = stat()
    guard FileSystem.getStatus(path, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// A name in a folder, whatever the folder is called.
struct FileEntry: Hashable, Sendable {
  let folder: FileIdentity
  let name: String

  /// The entry of `path` itself, a link not followed; nil where its folder cannot be seen.
  init?(path: String) {
    let folder = FilePath.folder(of: path)
    guard let identity = FileIdentity(path: folder.isEmpty ? "." : folder) else { return nil }
    self.folder = identity
    name = FilePath.name(of: path)
  }
}
