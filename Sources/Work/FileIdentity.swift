import Foundation

/// The identity of a file: device and inode, independent of its name.
struct FileIdentity: Hashable, Sendable {
  let device: UInt
  let inode: UInt

  init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }

  /// The file at `path`, links followed; nil where there is none.
  init?(path: String) {
    var status = stat()
    guard FileSystem.getStatus(path, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// A directory entry: a name in a folder that is identified by device and inode.
package struct FileEntry: Hashable, Sendable {
  let folder: FileIdentity
  let name: String

  /// The entry of `path` itself, a link not followed; nil where its folder does not exist.
  package init?(path: String) {
    let folder = FilePath.folder(of: path)
    guard let identity = FileIdentity(path: folder.isEmpty ? "." : folder) else { return nil }
    self.folder = identity
    name = FilePath.name(of: path)
  }
}
